"""The bot handshake: from a link with a nonce to a code in the messenger of the person whose phone it is.

1. The answer to a challenge carries a link; its nonce stands for the challenge and says nothing about it.
2. Whoever follows it is asked by the bot for the number of the account. The channel checks that the messenger
   vouches for the number (`ContactProven`).
3. Only the number of the challenge gets a code, in that chat; it is typed back in the browser. Nothing is
   ever confirmed by a press: what is pressed may have been asked for by somebody else.

An update is marked as seen before it is acted on, so that one which is told twice has one effect.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import ceil
from uuid import UUID

import orjson
from redis.asyncio import Redis
from tochka_sdk import logs
from tochka_sdk.errors import DomainError, TooManyRequests, Unavailable

from tochka_core.accounts import budgets, phones
from tochka_core.accounts.codes import Challenge, Challenges
from tochka_core.accounts.errors import PhoneInvalid, PhoneNotMobile
from tochka_core.channels.errors import NoSuchBot, UpdateUnreadable
from tochka_core.channels.public import BotChannel
from tochka_core.channels.schemas import (
    Accepted,
    ChannelKind,
    Chatter,
    ContactProven,
    ContactRefused,
    Link,
    Locale,
    Opened,
    Outcome,
    Update,
)
from tochka_core.quotas import Quotas
from tochka_core.resources import Resources
from tochka_core.scripts import Script

NONCE_BYTES = 16
SEEN_S = 24 * 3600  # longer than any messenger goes on repeating an update
MINUTE_S = 60
COUNT = Script(
    """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return count
"""
)
_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Words:
    """What the bot says in one language."""

    ask: str
    button: str
    code: str
    confirmation: str
    stale: str
    later: str
    not_own: str
    other_phone: str
    hello: str


WORDS: Mapping[Locale, Words] = {
    "ru": Words(
        ask="Точка Роста: чтобы получить код для входа, подтвердите свой номер кнопкой ниже. "
        "Если вы не входили на сайт, ничего не нажимайте.",
        button="Поделиться номером",
        code="Точка Роста: {code} — ваш код для входа. Введите его там, откуда пришли. "
        "Никому его не сообщайте, сотрудники о нём не спрашивают.",
        confirmation="Точка Роста: {code} — код для смены номера или другого важного действия. "
        "Если вы ничего не меняете, никому его не сообщайте и проверьте свои сессии на сайте.",
        stale="Ссылка устарела. Вернитесь на сайт и запросите код ещё раз: {url}",
        later="Слишком много кодов или попыток. Запросите код на сайте ещё раз через {minutes} мин: {url}",
        not_own="Нужен номер этого аккаунта: нажмите кнопку «Поделиться номером».",
        other_phone="На сайте введён другой номер. Вернитесь туда и проверьте его: {url}",
        hello="Здесь только коды для входа. Начните на сайте: {url}",
    ),
    "en": Words(
        ask="Tochka Rosta: to get your sign-in code, confirm your number with the button below. "
        "If you are not signing in, press nothing.",
        button="Share my number",
        code="Tochka Rosta: {code} is your sign-in code. Type it where you came from. "
        "Tell it to nobody; our people never ask for it.",
        confirmation="Tochka Rosta: {code} is the code for changing your number, or something else that "
        "matters. If you are changing nothing, tell it to nobody and look at your sessions on the site.",
        stale="The link is too old. Go back to the site and ask for a code again: {url}",
        later="Too many codes or tries. Ask for a code on the site again in {minutes} min: {url}",
        not_own="The number of this very account is needed: press «Share my number».",
        other_phone="Another number was typed on the site. Go back there and check it: {url}",
        hello="There are only sign-in codes here. Begin on the site: {url}",
    ),
}


def words_with(challenge: Challenge, code: str, locale: Locale) -> str:
    """The message that carries a code; it says what for, so that nobody gives one away for another."""
    words = WORDS[locale]
    return (words.code if challenge.purpose == "sign-in" else words.confirmation).format(code=code)


@dataclass(frozen=True, slots=True)
class Handshakes:
    """What is remembered between the steps, in Redis; `pepper` keys nonces and names."""

    redis: Redis
    pepper: bytes
    quotas: Quotas

    def nonce(self, challenge_id: UUID) -> str:
        """What the link of a challenge carries: the same each time, and not to be guessed."""
        return self._digest("link", str(challenge_id))

    async def open(self, challenge_id: UUID) -> None:
        """Let the link of this challenge work for a while."""
        await self.redis.set(
            f"handshake:{self.nonce(challenge_id)}", str(challenge_id), ex=self.quotas.code_seconds
        )

    async def meet(self, kind: ChannelKind, chat: str, nonce: str) -> bool:
        """Note for which challenge this chat is asked for its number; False for a link that does not work."""
        found = await self.redis.get(f"handshake:{nonce}")
        if found is None:
            return False
        await self.redis.set(self._name("asking", kind, chat), found, ex=self.quotas.code_seconds)
        return True

    async def take(self, kind: ChannelKind, chat: str) -> UUID | None:
        """The challenge for which the chat was asked, once."""
        found = await self.redis.getdel(self._name("asking", kind, chat))
        return None if found is None else UUID(str(found))

    async def is_new(self, kind: ChannelKind, update_id: str) -> bool:
        """Mark an update as seen; False if it was."""
        return bool(await self.redis.set(self._name("seen", kind, update_id), "1", nx=True, ex=SEEN_S))

    async def may_answer(self, kind: ChannelKind, chat: str) -> bool:
        """Count an answer to this chat; False if it had enough of them for now. Messengers let a bot say so
        much in a second, to everybody: whoever chatters must not use that up for those who wait for a code.
        """
        count = await COUNT.run(self.redis, keys=[self._name("answered", kind, chat)], args=[MINUTE_S])
        return int(count) <= self.quotas.chat_answers_minute

    async def forget(self, kind: ChannelKind, update_id: str) -> None:
        """Take the mark away, since nothing came of the update."""
        await self.redis.delete(self._name("seen", kind, update_id))

    def _name(self, what: str, kind: ChannelKind, id: str) -> str:
        return f"{what}:{kind}:{self._digest(what, kind, id)}"

    def _digest(self, *parts: str) -> str:
        digest = hmac.digest(self.pepper, "|".join(parts).encode(), hashlib.sha256)
        return urlsafe_b64encode(digest[:NONCE_BYTES]).decode().rstrip("=")


def store_of(resources: Resources) -> Handshakes:
    """The store of this process."""
    return Handshakes(resources.redis, resources.keyring.code_pepper, resources.quotas)


def note(kind: ChannelKind, phone: str, outcome: Outcome) -> None:
    """Log what became of a code, unless all is well."""
    if not isinstance(outcome, Accepted):
        name = type(outcome).__name__.lower()
        _log.warning("accounts.code_not_accepted", channel=kind, outcome=name, phone=phone, **asdict(outcome))


def links_of(resources: Resources, challenge: Challenge) -> list[Link]:
    """Where the code of a challenge is to be had; empty when it comes by itself."""
    bot = resources.channels.bots.get(challenge.channel)
    if bot is None:
        return []
    nonce = store_of(resources).nonce(challenge.id)
    return [Link(channel=challenge.channel, url=bot.link(nonce))]


def messenger_account(challenge: Challenge) -> str | None:
    """The account of the messenger that got the code of a challenge; None where no bot is asked."""
    return challenge.chat.partition(":")[2] or None


async def send_to_chat(resources: Resources, challenge: Challenge, code: str) -> bool:
    """Write another code to somebody whose number is proven; False if it is not."""
    locale, _, chat = challenge.chat.partition(":")
    if not chat:
        return False
    text = words_with(challenge, code, "en" if locale == "en" else "ru")
    outcome = await resources.channels.bots[challenge.channel].say(chat, text)
    note(challenge.channel, challenge.phone, outcome)
    return True


def require_bot(
    resources: Resources, kind: str, headers: Mapping[str, str]
) -> tuple[ChannelKind, BotChannel]:
    """The bot to whom a messenger calls, if it shows the secret that it was given.

    Raises:
        NoSuchBot: there is none, or it is polled, or the secret is another.
    """
    for known, bot in resources.channels.bots.items():
        if known == kind and bot.webhook_secret is not None:
            shown = headers.get(bot.secret_header, "").encode()
            if hmac.compare_digest(shown, bot.webhook_secret):
                return known, bot
    raise NoSuchBot


async def receive(resources: Resources, kind: ChannelKind, bot: BotChannel, body: bytes) -> None:
    """Act on an update that came by webhook.

    Raises:
        UpdateUnreadable: not a JSON object.
    """
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise UpdateUnreadable from None
    if not isinstance(told, dict):
        raise UpdateUnreadable
    update = bot.read(told)
    if update is not None:
        await act(resources, kind, update)


async def act(resources: Resources, kind: ChannelKind, update: Update) -> None:
    """Do what an update asks for, once: an answer that may have gone out is not sent again."""
    store = store_of(resources)
    known_as = f"{resources.channels.bots[kind].name}|{update.id}"
    if not await store.is_new(kind, known_as):
        return
    try:
        await _act(resources, store, kind, update)
    except Exception:  # messengers do not raise, so nothing has gone out
        await store.forget(kind, known_as)
        raise


async def _act(resources: Resources, store: Handshakes, kind: ChannelKind, update: Update) -> None:
    if not await store.may_answer(kind, update.chat):
        return
    bot, words, url = resources.channels.bots[kind], WORDS[update.locale], resources.addresses.public_url
    match update.what:
        case Opened(nonce) if await store.meet(kind, update.chat, nonce):
            outcome = await bot.ask_contact(update.chat, words.ask, words.button)
        case Opened():
            outcome = await bot.say(update.chat, words.stale.format(url=url))
        case ContactProven(phone):
            text = await _code_for(resources, store, kind, update, phone)
            outcome = await bot.say(update.chat, text)
        case ContactRefused(reason):
            _log.warning("accounts.contact_refused", channel=kind, reason=reason)
            outcome = await bot.ask_contact(update.chat, words.not_own, words.button)
        case Chatter():
            outcome = await bot.say(update.chat, words.hello.format(url=url))
    if not isinstance(outcome, Accepted):
        name = type(outcome).__name__.lower()
        _log.warning("accounts.bot_not_heard", channel=kind, outcome=name, **asdict(outcome))


async def _code_for(
    resources: Resources, store: Handshakes, kind: ChannelKind, update: Update, phone: str
) -> str:
    """What to tell somebody with a proven number: a fresh code, if the challenge is about that number."""
    words, url = WORDS[update.locale], resources.addresses.public_url
    challenges = Challenges(resources.redis, resources.keyring.code_pepper, resources.quotas)
    challenge_id = await store.take(kind, update.chat)
    if challenge_id is None:
        return words.stale.format(url=url)
    try:
        known = await challenges.get(challenge_id)
        if known.channel != kind or not _is_same(phone, known):
            _log.info("accounts.another_phone_proven", channel=kind)
            return words.other_phone.format(url=url)
        async with budgets.spending(resources.redis, resources.quotas, kind, known.phone):
            issued = await challenges.hand_over(known, f"{update.locale}:{update.chat}")
    except DomainError as refusal:
        _log.info("accounts.handshake_refused", channel=kind, code=refusal.code)
        if isinstance(refusal, TooManyRequests | Unavailable):
            return words.later.format(minutes=ceil(refusal.retry_after / 60), url=url)
        return words.stale.format(url=url)
    return words_with(known, issued.code, update.locale)


def _is_same(phone: str, known: Challenge) -> bool:
    try:
        return phones.normalise(phone) == known.phone
    except (PhoneInvalid, PhoneNotMobile):
        return False
