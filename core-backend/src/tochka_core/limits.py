"""Rate limits per address, route and tenant: buckets in Redis, emptied and filled by one script (GCRA).

A bucket is one number, the moment until which its requests have used up what trickles in; `count` requests
fit at once, and one more every `window / count`. Every answer tells how the caller stands, in the `RateLimit`
and `RateLimit-Policy` fields (draft-ietf-httpapi-ratelimit-headers-11). Without Redis nothing is counted and
everything goes on, but for the routes that cost money: those are closed.
"""

import ipaddress
import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tochka_sdk import logs
from tochka_sdk.errors import DomainError, TooManyRequests, Unavailable
from tochka_sdk.problems import render
from tochka_sdk.requests import bind

from tochka_core.quotas import Quotas, Rate
from tochka_core.scripts import Script

RELAXED_FACTOR = 100
PREFIX_V6 = 64  # one customer of a provider, not one of 2^64 addresses of theirs
BLIND_S = 5.0  # how long Redis is not asked again after it failed
STANDINGS = "tochka.limits"
ASKING = (
    "/auth/challenges(/[^/]+/resend)?|/me/reauthentication/challenges|/me/phone-changes(/[^/]+/old-phone)?"
)
ANSWERING = "/auth/challenges/[^/]+/confirm|/me/phone-changes/[^/]+(/old-phone)?/confirm"
PASSWORDS = "/auth/login|/auth/challenges/[^/]+/recover|/me/(reauthentication|password)"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
REFUSALS = Counter("tochka_limit_refusals", "Requests over a limit.", ["limit"])
UNCOUNTED = Counter("tochka_limit_uncounted", "Requests let through uncounted, since Redis was away.")
_log = logs.get_logger(__name__)

# KEYS: buckets of one slot. ARGV: for each its count and its window in seconds.
# All are charged, or none. Back: for how long the caller must wait (µs, 0: let in), then for each bucket how
# many more fit now and in how many µs one more will.
GCRA = Script(
    """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local wait, used, charged = 0, {}, {}
for number, key in ipairs(KEYS) do
  local window = ARGV[2 * number] * 1000000
  local filled = math.max(tonumber(redis.call('GET', key) or '0'), now)
  used[number] = filled - now
  charged[number] = filled - now + window / ARGV[2 * number - 1]
  wait = math.max(wait, charged[number] - window)
end
local answer = {math.ceil(wait)}
for number, key in ipairs(KEYS) do
  local window = ARGV[2 * number] * 1000000
  local step = window / ARGV[2 * number - 1]
  if wait <= 0 then
    used[number] = charged[number]
    redis.call('SET', key, string.format('%.0f', now + used[number]), 'PX', math.ceil(used[number] / 1000))
  end
  local left = math.max(math.floor((window - used[number]) / step), 0)
  answer[2 * number] = left
  answer[2 * number + 1] = math.ceil((left + 1) * step - window + used[number])
end
return answer
"""
)


class Limit(NamedTuple):
    """A rate by the name under which answers tell it."""

    name: str
    rate: Rate


class Standing(NamedTuple):
    """How a caller stands in a bucket: so many more fit now, another one in so many seconds."""

    limit: Limit
    left: int
    more_in_s: float


@dataclass(frozen=True, slots=True)
class Rule:
    """What is counted of a request that matches; without Redis a `closed` one is refused."""

    methods: frozenset[str] | None
    path: re.Pattern[str]
    limits: tuple[Limit, ...]
    closed: bool = False


def rules_of(quotas: Quotas, factor: int) -> tuple[Rule, ...]:
    """The rules by path below the API's prefix; the first that matches decides."""

    def limit(name: str) -> Limit:
        rate: Rate = getattr(quotas, name.replace("-", "_"))
        return Limit(name, Rate(rate.count * factor, rate.window_s))

    def rule(methods: str, path: str, *names: str, closed: bool = False) -> Rule:
        limits = tuple(limit(name) for name in names)
        return Rule(frozenset(methods.split()) or None, re.compile(path, re.DOTALL), limits, closed)

    return (
        rule("POST", ASKING, "address", "codes", "codes-day", closed=True),
        rule("POST", ANSWERING, "address", "answers"),
        rule("POST PUT", PASSWORDS, "address", "passwords", closed=True),
        rule("POST", "/auth/(refresh|logout)", "address", "refreshes"),
        rule("GET HEAD", "/subdomains/.*", "address", "labels"),
        rule("", "/module/.*", "modules"),
        rule("POST", "/channels/[^/]*/updates", "messengers"),
        rule("DELETE PATCH POST PUT", ".*", "address", "changes"),
        rule("", ".*", "address"),
    )


def known(address: str | None) -> str | None:
    """The network address in its usual notation, or None for what is none (a Unix socket, a test)."""
    try:
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def bucket(address: str | None) -> str:
    """Whom an address stands for: itself, or the /64 of an IPv6 address; all unknown ones share a bucket."""
    text = known(address)
    if text is None:
        return "unknown"
    return str(ipaddress.ip_network(f"{text}/{PREFIX_V6}", strict=False)) if ":" in text else text


class Limiter:
    """Counts what a process lets in; one value per process."""

    def __init__(self, redis: Redis, quotas: Quotas, *, relaxed: bool) -> None:
        factor = RELAXED_FACTOR if relaxed else 1
        self.rules = rules_of(quotas, factor)
        self._tenant = (Limit("tenant", Rate(quotas.tenant.count * factor, quotas.tenant.window_s)),)
        self._redis = redis
        self._blind_until = 0.0

    def rule(self, method: str, path: str) -> Rule:
        """The rule for a request; `path` is below the prefix of the API, or whole outside of it."""
        return next(
            rule
            for rule in self.rules
            if (rule.methods is None or method in rule.methods) and rule.path.fullmatch(path)
        )

    async def admit(self, scope: Scope, subject: str, limits: Sequence[Limit], *, closed: bool) -> None:
        """Count a request of `subject`, and note in its scope how that one stands.

        Raises:
            TooManyRequests: one of the limits is reached; nothing is counted then.
            Unavailable: Redis is away and the request must not go uncounted.
        """
        try:
            wait, standings = await self._take(subject, limits)
        except RedisError as error:
            self._blind_until = time.monotonic() + BLIND_S
            _log.warning("limits.not_counted", reason=type(error).__name__)
            wait, standings = 0.0, []
        if not standings:
            UNCOUNTED.inc()
            if closed:
                raise Unavailable("This is not possible for a moment. Try again soon.", retry_after=BLIND_S)
        scope.setdefault(STANDINGS, []).extend(standings)
        if wait > 0:
            name = min(standings, key=lambda standing: (standing.left, -standing.more_in_s)).limit.name
            REFUSALS.labels(name).inc()
            bind(limit=name)
            raise TooManyRequests("Too many requests. Try again later.", retry_after=wait, limit=name)

    async def admit_tenant(self, scope: Scope, tenant_id: UUID, *, outsider: UUID | None) -> None:
        """Count a request for a tenant.

        Args:
            scope: of the request.
            tenant_id: whom it is for.
            outsider: the caller, unless a token says that he belongs to the tenant: whether he does is asked
                in the transaction only, so until then he is counted by himself and costs the tenant nothing.
        """
        subject = str(tenant_id) if outsider is None else f"{tenant_id}|{outsider}"
        await self.admit(scope, subject, self._tenant, closed=False)

    async def _take(self, subject: str, limits: Sequence[Limit]) -> tuple[float, list[Standing]]:
        """For how many seconds to wait, and how the subject stands: nothing known while Redis is away."""
        now = time.monotonic()
        if self._blind_until:
            if now < self._blind_until:
                return 0.0, []
            self._blind_until = now + BLIND_S  # this request asks; others go on without an answer meanwhile
        keys = [f"limit:{{{subject}}}:{limit.name}" for limit in limits]
        args = [figure for limit in limits for figure in (limit.rate.count, limit.rate.window_s)]
        wait, *told = await GCRA.run(self._redis, keys, args)
        self._blind_until = 0.0
        pairs = zip(limits, told[::2], told[1::2], strict=True)
        return wait / 1e6, [Standing(limit, int(left), more / 1e6) for limit, left, more in pairs]


class RateLimits:
    """Counts every request by its address and its route, and tells in every answer how the caller stands."""

    def __init__(self, app: ASGIApp, *, limiter: Limiter, prefix: str) -> None:
        self._app = app
        self._limiter = limiter
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection; whatever is not HTTP passes as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        rule = self._limiter.rule(scope["method"], scope["path"].removeprefix(self._prefix))
        standings: list[Standing] = scope.setdefault(STANDINGS, [])

        async def reply(message: Message) -> None:
            if message["type"] == "http.response.start" and standings:
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Policy"] = ", ".join(map(_policy, standings))
                headers["RateLimit"] = ", ".join(map(_standing, standings))
            await send(message)

        try:
            subject = bucket(client[0] if client else None)
            await self._limiter.admit(scope, subject, rule.limits, closed=rule.closed)
        except DomainError as error:
            await render(error)(scope, receive, reply)
            return
        await self._app(scope, receive, reply)


def _policy(standing: Standing) -> str:
    name, rate = standing.limit
    return f'"{name}";q={rate.count};w={rate.window_s}'


def _standing(standing: Standing) -> str:
    return f'"{standing.limit.name}";r={standing.left};t={max(1, math.ceil(standing.more_in_s))}'
