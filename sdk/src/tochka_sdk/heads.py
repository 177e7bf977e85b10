"""HTTP/1.1 as uvicorn speaks it, with an end to waiting: a request's head has so many seconds to arrive."""

from asyncio import BaseTransport, TimerHandle
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


def punctual(seconds: float) -> type[HttpToolsProtocol]:
    """A protocol for `uvicorn.Config(http=…)` that hangs up on whoever takes longer over a request's head.

    uvicorn alone waits for ever, also for a caller who sends one header a minute, so that a handful of them
    use up all connections. Bodies are `tochka_sdk.requests.BodyLimit`'s business.

    Args:
        seconds: from connecting, or from the first byte of a later request, to the end of its headers.
    """

    class Punctual(HttpToolsProtocol):
        """The protocol of one connection."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._due: TimerHandle | None = None

        def connection_made(self, transport: BaseTransport) -> None:
            """Begin to wait."""
            super().connection_made(transport)  # type: ignore[arg-type]  # it is a stream's
            self._wait()

        def data_received(self, data: bytes) -> None:
            """Begin to wait for the next head, too. An empty line before it counts as its first byte."""
            served = cast("RequestResponseCycle | None", self.cycle)
            if self._due is None and (served is None or served.response_complete):
                self._wait()
            super().data_received(data)

        def on_headers_complete(self) -> None:
            """It is here."""
            self._rest()
            super().on_headers_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            """Nobody is there any more."""
            self._rest()
            super().connection_lost(exc)

        def _wait(self) -> None:
            self._due = self.loop.call_later(seconds, self.transport.close)

        def _rest(self) -> None:
            if self._due is not None:
                self._due.cancel()
                self._due = None

    return Punctual
