"""What an operator is told of the channels, without a database or anything that runs."""

import asyncio
import json
import sys

import pytest
from core_kit.bots import SECRET
from core_kit.running import serving
from tochka_core.channels.fakes.gateway import FakeGateway
from tochka_core.channels.fakes.max import FakeMax
from tochka_core.channels.fakes.telegram import FakeTelegram

pytestmark = pytest.mark.anyio


async def _check(**settings: str) -> tuple[int, str]:
    """Exit code and output of the command in a process of its own."""
    environment = {f"TOCHKA_CORE_{name.upper()}": value for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tochka_core.main", "channels"),
        env={"PUBLIC_URL": "https://rosta.example", **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_good_tokens_are_well_and_nothing_is_sent() -> None:
    bot, other = FakeMax(), FakeTelegram()
    async with serving(bot.app) as max_url, serving(other.app) as telegram_url:
        code, text = await _check(
            max_bot_token=bot.token,
            max_bot_name=bot.name,
            max_api_url=max_url,
            max_webhook_secret=SECRET,
            telegram_bot_token=other.token,
            telegram_bot_name="@TOCHKABOT"[1:],
            telegram_api_url=telegram_url,
        )
    assert (code, text.count("✓"), text.count("\n")) == (0, 2, 2)
    assert (bot.sent, other.sent, bot.wrong, other.wrong) == ([], [], [], [])
    assert bot.token not in text
    assert other.token not in text


async def test_a_wrong_token_or_name_is_found() -> None:
    bot, other = FakeMax(), FakeTelegram()
    async with serving(bot.app) as max_url, serving(other.app) as telegram_url:
        code, text = await _check(
            max_bot_token="wrong",
            max_bot_name=bot.name,
            max_api_url=max_url,
            telegram_bot_token=other.token,
            telegram_bot_name="SomebodyElse",
            telegram_api_url=telegram_url,
        )
    assert code == 11
    assert "✗ max (bot): MAX answers 401: verify.token" in text
    assert f"✗ telegram (bot): the token is that of {other.name}, not of SomebodyElse" in text


async def test_a_foreign_webhook_is_found() -> None:
    bot, other = FakeMax(), FakeTelegram()
    bot.subscriptions["https://old.example/hook"] = {}
    other.webhook["url"] = "https://old.example/hook"
    async with serving(bot.app) as max_url, serving(other.app) as telegram_url:
        code, text = await _check(
            max_bot_token=bot.token,
            max_bot_name=bot.name,
            max_api_url=max_url,
            telegram_bot_token=other.token,
            telegram_bot_name=other.name,
            telegram_api_url=telegram_url,
        )
    assert code == 11
    assert text.count("another webhook takes the updates: https://old.example/hook") == 2


@pytest.mark.parametrize(("token", "code"), [("gateway-token", 0), ("wrong", 11)])
async def test_a_gateway_token_is_checked_without_paying(token: str, code: int) -> None:
    fake = FakeGateway()
    async with serving(fake.app) as url:
        got, text = await _check(telegram_gateway_token=token, telegram_gateway_url=url)
    assert (got, fake.sent) == (code, [])
    assert ("ACCESS_TOKEN_INVALID" in text) is bool(code)


async def test_a_service_that_is_away_is_found() -> None:
    code, text = await _check(max_bot_token="t", max_bot_name="b", max_api_url="http://127.0.0.1:1")
    assert (code, text) == (11, "✗ max (bot): MAX answers nothing: connection\n")


async def test_no_channel_at_all_is_not_well() -> None:
    code, text = await _check()
    assert code == 11
    assert "nobody can sign in" in text


async def test_sms_are_described_and_not_sent() -> None:
    body = json.dumps({"to": "{phone}"})
    code, text = await _check(sms_url="https://sms.example/send?key=hidden", sms_body=body)
    assert (code, text.count("sms.example")) == (0, 2)
    assert "hidden" not in text
