"""Answers that go on and on."""

import asyncio
import threading

import pytest
from aiohttp import web

from tests.gateway.conftest import House
from tests.gateway.upstreams import Upstream


class EventStream:
    """A stream of server-sent events that a test drives."""

    def __init__(self, house: House, upstream: Upstream, path: str) -> None:
        self._loop = house.upstreams.loop
        self._events: asyncio.Queue[str | None] = asyncio.Queue()
        self.gone = threading.Event()
        upstream.answers[path] = self.answer

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Send what the test says until it says None or the client is gone."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        try:
            await response.prepare(request)
            while (event := await self._events.get()) is not None:
                await response.write(f"data: {event}\n\n".encode())
        except (asyncio.CancelledError, ConnectionError):
            self.gone.set()
            raise
        return response

    def say(self, event: str | None) -> None:
        """The next event, or the end."""
        asyncio.run_coroutine_threadsafe(self._events.put(event), self._loop).result(10)


WHERE = [("localhost", "/api/v1/installations/1/progress"), ("pekarnya.localhost", "/events")]


@pytest.mark.parametrize(("host", "path"), WHERE)
def test_each_event_arrives_when_it_is_said(house: House, host: str, path: str) -> None:
    house.live("pekarnya")
    stream = EventStream(house, house.public if host == "localhost" else house.module, path)
    with house.gateway.open() as connection:
        ask = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip, zstd\r\nConnection: close\r\n\r\n"
        )
        connection.sendall(ask.encode())
        with connection.makefile("rb") as answer:
            for event in ("provisioning", "live"):
                stream.say(event)
                wanted = f"data: {event}\n".encode()
                assert wanted in iter(answer.readline, b"")
            stream.say(None)
            assert b"0\r\n" in answer.read()


@pytest.mark.parametrize(("host", "path"), WHERE)
def test_a_stream_may_be_silent_for_longer_than_any_request_may_take(
    house: House, host: str, path: str
) -> None:
    house.live("pekarnya")
    stream = EventStream(house, house.public if host == "localhost" else house.module, path)
    with house.gateway.open() as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        stream.say("first")
        heard = b""
        while b"data: first" not in heard:
            heard += connection.recv(4096)
        connection.settimeout(2.5)  # the limits of this gateway are one second
        with pytest.raises(TimeoutError):
            connection.recv(4096)
        connection.settimeout(10)
        stream.say("second")
        assert b"data: second" in connection.recv(4096)
        stream.say(None)


@pytest.mark.parametrize(("host", "path"), WHERE)
def test_an_upstream_learns_that_its_reader_has_left(house: House, host: str, path: str) -> None:
    house.live("pekarnya")
    stream = EventStream(house, house.public if host == "localhost" else house.module, path)
    with house.gateway.open() as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        stream.say("first")
        assert connection.recv(4096)
    assert stream.gone.wait(10)
