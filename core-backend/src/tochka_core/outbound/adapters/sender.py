"""The outbound HTTP client: one small interface, and behind it two ways of connecting.

*Trusted* addresses come from the operator's configuration and are asked by pyreqwest, the fastest client.
*Checked* ones are named by tenants and are asked by aiohttp, which lets us look at every address before a
connection is made (docs/adr/0013). Neither follows redirects, uses proxies of the environment, keeps cookies
or unpacks anything.
"""

import ssl
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import lru_cache, partial

import aiohttp
from aiohttp.abc import AbstractResolver
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import ConnectError, ConnectTimeoutError, PyreqwestError, RequestTimeoutError
from pyreqwest.http import HeaderMap
from tochka_sdk.bodies import read_at_most
from yarl import URL

from tochka_core.outbound.adapters.connecting import Course, follow, open_connector, tracing
from tochka_core.outbound.schemas import Answer, ErrorWord, Policy, Timings
from tochka_core.outbound.urls import UrlDenied, check_url

CONNECT_S = 3.0
MOST = 16 * 1024
MOST_HEADERS = 8 * 1024
# Shorter than servers keep idle connections (uvicorn: 5 s): a request on a connection that the other side
# is closing fails, and costs an activation its first attempt.
IDLE_S = 3.0
URLS = 4096
"""How many are remembered as checked."""
AGENT = "tochka-rosta/1"
LONGEST_LINE = 64 * 1024
"""Of an answer's head: what is longer than we keep is no failure yet."""
IDENTITY = {"Accept-Encoding": "identity"}


class Sender:
    """Sends one request and says what came back; whatever the network does is an answer, too."""

    def __init__(self, trusted: Client, checked: aiohttp.ClientSession, policy: Policy) -> None:
        self._trusted = trusted
        self._checked = checked
        self._url = lru_cache(maxsize=URLS)(partial(_url, policy=policy))

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, seconds: float, *, trusted: bool
    ) -> Answer:
        """POST `body`; so many `seconds` for all of it, the answer's body included.

        Args:
            url: whom to ask.
            headers: as they are sent; what unpacks an answer is never asked for.
            body: as it is sent.
            seconds: for the whole exchange, from the look-up of the name to the last byte that is read.
            trusted: the address is the operator's word. Otherwise it must be what `check_url` lets through,
                and so must every address that its name leads to, at every attempt.
        """
        return await self.request("POST", url, headers=headers, body=body, seconds=seconds, trusted=trusted)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        seconds: float,
        trusted: bool,
        most: int = MOST,
    ) -> Answer:
        """The same with any method. `most` bytes of the answer are read, then the connection is closed."""
        sent = {**IDENTITY, **(headers or {})}
        ask = self._ask_trusted if trusted else self._ask_checked
        return await ask(method, url, sent, body, seconds, most)

    async def _ask_trusted(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, seconds: float, most: int
    ) -> Answer:
        started = time.perf_counter()
        first: float | None = None
        try:
            request = self._trusted.request(method, url).headers(headers)
            request = request if body is None else request.body_bytes(body)
            async with request.timeout(timedelta(seconds=seconds)).build_streamed() as response:
                first = _since(started)
                read = bytes(await response.body_reader.read(most + 1) or b"")
                times = Timings(first_byte=first, total=_since(started))
                headers = _bounded(_legible(response.headers))
                return _answer(response.status, read, most, headers, times, None)
        except PyreqwestError as error:
            return Answer(None, error=_word(error), timings=Timings(None, None, None, first, _since(started)))
        except ValueError:
            return Answer(None, error="url")

    async def _ask_checked(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, seconds: float, most: int
    ) -> Answer:
        course = Course()
        follow(course)
        try:
            target = self._url(url)
            timeout = aiohttp.ClientTimeout(total=seconds, connect=min(CONNECT_S, seconds), ceil_threshold=60)
            async with self._checked.request(
                method,
                target,
                headers=headers,
                data=body,
                timeout=timeout,
                allow_redirects=False,
                trace_request_ctx=course,
            ) as response:
                course.first_byte = time.perf_counter()
                read = await read_at_most(response.content.iter_any(), most)
                if len(read) > most:
                    response.close()
                given = _bounded(response.headers.items())
                return _answer(response.status, read, most, given, course.timings(), course.address)
        except UrlDenied as denied:
            return Answer(None, error=denied.word)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            word = course.word(error)
            return Answer(None, error=word, timings=course.timings(), address=course.address)


@asynccontextmanager
async def open_sender(
    policy: Policy,
    *,
    resolver: AbstractResolver | None = None,
    authorities: ssl.SSLContext | None = None,
) -> AsyncIterator[Sender]:
    """Both clients, ready to send.

    Args:
        policy: what may be asked of addresses that tenants name.
        resolver: who looks up their names; the system's servers when None.
        authorities: whose certificates count for them; the system's when None.
    """
    builder = ClientBuilder().follow_redirects(False).no_proxy().connect_timeout(timedelta(seconds=CONNECT_S))
    builder = builder.pool_idle_timeout(timedelta(seconds=IDLE_S)).user_agent(AGENT)
    builder = builder.gzip(False).brotli(False).zstd(False).deflate(False)
    connector = open_connector(
        policy, resolver or aiohttp.AsyncResolver(), keep_s=IDLE_S, ssl=authorities or True
    )
    checked = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": AGENT},
        auto_decompress=False,
        max_line_size=LONGEST_LINE,
        max_field_size=LONGEST_LINE,
        trust_env=False,
        trace_configs=[tracing()],
        raise_for_status=False,
    )
    async with builder.build() as trusted, checked:
        yield Sender(trusted, checked, policy)


def _url(text: str, policy: Policy) -> URL:
    """A URL as it is asked, if it may be. What its name leads to is checked whenever it is asked."""
    return URL(check_url(text, policy).text, encoded=True)


def _legible(headers: HeaderMap) -> Iterator[tuple[str, str]]:
    """A trusted answer's headers but for those beyond ASCII: the client does not hand them out."""
    for name in dict.fromkeys(headers.keys()):
        with suppress(ValueError):
            yield name, ", ".join(headers.getall(name))


def _answer(
    status: int, read: bytes, most: int, headers: Mapping[str, str], timings: Timings, address: str | None
) -> Answer:
    error: ErrorWord | None = "redirect" if 300 <= status < 400 else None
    return Answer(status, read[:most], headers, error, timings, address, is_cut=len(read) > most)


def _bounded(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by small names, repeated ones joined, as far as there is room for them."""
    found: dict[str, str] = {}
    room = MOST_HEADERS
    for name, value in headers:
        room -= len(name) + len(value)
        if room < 0:
            break
        small = name.lower()
        found[small] = f"{found[small]}, {value}" if small in found else value
    return {_readable(name): _readable(value) for name, value in found.items()}


def _readable(text: str) -> str:
    """Text that can be stored: the client leaves half a character in the place of a byte that is no UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _word(error: PyreqwestError) -> ErrorWord:
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
