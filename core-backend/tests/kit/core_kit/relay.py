"""A way to a server that a test can close and open again, for servers that all tests share."""

import asyncio
from urllib.parse import urlsplit, urlunsplit


class Relay:
    """Passes bytes on to the server of `url`, while it is open; its own address stays the same.

    A connection on which `fault` is said is cut, before the server hears it or instead of its answer, so many
    times.
    """

    def __init__(self, url: str) -> None:
        self.fault: bytes | None = None
        self.is_heard = False
        self.times = 0
        self._url = urlsplit(url)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """The same server, by way of this relay."""
        login = self._url.netloc.rpartition("@")[0]
        return urlunsplit(self._url._replace(netloc=f"{login}@127.0.0.1:{self._port}"))

    async def open(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut all connections, and refuse new ones."""
        assert self._server is not None, "it is closed already"
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._url.hostname, self._url.port)
        self._writers |= {writer, far_writer}
        cut = asyncio.Event()
        await asyncio.gather(
            self._pass(reader, far_writer, cut), self._pass(far_reader, writer, cut, back=True)
        )
        self._writers -= {writer, far_writer}

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        cut: asyncio.Event,
        *,
        back: bool = False,
    ) -> None:
        try:
            while data := await reader.read(65536):
                if not back and self.times and self.fault is not None and self.fault in data:
                    self.times -= 1
                    cut.set()
                if cut.is_set() and (back or not self.is_heard):
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # cut
        writer.close()
