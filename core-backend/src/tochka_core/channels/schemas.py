"""What goes over a channel, and what comes back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

ChannelKind = Literal["max", "telegram"]
Carrier = Literal["inbox", "messenger", "bot", "sms"]
Locale = Literal["ru", "en"]


class Link(BaseModel):
    """A way to the messenger's bot, for channels that need the person to open it first."""

    channel: ChannelKind
    url: str


class InboxMessage(BaseModel):
    """One message that would have gone out."""

    phone: str
    channel: ChannelKind
    text: str
    code: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """A code on its way to a phone, or a notice, whose `code` is empty. `reference` names the sending, for
    channels that can drop repetitions.
    """

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


@dataclass(frozen=True, slots=True)
class Opened:
    """Somebody followed a link to the bot; `nonce` is what the link carried."""

    nonce: str


@dataclass(frozen=True, slots=True)
class ContactProven:
    """Somebody shared the number of the very account that writes; `phone` starts with a plus."""

    phone: str


@dataclass(frozen=True, slots=True)
class ContactRefused:
    """Somebody shared a contact that proves nothing; `reason` is for the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class Chatter:
    """Anything else that somebody wrote to the bot."""


@dataclass(frozen=True, slots=True)
class Update:
    """One thing that happened to a bot. `id` is the same whenever the messenger tells it again."""

    id: str
    chat: str
    locale: Locale
    what: Opened | ContactProven | ContactRefused | Chatter


@dataclass(frozen=True, slots=True)
class Batch:
    """What a poll brought, and the mark from which the next one goes on."""

    updates: tuple[Update, ...]
    marker: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at a channel's settings came to, for its operator."""

    is_well: bool
    sentence: str
