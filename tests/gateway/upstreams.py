"""Small real servers to stand behind the gateway: they say what they were asked, and misbehave on demand."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Seen:
    """One request as an upstream received it."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """All values of one header joined, or None."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def names(self) -> set[str]:
        """The names of all headers, in lower case."""
        return {key.lower() for key, _ in self.headers}


@dataclass
class Upstream:
    """A server that remembers its requests and answers "here is <name>" unless told otherwise for a path."""

    name: str
    address: str = ""
    seen: list[Seen] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    cut: threading.Event = field(default_factory=threading.Event)
    """Somebody hung up in the middle of a request."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Remember, then answer."""
        try:
            body = await request.read()
        except (asyncio.CancelledError, ConnectionError, web.RequestPayloadError):
            self.cut.set()
            raise
        headers = tuple((key, value) for key, value in request.headers.items())
        self.seen.append(Seen(request.method, request.raw_path, headers, body))
        answer = self.answers.get(request.path)
        if answer is not None:
            return await answer(request)
        return web.Response(
            text=f"here is {self.name}", headers={"Server": "upstream/1.0", "Via": "1.1 upstream"}
        )

    @property
    def last(self) -> Seen:
        """The latest request."""
        return self.seen[-1]


@dataclass
class Addresses:
    """What the core's private listener says of hosts."""

    known: dict[str, tuple[int, str]] = field(default_factory=dict)

    async def resolve(self, request: web.Request) -> web.Response:
        """The answer of `/internal/resolve`; 404 for every host that no test has put in."""
        status, upstream = self.known.get(request.query["host"], (404, ""))
        headers = {"X-Tochka-Installation": "i-1", "X-Tochka-Tenant": "t-1"}
        if upstream:
            headers["X-Upstream"] = upstream
        return web.json_response({"upstream": upstream}, status=status, headers=headers)


class Upstreams:
    """All of them, on one event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="upstreams")
        self._runners: list[web.AppRunner] = []
        self._thread.start()

    def start(self, name: str) -> Upstream:
        """A new server on a free port."""
        return asyncio.run_coroutine_threadsafe(self._start(name), self.loop).result(10)

    async def _start(self, name: str) -> Upstream:
        upstream = Upstream(name)
        application = web.Application(client_max_size=64 * 2**20)
        application.router.add_route("*", "/{anything:.*}", upstream.handle)
        runner = web.AppRunner(application, shutdown_timeout=0.5, handler_cancellation=True)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        upstream.address = f"{host}:{port}"
        return upstream

    def close(self) -> None:
        """Stop all servers and the thread."""
        for runner in self._runners:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@contextmanager
def refusing_address() -> Iterator[str]:
    """An address that refuses connections and that nobody else can take meanwhile: bound, never listening."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{reserved.getsockname()[1]}"


def says(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with this text."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text, status=status, headers=headers)

    return answer
