"""The outbound HTTP client: one pooled client behind one small interface."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

from pyreqwest.client import Client as HttpClient
from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import (
    ConnectError,
    ConnectTimeoutError,
    PyreqwestError,
    RequestTimeoutError,
)

from tochka_core.webhooks.schedules import Answer

CONNECT = timedelta(seconds=3)
MAX_ANSWER = 16 * 1024
# Shorter than servers keep idle connections (uvicorn: 5 s): a request on a connection that the other side
# is closing fails, and costs an activation its first attempt.
IDLE = timedelta(seconds=3)


class Sender(Protocol):
    """Sends one request and says what came back; network faults are answers, too."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Answer:
        """POST `body`; so many `seconds` for all of it, the answer's body included."""


class _Pooled:
    def __init__(self, client: HttpClient) -> None:
        self._client = client

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Answer:
        try:
            request = self._client.post(url).headers(dict(headers)).body_bytes(body)
            async with request.timeout(timedelta(seconds=seconds)).build_streamed() as response:
                read = await response.body_reader.read(MAX_ANSWER)
                return Answer(response.status, bytes(read or b""), response.get_header("retry-after"))
        except PyreqwestError as error:
            return Answer(None, error=_kind(error))
        except ValueError:
            return Answer(None, error="address")


@asynccontextmanager
async def open_sender() -> AsyncIterator[Sender]:
    """A client that follows no redirect, uses no proxy of the environment, and unpacks nothing."""
    builder = ClientBuilder().follow_redirects(False).no_proxy().connect_timeout(CONNECT)
    builder = builder.pool_idle_timeout(IDLE).gzip(False).brotli(False).zstd(False).deflate(False)
    async with builder.user_agent("tochka-rosta/1").build() as client:
        yield _Pooled(client)


def _kind(error: PyreqwestError) -> str:
    """One word for the attempt log; the message may quote addresses of the inner network."""
    match error:
        case ConnectTimeoutError():
            return "connect_timeout"
        case RequestTimeoutError():
            return "timeout"
        case ConnectError():
            return "connect"
        case _:
            return "protocol"
