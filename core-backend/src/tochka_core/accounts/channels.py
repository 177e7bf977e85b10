"""The port through which codes leave, and the development inbox behind it.

A channel takes a message and says what became of it. `Uncertain` means that nobody knows (a timeout, a 5xx):
it is never repeated by itself, since the person may have the message already. None of the three is told to
whoever asked for the code, because it would tell who uses which messenger.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

from redis.asyncio import Redis
from tochka_sdk import clock, logs

from tochka_core.accounts.errors import ChannelUnavailable
from tochka_core.accounts.schemas import ChannelKind, InboxMessage
from tochka_core.resources import Resources

INBOX_TTL_S = 24 * 3600
INBOX_MOST = (20, 100)  # of one phone, of all
PUT = """
for number, key in ipairs(KEYS) do
  redis.call('LPUSH', key, ARGV[1])
  redis.call('LTRIM', key, 0, ARGV[2 + number] - 1)
  redis.call('EXPIRE', key, ARGV[2])
end
"""
TEXT = "Точка Роста: {code} — ваш код для входа. Никому его не сообщайте, сотрудники о нём не спрашивают."
_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """A code on its way to a phone. `reference` names the sending, for channels that can drop repetitions."""

    reference: str
    phone: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The channel took the message."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The channel will not deliver it; `reason` is for the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Nobody knows whether it was taken; `reason` is for the log."""

    reason: str


Outcome = Accepted | Rejected | Uncertain


class CodeChannel(Protocol):
    """A messenger that carries codes."""

    @property
    def kind(self) -> ChannelKind:
        """Which of the contract's channels it is."""
        ...

    async def send(self, message: Message) -> Outcome:
        """Send once; never raise for what the messenger does."""
        ...


@dataclass(frozen=True, slots=True)
class DevelopmentInbox:
    """Keeps messages in Redis for a page to show: what would have gone out over the messenger."""

    kind: ChannelKind
    redis: Redis

    async def send(self, message: Message) -> Outcome:
        """Put the message on top of its phone's list and of the list of all."""
        shown = {
            "phone": message.phone,
            "channel": self.kind,
            "text": message.text,
            "code": message.code,
            "sent_at": clock.now().isoformat(),
        }
        line = json.dumps(shown, ensure_ascii=False)
        keys = [_inbox_key(message.phone), _inbox_key()]
        await self.redis.register_script(PUT)(keys=keys, args=[line, INBOX_TTL_S, *INBOX_MOST])
        return Accepted()


def _inbox_key(phone: str | None = None) -> str:
    return "{inbox}:all" if phone is None else f"{{inbox}}:of:{phone}"


async def read_inbox(redis: Redis, phone: str | None) -> list[InboxMessage]:
    """What went to a phone, or to all, newest first."""
    lines = await redis.lrange(_inbox_key(phone), 0, -1)
    return [InboxMessage.model_validate_json(line) for line in lines]


def channels_of(resources: Resources) -> Mapping[ChannelKind, CodeChannel]:
    """The channels that are set up."""
    if not resources.dev_inbox:
        return {}
    return {
        "max": DevelopmentInbox("max", resources.redis),
        "telegram": DevelopmentInbox("telegram", resources.redis),
    }


def get_channel(resources: Resources, kind: ChannelKind) -> CodeChannel:
    """The channel of this kind.

    Raises:
        ChannelUnavailable: it is not set up.
    """
    channel = channels_of(resources).get(kind)
    if channel is None:
        raise ChannelUnavailable
    return channel


def warn_without_channels(resources: Resources) -> None:
    """Say at the start of a process that nobody will be able to sign in, if so."""
    if not channels_of(resources):
        _log.warning("accounts.no_channel", detail="nothing is set up that carries codes: nobody can sign in")


async def deliver(channel: CodeChannel, message: Message) -> None:
    """Hand the message over, and log what became of it."""
    outcome = await channel.send(message)
    if not isinstance(outcome, Accepted):
        _log.warning(
            "accounts.code_not_accepted",
            channel=channel.kind,
            outcome=type(outcome).__name__.lower(),
            phone=message.phone,
            **asdict(outcome),
        )
