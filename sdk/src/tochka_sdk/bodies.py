"""Bodies of answers: read to their end, and never further than they may go."""

from collections.abc import AsyncIterable


async def read_at_most(pieces: AsyncIterable[bytes], most: int) -> bytes:
    """What comes in pieces, as one; of more than `most` bytes the first `most` + 1, and nothing is waited for
    behind them.
    """
    read = bytearray()
    async for piece in pieces:
        read += piece
        if len(read) > most:
            break
    return bytes(read[: most + 1])
