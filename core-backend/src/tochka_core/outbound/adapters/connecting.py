"""Connections to addresses that tenants name: every one of them is looked at before it is made.

The look is taken at each connection, not when a URL is stored: a name may lead elsewhere a second later. A
kept connection leads where it led when it was made.
"""

import socket
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from tochka_core.outbound.addresses import is_denied
from tochka_core.outbound.schemas import ErrorWord, Policy, Timings

_COURSE: ContextVar["Course | None"] = ContextVar("outbound_course", default=None)


# the first that fits: a look-up that fails is a failed connection, too
WORDS: tuple[tuple[type[Exception], ErrorWord], ...] = (
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorError, "connect"),
)


class Denied(OSError):
    """The name leads where nobody may be asked."""


@dataclass(slots=True)
class Course:
    """One exchange and when it had come how far, in seconds of `time.perf_counter`."""

    started: float = field(default_factory=time.perf_counter)
    dns_started: float | None = None
    dns: float | None = None
    connect: float | None = None
    first_byte: float | None = None
    address: str | None = None
    is_denied: bool = False

    def timings(self) -> Timings:
        """What its parts took so far."""
        return Timings(
            dns=_ms(self.dns_started, self.dns),
            connect=_ms(self.dns or self.started, self.connect),
            first_byte=_ms(self.started, self.first_byte),
            total=_ms(self.started, time.perf_counter()),
        )

    def word(self, error: Exception) -> ErrorWord:
        """What kept an answer from coming. A message may quote addresses of the inner network; a word does
        not.
        """
        if self.is_denied:
            return "address_denied"
        return next((word for kind, word in WORDS if isinstance(error, kind)), "protocol")


def follow(course: Course) -> None:
    """Let what the current task connects to be noted in `course`."""
    _COURSE.set(course)


class CheckedResolver(AbstractResolver):
    """Asks another one, and takes no answer with an address in it that nobody may be asked at."""

    def __init__(self, inner: AbstractResolver, policy: Policy) -> None:
        self._inner = inner
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name; all of them can be connected to, or it is denied."""
        found = await self._inner.resolve(host, port, family)
        if any(_denied(entry["host"], self._policy) for entry in found):
            _note_denied()
            raise Denied(host)
        return found

    async def close(self) -> None:
        """Close the one that is asked."""
        await self._inner.close()


def open_connector(
    policy: Policy, resolver: AbstractResolver, *, keep_s: float, ssl: Any
) -> aiohttp.TCPConnector:
    """A connector whose every socket is checked once more, whichever way its address was come by."""
    return aiohttp.TCPConnector(
        resolver=CheckedResolver(resolver, policy),
        use_dns_cache=False,
        socket_factory=_checked_sockets(policy),
        keepalive_timeout=keep_s,
        limit=0,  # who waits in here waits on its time for connecting (ADR 13)
        ssl=ssl,
    )


def tracing() -> aiohttp.TraceConfig:
    """Notes in an exchange's course when its name was known and when it was connected."""

    async def looks_up(_: Any, context: SimpleNamespace, __: Any) -> None:
        context.trace_request_ctx.dns_started = time.perf_counter()

    async def found(_: Any, context: SimpleNamespace, __: Any) -> None:
        context.trace_request_ctx.dns = time.perf_counter()

    async def connected(_: Any, context: SimpleNamespace, __: Any) -> None:
        context.trace_request_ctx.connect = time.perf_counter()

    config = aiohttp.TraceConfig()
    config.on_dns_resolvehost_start.append(looks_up)
    config.on_dns_resolvehost_end.append(found)
    config.on_connection_create_end.append(connected)
    return config


def _checked_sockets(policy: Policy) -> Callable[[Sequence[Any]], socket.socket]:
    def make(info: Sequence[Any]) -> socket.socket:
        family, kind, protocol, _, address = info
        if _denied(address[0], policy):
            _note_denied()
            raise Denied(address[0])
        course = _COURSE.get()
        if course is not None:
            course.address = address[0]
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return make


def _denied(address: str, policy: Policy) -> bool:
    return is_denied(address, private_addresses=policy.private_addresses, denied=policy.denied_networks)


def _note_denied() -> None:
    course = _COURSE.get()
    if course is not None:
        course.is_denied = True


def _ms(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else (end - start) * 1000
