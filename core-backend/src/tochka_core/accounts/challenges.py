"""Challenges: a code is asked for, sent, and typed back, each for one purpose and no other."""

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from tochka_sdk import logs
from tochka_sdk.ids import uuid7

from tochka_core.accounts import browsers, budgets, handshakes, phones
from tochka_core.accounts.browsers import NO_BROWSER, Browser, Caller
from tochka_core.accounts.codes import CODE_LENGTH, Challenge, Challenges, Issued, Pressed, Purpose
from tochka_core.accounts.errors import ChallengeUnknown, ChannelUnavailable, TooManyTries
from tochka_core.accounts.schemas import ChallengeCreate, ChallengeRead, ChannelRead, ChannelsRead
from tochka_core.audit import public as audit
from tochka_core.audit.public import Actor
from tochka_core.channels.public import KINDS
from tochka_core.channels.schemas import ChannelKind, Message
from tochka_core.resources import Resources

_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of asking for a code. `secret` is for the browser to keep."""

    read: ChallengeRead
    secret: str | None
    is_repeated: bool


def _store(resources: Resources) -> Challenges:
    return Challenges(resources.redis, resources.keyring.code_pepper, resources.quotas)


async def challenge(resources: Resources, new: ChallengeCreate, browser: Browser, key: str | None) -> Asked:
    """Send a code, unless the same request with the same key has done so: then its answer.

    Whether the phone is known is not looked at, so that it cannot show.
    """
    _require_channel(resources, new.channel)
    opened = Challenge(uuid7(), phones.normalise(new.phone), new.channel, new.token_delivery)
    return await ask(resources, opened, browser, key)


async def ask(
    resources: Resources, opened: Challenge, browser: Browser = NO_BROWSER, key: str | None = None
) -> Asked:
    """Send the first code of a challenge."""
    _require_channel(resources, opened.channel)
    store = _store(resources)
    opened = _bind(store, browser, opened)
    try:
        if key is not None:  # looked at before the budget, which must not refuse a repetition
            await store.require_first(opened, key)
        async with _spending(resources, opened):
            issued = await store.open(opened, sends=_sends(resources, opened), key=key)
    except Pressed as before:
        known = replace(opened, id=before.id)
        if not _sends(resources, known):  # whoever asked first may not have come that far
            await handshakes.store_of(resources).open(known.id)
        read = _read(resources, known, *await store.times(known))
        return _asked(store, browser, known, read, is_repeated=True)
    return _asked(store, browser, opened, await _send(resources, opened, issued), is_repeated=False)


def _sends(resources: Resources, challenge: Challenge) -> bool:
    """Whether a code goes out when it is asked for: a bot hands it over later, once it knows the chat."""
    return bool(challenge.chat) or challenge.channel in resources.channels.pushes


def _spending(resources: Resources, challenge: Challenge) -> AbstractAsyncContextManager[None]:
    if not _sends(resources, challenge):
        return nullcontext()
    return budgets.spending(resources.redis, resources.quotas, challenge.channel, challenge.phone)


def _secret(store: Challenges, browser: Browser, challenge: Challenge) -> str:
    return browser.secret or browsers.fresh_secret(str(challenge.id), store.pepper)


def _bind(store: Challenges, browser: Browser, challenge: Challenge) -> Challenge:
    """The challenge, bound to the browser that asks for it, unless it is for a native client."""
    if challenge.delivery == "body":
        return challenge
    mark = browsers.mark(_secret(store, browser, challenge), store.pepper)
    return replace(challenge, browser=mark, is_bound=browser.is_one)


def _asked(
    store: Challenges, browser: Browser, challenge: Challenge, read: ChallengeRead, *, is_repeated: bool
) -> Asked:
    secret = None if challenge.delivery == "body" else _secret(store, browser, challenge)
    return Asked(read, secret, is_repeated)


async def get_challenge(resources: Resources, challenge_id: UUID, browser: Browser) -> Challenge:
    """A challenge of this very browser."""
    store = _store(resources)
    known = await store.get(challenge_id)
    store.require_browser(known, browser)
    return known


async def resend(resources: Resources, challenge_id: UUID, browser: Browser) -> Asked:
    """Send a new code for a challenge; the code before it is dead from now on."""
    store = _store(resources)
    known = await get_challenge(resources, challenge_id, browser)
    _require_channel(resources, known.channel)
    async with _spending(resources, known):
        issued = await store.renew(known, sends=_sends(resources, known))
    return _asked(store, browser, known, await _send(resources, known, issued), is_repeated=False)


def _require_channel(resources: Resources, kind: ChannelKind) -> None:
    if kind not in resources.channels.carriers:
        raise ChannelUnavailable


def read_channels(resources: Resources) -> ChannelsRead:
    """What carries codes here, in the order in which people choose."""
    carriers = resources.channels.carriers
    told = [ChannelRead(channel=kind, carrier=carriers[kind]) for kind in KINDS if kind in carriers]
    return ChannelsRead(channels=told)


def tell_of_channels(resources: Resources) -> None:
    """Say at the start of a process what carries codes, and that nobody will be able to sign in, if so."""
    carriers = resources.channels.carriers
    if carriers:
        _log.info("accounts.channels", **carriers)
    else:
        _log.warning("accounts.no_channel", detail="nothing is set up that carries codes: nobody can sign in")


async def _send(resources: Resources, challenge: Challenge, issued: Issued) -> ChallengeRead:
    """Push the code; or hand it to the bot's chat, or else open the way there: the code is then made anew."""
    kind = challenge.channel
    push = resources.channels.pushes.get(kind)
    if push is not None:
        text = handshakes.words_with(challenge, issued.code, "ru")
        outcome = await push.send(Message(str(uuid7()), challenge.phone, issued.code, text))
        handshakes.note(kind, challenge.phone, outcome)
    elif not await handshakes.send_to_chat(resources, challenge, issued.code):
        await handshakes.store_of(resources).open(challenge.id)
    return _read(resources, challenge, issued.expires_at, issued.resend_at)


def _read(
    resources: Resources, challenge: Challenge, expires_at: datetime, resend_at: datetime
) -> ChallengeRead:
    links = handshakes.links_of(resources, challenge)
    if links:  # the code is made when the bot is asked for it, and lives as long again
        expires_at += timedelta(seconds=resources.quotas.code_seconds)
    return ChallengeRead(
        challenge_id=challenge.id,
        channel=challenge.channel,
        carrier=resources.channels.carriers[challenge.channel],
        links=links,
        code_length=CODE_LENGTH,
        expires_at=expires_at,
        resend_at=resend_at,
    )


async def consume_code(
    resources: Resources,
    challenge_id: UUID,
    code: str,
    caller: Caller,
    *,
    purpose: Purpose = "sign-in",
    subject: UUID | None = None,
) -> Challenge:
    """The challenge, for the one caller who brings its code first; an error for all others.

    A challenge that is for something else is unknown here, and keeps its tries.
    """
    known = await get_challenge(resources, challenge_id, caller.browser)
    if (known.purpose, known.subject) != (purpose, str(subject or "")):
        raise ChallengeUnknown
    store = _store(resources)
    try:
        await store.consume(known, code, caller.browser)
    except TooManyTries as error:
        if error.is_first:
            await _record_refusal(resources, known, caller.address)
        raise
    return known


async def _record_refusal(resources: Resources, refused: Challenge, address: str | None) -> None:
    """Write down that somebody guesses."""
    async with resources.connections.system("records that somebody unknown guesses codes") as connection:
        await audit.record_guesses(
            connection,
            "codes.refused",
            refused.phone,
            by=Actor(address=address),
            subject_id=refused.id,
            data={"channel": refused.channel},
        )
