"""How a bot hears: it polls once among all workers, or subscribes; and goes on after any failure."""

import asyncio

import pytest
from core_kit.bots import SECRET, Bot, Kind, has_code, listening, new_user, running_bot, until
from core_kit.codes import StartCore
from core_kit.people import unique_phone
from tochka_core.accounts import tasks
from tochka_core.channels.fakes.max import FakeMax
from tochka_core.channels.fakes.telegram import FakeTelegram

pytestmark = pytest.mark.anyio
KINDS: tuple[Kind, ...] = ("max", "telegram")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not pause for long."""
    monkeypatch.setattr(tasks, "WAIT_S", 0.05)
    monkeypatch.setattr(tasks, "LONGEST_PAUSE_S", 0.1)


@pytest.mark.parametrize("kind", KINDS)
async def test_two_workers_answer_once_and_the_second_takes_over(start_core: StartCore, kind: Kind) -> None:
    async with running_bot(start_core, kind, "polling") as bot, listening(bot.core.jobs):
        async with listening(bot.core.resources):
            await _converse(bot)
        await _converse(bot)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_restart_repeats_nothing_and_loses_nothing(start_core: StartCore, kind: Kind) -> None:
    async with running_bot(start_core, kind, "polling") as bot:
        async with listening(bot.core.jobs):
            await _converse(bot)
        said = len(bot.messenger.sent)
        user = new_user()
        bot.messenger.written(user, "while nobody listens")
        async with listening(bot.core.jobs):
            await bot.said(user, 1)
        assert len(bot.messenger.sent) == said + 1


@pytest.mark.parametrize("kind", KINDS)
async def test_polling_goes_on_after_a_failure(start_core: StartCore, kind: Kind) -> None:
    async with running_bot(start_core, kind, "polling") as bot:
        bot.messenger.written(new_user(), "x")
        bot.messenger.faults += [502, 500]
        async with listening(bot.core.jobs):
            await until(lambda: not bot.messenger.faults)
            await _converse(bot)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_end_does_not_wait_for_a_poll(start_core: StartCore, kind: Kind) -> None:
    async with running_bot(start_core, kind, "polling") as bot:
        stop = asyncio.Event()
        task = asyncio.create_task(tasks.run(bot.core.jobs, stop))
        await _converse(bot)
        stop.set()
        async with asyncio.timeout(5):
            await task
        assert await bot.core.resources.redis.get(f"polling:{kind}") is None


async def test_max_is_told_where_to_call(start_core: StartCore) -> None:
    settings = {"public_url": "https://rosta.example"}
    async with running_bot(start_core, "max", "webhook", **settings) as bot, listening(bot.core.jobs):
        messenger = bot.messenger
        assert isinstance(messenger, FakeMax)
        await until(lambda: messenger.subscriptions)
        ((url, body),) = messenger.subscriptions.items()
        assert (url, body["secret"]) == ("https://rosta.example/api/v1/channels/max/updates", SECRET)
        assert messenger.wrong == []


async def test_telegram_is_told_where_to_call(start_core: StartCore) -> None:
    settings = {"public_url": "https://rosta.example"}
    async with running_bot(start_core, "telegram", "webhook", **settings) as bot, listening(bot.core.jobs):
        messenger = bot.messenger
        assert isinstance(messenger, FakeTelegram)
        await until(lambda: messenger.webhook)
        assert messenger.webhook["url"] == "https://rosta.example/api/v1/channels/telegram/updates"
        assert messenger.webhook["secret_token"] == SECRET
        assert messenger.wrong == []


async def test_a_webhook_of_ours_does_not_stand_in_the_way_of_polling(start_core: StartCore) -> None:
    settings = {"public_url": "https://rosta.example"}
    async with running_bot(start_core, "max", "polling", **settings) as bot:
        messenger = bot.messenger
        assert isinstance(messenger, FakeMax)
        messenger.subscriptions["https://rosta.example/api/v1/channels/max/updates"] = {}
        async with listening(bot.core.jobs):
            await _converse(bot)
    async with running_bot(start_core, "telegram", "polling", **settings) as bot:
        other = bot.messenger
        assert isinstance(other, FakeTelegram)
        other.webhook["url"] = "https://rosta.example/api/v1/channels/telegram/updates"
        async with listening(bot.core.jobs):
            await _converse(bot)


async def _converse(bot: Bot) -> None:
    """Somebody new gets a code."""
    phone, user = unique_phone(), new_user()
    _, nonce = await bot.ask(phone)
    bot.messenger.started(user, nonce)
    await bot.said(user, 1)
    bot.messenger.shared(user, phone)
    assert has_code((await bot.said(user, 2))[-1])
