"""Challenges and their codes in Redis: shared by all instances, gone after their time.

A challenge is `challenge:{id}` (phone, channel, delivery, browser, purpose, chat; never the code). Its code
and the counters of its phone live in one slot, tagged with a keyed digest of the phone, so that one script
can count, compare and consume. What is stored of a code is HMAC-SHA256(pepper,
id|phone|purpose|subject|code). The clock is Redis' own.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast
from uuid import UUID

from redis.asyncio import Redis
from tochka_sdk import clock

from tochka_core.accounts import browsers
from tochka_core.accounts.browsers import Browser
from tochka_core.accounts.errors import (
    ChallengeUnknown,
    CodeExpired,
    CodeUsed,
    CodeWrong,
    TooManyCodes,
    TooManyTries,
)
from tochka_core.accounts.schemas import TokenDelivery
from tochka_core.channels.schemas import ChannelKind
from tochka_core.idempotency.errors import KeyReused
from tochka_core.quotas import Quotas
from tochka_core.scripts import Script

Purpose = Literal["sign-in", "reauthentication", "phone-change", "old-phone"]
"""What a code is good for, and for nothing else."""

CODE_LENGTH = 6
TOMBSTONE_S = 600  # how long a used or expired challenge is still told from an unknown one
HOUR_MS = 3600 * 1000
DAY_MS = 24 * HOUR_MS

CLOCK = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function stamp(ms) return string.format('%.0f', ms) end
local function count(key, window)
  if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, window) end
end
local function blocked(key, cap)
  if tonumber(redis.call('GET', key) or '0') >= tonumber(cap) then return redis.call('PTTL', key) end
  return 0
end
"""

OPEN = Script(
    """
redis.call('HSET', KEYS[1], 'phone', ARGV[2], 'channel', ARGV[3], 'delivery', ARGV[4],
  'browser', ARGV[5], 'bound', ARGV[6], 'purpose', ARGV[7], 'subject', ARGV[8])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
)

# A challenge that has just gone stays gone: what is left of it could not be answered.
HAND_OVER = Script(
    """
if redis.call('PEXPIRE', KEYS[1], ARGV[2]) == 1 then redis.call('HSET', KEYS[1], 'chat', ARGV[1]) end
"""
)

CLAIM = Script(
    """
local first = redis.call('GET', KEYS[1])
if first then return first end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return ARGV[1]
"""
)

# KEYS: code, sends in an hour, sends in a day
# ARGV: mac, "new", "again" or "asked" (for a link that was counted when it was made), tries, code ms,
# cooldown ms, kept ms, hour ms, day ms, caps per hour and day
ISSUE = Script(
    CLOCK
    + """
if ARGV[2] ~= 'new' then
  local seen = redis.call('HMGET', KEYS[1], 'state', 'tries', 'resend')
  if not seen[1] then return {'unknown', 0} end
  if seen[1] == 'used' then return {'used', 0} end
  local wait = math.max(tonumber(seen[3]) - now, 0)
  if tonumber(seen[2]) <= 0 then return {'exhausted', math.max(wait, 1)} end
  if wait > 0 and ARGV[2] == 'again' then return {'early', wait} end
end
if ARGV[2] ~= 'asked' then
  local wait = math.max(blocked(KEYS[2], ARGV[9]), blocked(KEYS[3], ARGV[10]))
  if wait > 0 then return {'early', wait} end
  count(KEYS[2], ARGV[7])
  count(KEYS[3], ARGV[8])
end
redis.call('HSET', KEYS[1], 'mac', ARGV[1], 'state', 'open',
  'expires', stamp(now + ARGV[4]), 'resend', stamp(now + ARGV[5]))
if ARGV[2] == 'new' then redis.call('HSET', KEYS[1], 'tries', ARGV[3]) end
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return {'ok', stamp(now + ARGV[4]), stamp(now + ARGV[5])}
"""
)

# KEYS: code, failures in an hour, failures in a day, sends in an hour, sends in a day
# ARGV: mac, hour ms, day ms, cap per hour, cap per day
CONFIRM = Script(
    CLOCK
    + """
local function refuse(wait) return {'exhausted', wait, redis.call('HSETNX', KEYS[1], 'refused', 1)} end
local seen = redis.call('HMGET', KEYS[1], 'state', 'tries', 'expires', 'mac', 'resend')
if not seen[1] then return {'unknown', 0} end
if seen[1] == 'used' then return {'used', 0} end
if tonumber(seen[2]) <= 0 then return refuse(math.max(tonumber(seen[5]) - now, 1)) end
if tonumber(seen[3]) <= now then return {'expired', 0} end
local wait = math.max(blocked(KEYS[2], ARGV[4]), blocked(KEYS[3], ARGV[5]))
if wait > 0 then return refuse(wait) end
local left = redis.call('HINCRBY', KEYS[1], 'tries', -1)
count(KEYS[2], ARGV[2])
count(KEYS[3], ARGV[3])
if seen[4] ~= ARGV[1] then return {'wrong', left} end
redis.call('HDEL', KEYS[1], 'mac')
redis.call('HSET', KEYS[1], 'state', 'used')
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
return {'ok', 0}
"""
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is known of a challenge besides its code.

    `browser` is the mark of the browser's secret; `is_bound` says that a browser asked, so that no program
    can answer. Both are empty for clients that get their tokens in the body. `subject` is the id of what the
    code is about, where it is not for signing in. `chat` is where a bot has handed its code over, in which
    language (`locale:chat`); empty until then, and where no bot is asked.
    """

    id: UUID
    phone: str
    channel: ChannelKind
    delivery: TokenDelivery
    browser: str = ""
    is_bound: bool = False
    purpose: Purpose = "sign-in"
    subject: str = ""
    chat: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """A code that is to be sent, and until when it holds."""

    code: str
    expires_at: datetime
    resend_at: datetime


@dataclass(frozen=True, slots=True)
class Challenges:
    """The store; `pepper` keys every digest.

    A phone's caps count what was *not* answered: a code that is typed back correctly proves that its owner
    asked for it, and clears the phone's counters, so that signing in again and again is not held up.
    """

    redis: Redis
    pepper: bytes
    quotas: Quotas

    @property
    def kept_s(self) -> int:
        """How long a challenge is remembered after its last code was made."""
        return self.quotas.code_seconds + TOMBSTONE_S

    async def open(self, challenge: Challenge) -> Issued:
        """Store a new challenge with a fresh code.

        Raises:
            TooManyCodes: the phone was sent enough codes that nobody typed.
        """
        issued = await self._issue(challenge, "new")
        fields = [challenge.phone, challenge.channel, challenge.delivery, challenge.browser]
        bound = "1" if challenge.is_bound else ""
        about = [challenge.purpose, challenge.subject]
        args: list[str | int] = [self.kept_s * 1000, *fields, bound, *about]
        await OPEN.run(self.redis, keys=[_key(challenge.id)], args=args)
        return issued

    async def claim(self, key: str, challenge: Challenge) -> UUID:
        """The challenge that the same request with this key has opened; its own id if this is the first.

        Keys are a phone's own: nobody is signed in yet whose they could be.

        Raises:
            KeyReused: this phone used the key for another channel, or to get its tokens another way.
        """
        asked = f"{challenge.channel}|{challenge.delivery}|"
        args: list[str | int] = [f"{asked}{challenge.id}", self.quotas.code_seconds]
        first = str(await CLAIM.run(self.redis, keys=[self._claim_key(key, challenge)], args=args))
        if not first.startswith(asked):
            raise KeyReused
        return UUID(first.removeprefix(asked))

    async def release(self, key: str, challenge: Challenge) -> None:
        """Forget the key of a request that was refused."""
        await self.redis.delete(self._claim_key(key, challenge))

    def _claim_key(self, key: str, challenge: Challenge) -> str:
        asked = f"asked|{challenge.phone}|{challenge.purpose}|{challenge.subject}|{key}"
        return f"asked:{{{hmac.new(self.pepper, asked.encode(), hashlib.sha256).hexdigest()}}}"

    async def times(self, challenge: Challenge) -> tuple[datetime, datetime]:
        """When the code expires and when another may be sent. For a code that is just being made: soon."""
        key = _code_key(self._tag(challenge.phone), challenge.id)
        expires, resend = await self.redis.hmget(key, ["expires", "resend"])
        now = clock.now().timestamp()
        return (
            _moment(expires or (now + self.quotas.code_seconds) * 1000),
            _moment(resend or (now + self.quotas.resend_seconds) * 1000),
        )

    async def renew(self, challenge: Challenge) -> Issued:
        """A fresh code in the place of the old one; the tries that were spent stay spent.

        Raises:
            TooManyCodes: too soon, or too many for this phone.
            CodeUsed, TooManyTries, ChallengeUnknown: there is nothing to renew.
        """
        issued = await self._issue(challenge, "again")
        await self.redis.pexpire(_key(challenge.id), self.kept_s * 1000)
        return issued

    async def hand_over(self, challenge: Challenge, chat: str) -> Issued:
        """A fresh code for somebody whose number a bot has just seen proven, in this chat; counted when the
        link was made.

        Raises:
            CodeUsed, TooManyTries, ChallengeUnknown: there is nothing to hand over.
        """
        issued = await self._issue(challenge, "asked")
        await HAND_OVER.run(self.redis, keys=[_key(challenge.id)], args=[chat, self.kept_s * 1000])
        return issued

    async def get(self, challenge_id: UUID) -> Challenge:
        """The challenge.

        Raises:
            ChallengeUnknown: there is none, or it was too long ago.
        """
        names = ["phone", "channel", "delivery", "browser", "bound", "purpose", "subject", "chat"]
        told: list[Any] = await self.redis.hmget(_key(challenge_id), names)
        phone, channel, delivery, browser, bound, purpose, *about = told
        if phone is None:
            raise ChallengeUnknown
        purpose = cast("Purpose", purpose or "sign-in")
        subject, chat = (value or "" for value in about)
        return Challenge(
            challenge_id, phone, channel, delivery, browser or "", bool(bound), purpose, subject, chat
        )

    def require_browser(self, challenge: Challenge, browser: Browser) -> None:
        """Let a browser go on with no challenge but its own.

        Raises:
            ChallengeUnknown: it asked for none, or another browser did, which is the same to it.
        """
        if challenge.delivery == "body" or not (challenge.is_bound or browser.is_one):
            return
        if not hmac.compare_digest(browsers.mark(browser.secret, self.pepper), challenge.browser):
            raise ChallengeUnknown

    async def consume(self, challenge: Challenge, code: str) -> None:
        """Spend a try; return only for the one caller who brought the right code first.

        Raises:
            CodeWrong, CodeExpired, CodeUsed, TooManyTries, ChallengeUnknown: all others.
        """
        tag = self._tag(challenge.phone)
        keys = [_code_key(tag, challenge.id), *_counters("failures", tag), *_counters("sends", tag)]
        args: list[str | int] = [
            self._mac(challenge, code),
            HOUR_MS,
            DAY_MS,
            self.quotas.phone_failures_hour,
            self.quotas.phone_failures_day,
        ]
        verdict, number, *first = await CONFIRM.run(self.redis, keys=keys, args=args)
        match verdict:
            case "ok":
                return
            case "wrong":
                raise CodeWrong(int(number))
            case "expired":
                raise CodeExpired
            case "exhausted":
                raise TooManyTries(int(number) / 1000, is_first=bool(first[0]))
            case _:
                _refuse(verdict, int(number))

    async def _issue(self, challenge: Challenge, mode: str) -> Issued:
        code = f"{secrets.randbelow(10**CODE_LENGTH):0{CODE_LENGTH}d}"
        tag = self._tag(challenge.phone)
        args: list[str | int] = [
            self._mac(challenge, code),
            mode,
            self.quotas.code_tries,
            self.quotas.code_seconds * 1000,
            self.quotas.resend_seconds * 1000,
            self.kept_s * 1000,
            HOUR_MS,
            DAY_MS,
            self.quotas.phone_codes_hour,
            self.quotas.phone_codes_day,
        ]
        keys = [_code_key(tag, challenge.id), *_counters("sends", tag)]
        verdict, *numbers = await ISSUE.run(self.redis, keys=keys, args=args)
        if verdict != "ok":
            _refuse(verdict, int(numbers[0]))
        return Issued(code, _moment(numbers[0]), _moment(numbers[1]))

    def _mac(self, challenge: Challenge, code: str) -> str:
        text = f"{challenge.id}|{challenge.phone}|{challenge.purpose}|{challenge.subject}|{code}"
        return hmac.new(self.pepper, text.encode(), hashlib.sha256).hexdigest()

    def _tag(self, phone: str) -> str:
        return tag(self.pepper, phone)


def tag(pepper: bytes, phone: str) -> str:
    """What stands for a phone in keys: not reversible without the pepper, though phones are few."""
    digest = hmac.digest(pepper, b"phone|" + phone.encode(), hashlib.sha256)
    return urlsafe_b64encode(digest[:15]).decode()


def _refuse(verdict: str, number: int) -> None:
    """Raise what a script's verdict means; `number` is in milliseconds."""
    match verdict:
        case "used":
            raise CodeUsed
        case "exhausted":
            raise TooManyTries(number / 1000)
        case "early":
            raise TooManyCodes(number / 1000)
        case _:
            raise ChallengeUnknown


def _moment(ms: str | bytes | float) -> datetime:
    return datetime.fromtimestamp(int(float(ms)) / 1000, UTC)


def _key(challenge_id: UUID) -> str:
    return f"challenge:{{{challenge_id}}}"


def _code_key(tag: str, challenge_id: UUID) -> str:
    return f"code:{{{tag}}}:{challenge_id}"


def _counters(name: str, tag: str) -> tuple[str, str]:
    return f"{name}-hour:{{{tag}}}", f"{name}-day:{{{tag}}}"
