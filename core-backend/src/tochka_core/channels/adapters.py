"""HTTP to the services that carry messages: one request, and what came of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import ConnectError, PyreqwestError, RequestTimeoutError

from tochka_core.channels.schemas import Outcome, Rejected, Uncertain
from tochka_core.outbound.public import Gate

CONNECT = timedelta(seconds=5)
TOTAL_S = 10.0
IDLE = timedelta(seconds=20)
MAX_BYTES = 4 * 1024 * 1024
UNSENT = "unsent"
"""The error of a request that was not made: the service has not answered for a while."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `data` is the JSON of the body or None, `error` a word instead of a status."""

    status: int | None
    data: Any = None
    error: str = ""

    @property
    def is_success(self) -> bool:
        """Whether it is a 2xx."""
        return self.status is not None and 200 <= self.status < 300

    def field(self, name: str) -> Any:
        """A member of the body, if that is an object which has one."""
        return self.data.get(name) if isinstance(self.data, dict) else None

    def failure(self, reason: str | None = None) -> Outcome:
        """What an answer that is no success says about a message."""
        if self.error == UNSENT:
            return Rejected("the service does not answer")
        if self.status is None:
            return Uncertain(self.error)
        if self.is_success or self.status >= 500:
            return Uncertain(f"status {self.status}")
        return Rejected(reason or f"status {self.status}")


class Http:
    """A pooled client that never repeats a request."""

    def __init__(self, client: Client, seconds: float, gate: Gate | None = None) -> None:
        self._client = client
        self._seconds = seconds
        self._gate = gate

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """One request within so many seconds, its answer included. Faults are answers, too.

        While the service does not answer, nothing is sent; waiting for updates, which is given `seconds` of
        its own, goes past the gate. Neither `url` nor what a fault says of itself is for the log: tokens
        stand in addresses.
        """

        async def ask() -> Answer:
            return await self._ask(method, url, headers, query, json, form, seconds or self._seconds)

        if self._gate is None or seconds is not None:
            return await ask()
        return await self._gate.through(ask, _is_down) or Answer(None, error=UNSENT)

    async def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        query: Mapping[str, str] | None,
        json: Any,
        form: Mapping[str, str] | None,
        seconds: float,
    ) -> Answer:
        try:
            request = self._client.request(method, url).headers(dict(headers or {}))
            request = request.query(dict(query)) if query else request
            if json is not None:
                request = request.header("Content-Type", "application/json").body_bytes(orjson.dumps(json))
            elif form is not None:
                request = request.form(dict(form))
            async with request.timeout(timedelta(seconds=seconds)).build_streamed() as response:
                read = await response.body_reader.read(MAX_BYTES)
                return Answer(response.status, _json(bytes(read or b"")))
        except PyreqwestError as error:
            return Answer(None, error=_kind(error))
        except ValueError:
            return Answer(None, error="address")


@asynccontextmanager
async def open_http(
    root_certificate: bytes | None = None, seconds: float = TOTAL_S, gate: Gate | None = None
) -> AsyncIterator[Http]:
    """A client that follows no redirect and uses no proxy of the environment.

    With `root_certificate` (PEM) it also trusts what that authority signs; no other client does. `gate` is
    that of the service.
    """
    builder = ClientBuilder().follow_redirects(False).no_proxy().connect_timeout(CONNECT)
    builder = builder.pool_idle_timeout(IDLE).user_agent("tochka-rosta/1")
    if root_certificate is not None:
        builder = builder.add_root_certificate_pem(root_certificate)
    async with builder.build() as client:
        yield Http(client, seconds, gate)


def _is_down(answer: Answer) -> bool:
    return answer.status is None or answer.status >= 500


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _kind(error: PyreqwestError) -> str:
    """One word. None of them means that nothing was sent: the library says `ConnectError` of a connection
    that was closed in the middle of a request, and `ConnectTimeoutError` of an answer that did not come.
    """
    match error:
        case RequestTimeoutError():
            return "timeout"
        case ConnectError():
            return "connection"
        case _:
            return "protocol"
