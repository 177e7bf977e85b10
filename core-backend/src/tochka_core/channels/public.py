"""What the rest of the platform does with channels: open those that are set up, send, be told."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from redis.asyncio import Redis

from tochka_core.channels.adapters import open_http
from tochka_core.channels.gateway import TelegramGateway
from tochka_core.channels.inbox import DevelopmentInbox, read_inbox
from tochka_core.channels.max import MaxBot
from tochka_core.channels.port import BotChannel, Channels, PushChannel
from tochka_core.channels.schemas import ChannelKind, Finding
from tochka_core.channels.sms import Sms, SmsRequest
from tochka_core.channels.telegram import TelegramBot
from tochka_core.outbound.public import Gate, Gates

__all__ = [
    "KINDS",
    "BotChannel",
    "BotToken",
    "ChannelPlan",
    "Channels",
    "DevelopmentInbox",
    "GatewayToken",
    "PushChannel",
    "SmsRequest",
    "check",
    "open_channels",
    "read_inbox",
    "webhook_url",
]

KINDS: tuple[ChannelKind, ...] = get_args(ChannelKind)
# MAX answers under a certificate of this authority, which no browser's list holds
RUSSIAN_ROOT = Path(__file__).with_name("russian_trusted_root_ca.pem")


@dataclass(frozen=True)
class BotToken:
    """A bot of ours; without a secret for its webhook it is polled."""

    token: str
    name: str
    api_url: str
    webhook_secret: bytes | None


@dataclass(frozen=True)
class GatewayToken:
    """An account of Telegram Gateway."""

    token: str
    api_url: str
    sender: str


@dataclass(frozen=True)
class ChannelPlan:
    """What an operator has set up; whatever no messenger carries goes by SMS, else into the inbox."""

    max_bot: BotToken | None = None
    telegram_bot: BotToken | None = None
    telegram_gateway: GatewayToken | None = None
    sms: SmsRequest | None = None


@asynccontextmanager
async def open_channels(
    plan: ChannelPlan, inbox: Redis | None, gates: Gates | None = None
) -> AsyncIterator[Channels]:
    """The channels of the plan, with clients of their own; `inbox` is given where it is switched on. All who
    share the `gates` leave a service alone for a while that does not answer.
    """

    def gate(name: str) -> Gate | None:
        return None if gates is None else Gate(gates, f"channels:{name}")

    pushes: dict[ChannelKind, PushChannel] = {}
    bots: dict[ChannelKind, BotChannel] = {}
    async with AsyncExitStack() as stack:
        if plan.max_bot is not None:
            root = RUSSIAN_ROOT.read_bytes()
            bots["max"] = MaxBot(
                await stack.enter_async_context(open_http(root, gate=gate("max"))), **vars(plan.max_bot)
            )
        if plan.telegram_bot is not None:
            http = await stack.enter_async_context(open_http(gate=gate("telegram")))
            bots["telegram"] = TelegramBot(http, **vars(plan.telegram_bot))
        if plan.telegram_gateway is not None:
            http = await stack.enter_async_context(open_http(gate=gate("telegram-gateway")))
            pushes["telegram"] = TelegramGateway(http, **vars(plan.telegram_gateway))
        left = [kind for kind in KINDS if kind not in bots and kind not in pushes]
        if plan.sms is not None:
            http = await stack.enter_async_context(open_http(gate=gate("sms")))
            pushes |= {kind: Sms(http, plan.sms) for kind in left}
        elif inbox is not None:
            pushes |= {kind: DevelopmentInbox(kind, inbox) for kind in left}
        yield Channels(pushes, bots)


def webhook_url(public_url: str, kind: ChannelKind) -> str:
    """Where the messenger of this kind finds its bot."""
    return f"{public_url}/api/v1/channels/{kind}/updates"


async def check(channels: Channels, public_url: str) -> Sequence[tuple[str, Finding]]:
    """What an operator wants to know of each channel, asked of its service without sending anything."""
    found = [(f"{kind} ({push.carrier})", await push.check()) for kind, push in channels.pushes.items()]
    for kind, bot in channels.bots.items():
        found.append((f"{kind} (bot)", await bot.check(webhook_url(public_url, kind))))
    return sorted(found)
