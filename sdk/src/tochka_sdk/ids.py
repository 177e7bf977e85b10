"""Identifiers: UUID version 7 (RFC 9562 §5.7), which sort by the time of their making."""

import secrets
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last_tick = 0


def _tick() -> int:
    """A 60-bit clock (48 bits of ms, 12 of a ms's fraction) that never repeats within this process."""
    global _last_tick  # noqa: PLW0603  the process has one clock
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    tick = (milliseconds << 12) | ((nanoseconds << 12) // 1_000_000)
    with _lock:
        _last_tick = tick if tick > _last_tick else _last_tick + 1
        return _last_tick


def uuid7() -> UUID:
    """A new identifier, greater than every one made before it in this process.

    48 bits of Unix time in ms, 12 bits of sub-millisecond order (RFC 9562 §6.2, method 3), 62 random bits.
    """
    tick = _tick()
    value = (tick >> 12) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)
