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
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, cast
from uuid import UUID

from redis.asyncio import Redis
from tochka_sdk import clock
from tochka_sdk.errors import DomainError

from tochka_core.accounts import browsers
from tochka_core.accounts.browsers import NO_BROWSER, Browser
from tochka_core.accounts.code_scripts import CONFIRM, HAND_OVER, ISSUE, OPEN
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

Purpose = Literal["sign-in", "reauthentication", "phone-change", "old-phone"]
"""What a code is good for, and for nothing else."""

CODE_LENGTH = 6
TOMBSTONE_S = 600  # how long a used or expired challenge is still told from an unknown one
HOUR_MS = 3600 * 1000
DAY_MS = 24 * HOUR_MS
MOST_BROWSERS = 10  # known for a phone: the newest
OWN: frozenset[Purpose] = frozenset({"reauthentication", "old-phone"})
"""Purposes for which only the one whose phone it is can ask, signed in."""


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


class Pressed(Exception):
    """The same request was made before: with the challenge `id`."""

    def __init__(self, id: UUID) -> None:
        super().__init__(str(id))
        self.id = id


@dataclass(frozen=True, slots=True)
class Challenges:
    """The store; `pepper` keys every digest.

    A phone's caps count what was *not* answered: a code that is typed back correctly proves that its owner
    asked for it, and clears the counters, so that signing in again and again is not held up. They are counted
    apart for a browser in which the number was proven before, for a chat in which it just was, and for
    somebody who is signed in: strangers who ask and guess shut none of those out.
    """

    redis: Redis
    pepper: bytes
    quotas: Quotas

    @property
    def kept_s(self) -> int:
        """How long a challenge is remembered after its last code was made."""
        return self.quotas.code_seconds + TOMBSTONE_S

    async def open(self, challenge: Challenge, *, sends: bool, key: str | None = None) -> Issued:
        """Store a new challenge, with a fresh code if that `sends` one: a link alone counts as nothing.

        Of the same request with the same `key` one opens its challenge, whatever breaks on the way: the key
        is taken in the step that makes the code, when the challenge is there already.

        Raises:
            TooManyCodes: the phone was sent enough codes that nobody typed.
            Pressed: the request was made before; this challenge is none.
            KeyReused: it was another request.
        """
        fields = [challenge.phone, challenge.channel, challenge.delivery, challenge.browser]
        bound = "1" if challenge.is_bound else ""
        about = [challenge.purpose, challenge.subject]
        args: list[str | int] = [self.kept_s * 1000, *fields, bound, *about]
        await OPEN.run(self.redis, keys=[_key(challenge.id)], args=args)
        try:
            return await self._issue(challenge, sends=sends, is_first=True, key=key)
        except (DomainError, Pressed):
            await self.redis.delete(_key(challenge.id))
            raise

    async def require_first(self, challenge: Challenge, key: str) -> None:
        """Raises `Pressed` or `KeyReused` for a request that was made before.

        Keys are a phone's own: nobody is signed in yet whose they could be.
        """
        said = await self.redis.get(self._press(challenge, key))
        if said is not None:
            raise self._pressed(challenge, str(said))

    def _pressed(self, challenge: Challenge, said: str) -> Pressed:
        asked = _asked(challenge)
        if not said.startswith(asked):
            raise KeyReused
        return Pressed(UUID(said.removeprefix(asked)))

    def _press(self, challenge: Challenge, key: str) -> str:
        press = f"asked|{challenge.phone}|{challenge.purpose}|{challenge.subject}|{key}"
        digest = hmac.new(self.pepper, press.encode(), hashlib.sha256).hexdigest()
        return f"asked:{{{self._tag(challenge.phone)}}}:{digest}"

    async def times(self, challenge: Challenge) -> tuple[datetime, datetime]:
        """When the code expires and when another may be sent."""
        key = _code_key(self._tag(challenge.phone), challenge.id)
        expires, resend = await self.redis.hmget(key, ["expires", "resend"])
        now = clock.now().timestamp() * 1000
        return _moment(expires or now), _moment(resend or now)

    async def renew(self, challenge: Challenge, *, sends: bool) -> Issued:
        """A fresh code in the place of the old one, if that `sends` one; tries that were spent stay spent.

        Raises:
            TooManyCodes: too soon, or too many for this phone.
            CodeUsed, TooManyTries, ChallengeUnknown: there is nothing to renew.
        """
        issued = await self._issue(challenge, sends=sends, is_again=True)
        await self.redis.pexpire(_key(challenge.id), self.kept_s * 1000)
        return issued

    async def hand_over(self, challenge: Challenge, chat: str) -> Issued:
        """A fresh code for somebody whose number a bot has just seen proven, in this chat.

        Raises:
            TooManyCodes: the chat got enough codes that nobody typed.
            CodeUsed, TooManyTries, ChallengeUnknown: there is nothing to hand over.
        """
        issued = await self._issue(replace(challenge, chat=chat), sends=True)
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
        if not self._is_shown(challenge, browser):
            raise ChallengeUnknown

    def _is_shown(self, challenge: Challenge, browser: Browser) -> bool:
        """Whether the browser has brought the secret of the challenge."""
        return browser.secret is not None and hmac.compare_digest(
            browsers.mark(browser.secret, self.pepper), challenge.browser
        )

    async def consume(self, challenge: Challenge, code: str, browser: Browser = NO_BROWSER) -> None:
        """Spend a try; return only for the one caller who brought the right code first. The browser in which
        it was typed is known for this phone from then on.

        Raises:
            CodeWrong, CodeExpired, CodeUsed, TooManyTries, ChallengeUnknown: all others.
        """
        args: list[str | int] = [
            self._mac(challenge, code),
            HOUR_MS,
            DAY_MS,
            self.quotas.phone_failures_hour,
            self.quotas.phone_failures_day,
            challenge.browser,
            browsers.KEPT_S,
            "1" if self._is_shown(challenge, browser) else "",
            MOST_BROWSERS,
        ]
        keys = self._keys(challenge, "failures", "sends")
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

    async def _issue(
        self,
        challenge: Challenge,
        *,
        sends: bool,
        is_first: bool = False,
        is_again: bool = False,
        key: str | None = None,
    ) -> Issued:
        code = f"{secrets.randbelow(10**CODE_LENGTH):0{CODE_LENGTH}d}"
        args: list[str | int] = [
            self._mac(challenge, code) if sends else "",
            "1" if is_first else "",
            "1" if is_again else "",
            self.quotas.code_tries,
            self.quotas.code_seconds * 1000,
            self.quotas.resend_seconds * 1000,
            self.kept_s * 1000,
            HOUR_MS,
            DAY_MS,
            self.quotas.phone_codes_hour,
            self.quotas.phone_codes_day,
            challenge.browser,
            browsers.KEPT_S,
        ]
        keys = self._keys(challenge, "sends")
        if key is not None:
            keys.append(self._press(challenge, key))
            args += [f"{_asked(challenge)}{challenge.id}", self.quotas.code_seconds]
        verdict, *told = await ISSUE.run(self.redis, keys=keys, args=args)
        if verdict == "pressed":
            raise self._pressed(challenge, str(told[0]))
        if verdict != "ok":
            _refuse(verdict, int(told[0]))
        return Issued(code, _moment(told[0]), _moment(told[1]))

    def _keys(self, challenge: Challenge, *counters: str) -> list[str]:
        """The code, the marks of browsers, the counters of the challenge's lane, and of those with a mark."""
        tag = self._tag(challenge.phone)
        lane = ":chat" if challenge.chat else ":own" if challenge.purpose in OWN else ""
        lanes = [
            f"{name}-{window}:{{{tag}}}{which}"
            for which in (lane, lane or ":proven")
            for name in counters
            for window in ("hour", "day")
        ]
        return [_code_key(tag, challenge.id), f"proven:{{{tag}}}", *lanes]

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


def _asked(challenge: Challenge) -> str:
    """What a press says besides its challenge: the same key with something else is another request."""
    return f"{challenge.channel}|{challenge.delivery}|"
