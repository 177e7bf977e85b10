"""The port: the two shapes of a channel.

*Push* reaches a phone by itself. *Bot handshake* does not: messengers let a bot write only to those who wrote
to it, so the person follows a link to the bot, shares the number of the account, and gets the code there.

A channel says what became of a message and never raises for what the messenger does. `Uncertain` means that
nobody knows (a timeout, a 5xx): it is never repeated by itself, since the person may have the message
already. None of the three outcomes is told to whoever asked for the code: it would tell who uses which
messenger.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tochka_core.channels.schemas import (
    Batch,
    Carrier,
    ChannelKind,
    Finding,
    Message,
    Outcome,
    Update,
)


class PushChannel(Protocol):
    """Carries a code to a phone."""

    @property
    def carrier(self) -> Carrier:
        """How the code arrives."""
        ...

    async def send(self, message: Message) -> Outcome:
        """Send once."""
        ...

    async def check(self) -> Finding:
        """Whether the messenger takes our word, asked without sending or paying anything."""
        ...


class BotChannel(Protocol):
    """A bot that people write to first."""

    @property
    def name(self) -> str:
        """Its name in addresses."""
        ...

    @property
    def webhook_secret(self) -> bytes | None:
        """What the messenger shows when it calls; None: updates are polled for."""
        ...

    @property
    def secret_header(self) -> str:
        """The header in which it shows that."""
        ...

    def link(self, nonce: str) -> str:
        """The address that opens the bot and tells it `nonce`."""
        ...

    def read(self, update: Mapping[str, Any]) -> Update | None:
        """An update as the messenger words it; None for one that means nothing to us."""
        ...

    async def say(self, chat: str, text: str) -> Outcome:
        """Write to somebody, once."""
        ...

    async def ask_contact(self, chat: str, text: str, button: str) -> Outcome:
        """Write to somebody, with a button that shares the number of the account."""
        ...

    async def listen(self, url: str) -> None:
        """See to it that updates come: to `url` by webhook, or else to those who poll.

        Raises:
            MessengerRefuses: they will not.
        """
        ...

    async def poll(self, marker: str | None) -> Batch:
        """Wait a while for updates behind `marker`.

        Raises:
            MessengerRefuses: the messenger does not answer, or not as it should.
        """
        ...

    async def check(self, url: str) -> Finding:
        """Whether token, name and webhook are right, asked without changing anything."""
        ...


@dataclass(frozen=True)
class Channels:
    """What is set up: one way, push or bot, for each of the channels that people can choose."""

    pushes: Mapping[ChannelKind, PushChannel]
    bots: Mapping[ChannelKind, BotChannel]

    @property
    def carriers(self) -> dict[ChannelKind, Carrier]:
        """How codes arrive, by kind."""
        pushed: dict[ChannelKind, Carrier] = {kind: push.carrier for kind, push in self.pushes.items()}
        return pushed | dict.fromkeys(self.bots, "bot")
