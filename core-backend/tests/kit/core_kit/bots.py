"""A core with a bot, the double of its messenger, and the people who write to that bot."""

import asyncio
import itertools
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import httpx
from tochka_core.accounts import tasks
from tochka_core.channels.fakes.max import FakeMax
from tochka_core.channels.fakes.telegram import FakeTelegram
from tochka_core.resources import Resources

from core_kit.codes import StartCore, ask
from core_kit.people import API
from core_kit.running import RunningCore, serving

Kind = Literal["max", "telegram"]
Mode = Literal["polling", "webhook"]
SECRET = secrets.token_urlsafe(32)
HEADERS = {"max": "X-Max-Bot-Api-Secret", "telegram": "X-Telegram-Bot-Api-Secret-Token"}
PATIENCE_S = 20.0
_users = itertools.count(700_000)


@dataclass
class Bot:
    """One core whose only channel is the bot of this kind."""

    kind: Kind
    mode: Mode
    core: RunningCore
    client: httpx.AsyncClient
    messenger: FakeMax | FakeTelegram

    async def hear(self, update: dict[str, Any], *, secret: str = SECRET) -> httpx.Response | None:
        """The messenger calls, if that is how this bot hears; else the update waits for the next poll."""
        if self.mode == "polling":
            return None
        headers = {HEADERS[self.kind]: secret}
        return await self.client.post(f"{API}/channels/{self.kind}/updates", json=update, headers=headers)

    async def may_ask_again(self, challenge_id: str) -> None:
        """Let the time pass after which another code may be asked for."""
        (key,) = [name async for name in self.core.resources.redis.scan_iter(f"code:*{challenge_id}")]
        await self.core.resources.redis.hincrby(key, "resend", -61_000)

    async def elapse(self, challenge_id: str, seconds: int) -> None:
        """Let so much time pass for all that Redis holds of a challenge."""
        redis, ms = self.core.resources.redis, seconds * 1000
        for key in [name async for name in redis.scan_iter(f"*{challenge_id}*")]:
            await redis.pexpire(key, await redis.pttl(key) - ms)
            if key.startswith("code:"):
                for moment in ("expires", "resend"):
                    await redis.hincrby(key, moment, -ms)

    async def said(self, user_id: int, count: int) -> list[str]:
        """What the bot has written to somebody, as soon as that are so many messages."""
        await until(lambda: len(self.messenger.texts(user_id)) >= count)
        texts = self.messenger.texts(user_id)
        assert len(texts) == count, texts
        assert self.messenger.wrong == []
        return texts

    async def ask(self, phone: str, **body: str) -> tuple[str, str]:
        """A challenge and the nonce of its link."""
        answer = await ask(self.client, phone, channel=self.kind, **body)
        assert answer.status_code == 202, answer.text
        (link,) = answer.json()["links"]
        assert link["channel"] == self.kind
        host = {"max": "https://max.ru", "telegram": "https://t.me"}[self.kind]
        address, _, nonce = link["url"].partition("?start=")
        assert address == f"{host}/{self.messenger.name}"
        assert re.fullmatch(r"[A-Za-z0-9_-]{22}", nonce)
        return answer.json()["challenge_id"], nonce

    async def get_code(self, user_id: int, phone: str, nonce: str) -> str:
        """Follow the link, share the number, read the code."""
        before = len(self.messenger.texts(user_id))
        await self.hear(self.messenger.started(user_id, nonce))
        await self.said(user_id, before + 1)
        await self.hear(self.messenger.shared(user_id, phone))
        return code_in((await self.said(user_id, before + 2))[-1])


def code_in(text: str) -> str:
    """The code in a message."""
    (code,) = re.findall(r"\b\d{6}\b", text)
    return str(code)


def has_code(text: str) -> bool:
    """Whether there is one."""
    return re.search(r"\b\d{6}\b", text) is not None


def new_user() -> int:
    """Somebody whom no bot has met."""
    return next(_users)


async def until(condition: Callable[[], object]) -> None:
    """Wait until it holds."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it never came about"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(resources: Resources) -> AsyncIterator[None]:
    """Keep the bots of these resources informed, as the worker does, until the block ends."""
    stop = asyncio.Event()
    task = asyncio.create_task(tasks.run(resources, stop))
    try:
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def running_bot(
    start_core: StartCore, kind: Kind, mode: Mode, **settings: object
) -> AsyncIterator[Bot]:
    """A bot that hears; without the task that polls or subscribes."""
    messenger = FakeMax() if kind == "max" else FakeTelegram()
    settings = {"dev_inbox": False, **settings}
    if mode == "webhook":
        settings[f"{kind}_webhook_secret"] = SECRET
    async with serving(messenger.app) as api_url:
        settings |= {
            f"{kind}_api_url": api_url,
            **(
                {"max_bot_token": messenger.token}
                if kind == "max"
                else {"telegram_bot_token": messenger.token}
            ),
            f"{kind}_bot_name": messenger.name,
        }
        async with start_core(**settings) as core, httpx.AsyncClient(base_url=core.url, timeout=20) as client:
            await core.resources.redis.delete(f"marker:{kind}:{messenger.name}")
            yield Bot(kind, mode, core, client, messenger)
