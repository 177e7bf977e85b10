"""Gates before everybody whom the platform asks: breaker, rate and concurrency, shared by all processes.

A breaker opens after five failures in a row, for five seconds; then one request may try, and as long as it
fails the pause doubles, up to five minutes. State lies in Redis, one script for taking and one for telling.
A shut gate is remembered here, too, so that a dead peer costs no look at Redis. Without Redis each process
goes by what it has seen itself: breakers still open, rate and concurrency are not kept, nothing is lost.
"""

import time
from collections.abc import Sequence
from typing import Any, cast
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError
from tochka_sdk import logs

from tochka_core.outbound.breakers import Breakers
from tochka_core.outbound.schemas import Closed, Grant, Report, Want
from tochka_core.scripts import Arguments, Script, run_all

FAILURES = 5
OPEN_MS = 5_000
LONGEST_MS = 300_000
KEEP_MS = 3_600_000
AWAY_S = 1.0
"""How long Redis is not asked after it did not answer."""
_log = logs.get_logger(__name__)

TAKE = Script(
    """
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local wanted, interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local room, hold, id = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
    local state = redis.call('HMGET', KEYS[1], 'open_until', 'paused_until', 'probe_until', 'next_at')
    local open, paused = tonumber(state[1] or 0), tonumber(state[2] or 0)
    local probe, next_at = tonumber(state[3] or 0), tonumber(state[4] or 0)
    if paused > now then return {0, paused - now, 'asked'} end
    if open > now then return {0, open - now, 'open'} end
    if open > 0 and probe > now then return {0, math.min(probe - now, 1000), 'probing'} end
    local count, wait, why = wanted, 0, ''
    if open > 0 and count > 1 then count, wait, why = 1, 1000, 'probing' end
    if room > 0 then
      redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
      local free = room - redis.call('ZCARD', KEYS[2])
      if free < count then count, wait, why = math.max(free, 0), 50, 'concurrency' end
    end
    if interval > 0 then
      next_at = math.max(next_at, now)
      local free = math.floor((now + burst * interval - next_at) / interval)
      if free < count then
        count, why = math.max(free, 0), 'rate'
        wait = next_at + (count + 1) * interval - burst * interval - now
      end
      next_at = next_at + count * interval
      redis.call('HSET', KEYS[1], 'next_at', next_at)
    end
    if count > 0 and open > 0 then redis.call('HSET', KEYS[1], 'probe_until', now + hold) end
    if count > 0 and room > 0 then
      for i = 1, count do redis.call('ZADD', KEYS[2], now + hold, id .. i) end
      redis.call('PEXPIRE', KEYS[2], hold)
    end
    redis.call('PEXPIRE', KEYS[1], KEEP)
    return {count, math.ceil(wait), why}
    """.replace("KEEP", str(KEEP_MS))
)
TELL = Script(
    """
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local succeeded, failed, pause = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local most, first = tonumber(ARGV[4]), tonumber(ARGV[5])
    local longest, spread = tonumber(ARGV[6]), tonumber(ARGV[7])
    for i = 8, #ARGV do redis.call('ZREM', KEYS[2], ARGV[i]) end
    local state = redis.call('HMGET', KEYS[1], 'open_until', 'open_for', 'failures', 'paused_until')
    local open, open_for = tonumber(state[1] or 0), tonumber(state[2] or 0)
    local failures, paused = tonumber(state[3] or 0), tonumber(state[4] or 0)
    if pause > 0 and now + pause > paused then
      paused = now + pause
      redis.call('HSET', KEYS[1], 'paused_until', paused)
    end
    if succeeded > 0 then
      open = 0
      redis.call('HDEL', KEYS[1], 'open_until', 'open_for', 'failures', 'probe_until')
    elseif failed > 0 and open <= now then
      failures = failures + failed
      if open > 0 then open_for = math.min(open_for * 2, longest)
      elseif failures >= most then open_for = first end
      if open > 0 or failures >= most then open = now + math.floor(open_for * spread) end
      redis.call('HSET', KEYS[1], 'failures', failures, 'open_for', open_for, 'open_until', open)
      redis.call('HDEL', KEYS[1], 'probe_until')
    elseif failed == 0 and #ARGV > 7 then
      redis.call('HDEL', KEYS[1], 'probe_until')
    end
    redis.call('PEXPIRE', KEYS[1], math.max(KEEP, paused - now))
    return math.max(open - now, paused - now, 0)
    """.replace("KEEP", str(KEEP_MS))
)


class Gates:
    """The gates as one process sees them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._own = Breakers(FAILURES, OPEN_MS / 1000, LONGEST_MS / 1000)
        self._away_until = 0.0

    async def take(self, wants: Sequence[Want]) -> list[Grant]:
        """As many requests as may be sent to each name now, all asked in one round trip. Never raises."""
        shut = [self._own.shut(want.name) for want in wants]
        asked = [want for want, (wait_s, _) in zip(wants, shut, strict=True) if wait_s <= 0]
        granted = dict(zip(asked, await self._ask(asked), strict=True)) if asked else {}
        return [
            granted[want] if wait_s <= 0 else Grant(want.name, (), wait_s, why)
            for want, (wait_s, why) in zip(wants, shut, strict=True)
        ]

    async def _ask(self, wants: Sequence[Want]) -> list[Grant]:
        ids = [uuid4().hex[:16] for _ in wants]
        calls = [(_keys(want.name), _terms(want, id)) for want, id in zip(wants, ids, strict=True)]
        answers = await self._run(TAKE, calls)
        if answers is None:
            return [self._own.take(want) for want in wants]
        grants = []
        for want, id, (count, wait_ms, why) in zip(wants, ids, answers, strict=True):
            reason = cast(Closed, why if isinstance(why, str) else why.decode())
            if reason in {"open", "asked"}:
                self._own.remember(want.name, wait_ms / 1000, reason)
            names = tuple(f"{id}{number + 1}" for number in range(count))
            grants.append(Grant(want.name, names, wait_ms / 1000, reason))
        return grants

    async def report(self, reports: Sequence[Report]) -> None:
        """Say what became of requests, and give their grants back, in one round trip. Never raises."""
        for told in reports:
            self._own.tell(told)
        calls = [(_keys(told.name), _said(told, self._own.spread())) for told in reports]
        shut = await self._run(TELL, calls)
        for told, wait_ms in zip(reports, shut or (), strict=False):
            self._own.follow(told.name, wait_ms / 1000)

    async def _run(self, script: Script, calls: Sequence[Arguments]) -> list[Any] | None:
        """What the script returns for each call; None without Redis, which is then left alone for a while."""
        if time.monotonic() < self._away_until:
            return None
        try:
            return await run_all(self._redis, script, calls)
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = time.monotonic() + AWAY_S
            _log.warning("outbound.gates_without_redis", error=error.__class__.__name__)
            return None


def _keys(name: str) -> list[str]:
    return [f"gate:{{{name}}}", f"gate:{{{name}}}:held"]


def _terms(want: Want, id: str) -> list[str | int | float]:
    rate, limits = want.limits.rate_per_second, want.limits
    interval, burst = (1000 / rate, max(1, round(rate))) if rate else (0, 0)
    return [want.count, interval, burst, limits.concurrency or 0, round(limits.hold_s * 1000), id]


def _said(told: Report, spread: float) -> list[str | int | float]:
    pause_ms = round(told.pause_s * 1000)
    return [told.succeeded, told.failed, pause_ms, FAILURES, OPEN_MS, LONGEST_MS, spread, *told.ids]
