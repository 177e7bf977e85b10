"""The Telegram bot against a double of Telegram's bot API that nobody here wrote: npm's telegram-test-api.

That double polls only: its webhooks carry no secret.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from core_kit.bots import PATIENCE_S, code_in, has_code, listening, new_user
from core_kit.codes import StartCore, answer, ask
from core_kit.people import unique_phone
from core_kit.running import RunningCore, loopback_socket

from tests.node import find_node, install_packages

pytestmark = pytest.mark.anyio
HERE = Path(__file__).parent / "telegram_test_api"


@dataclass
class Person:
    """Somebody in Telegram who writes to the bot; `chat` and account have one number, as in Telegram."""

    telegram: httpx.AsyncClient
    token: str
    id: int = field(default_factory=new_user)
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def write(self, **content: Any) -> None:
        """Send a message."""
        message = {
            "botToken": self.token,
            "date": int(time.time()),
            "from": {"id": self.id, "first_name": "Anna", "is_bot": False},
            "chat": {"id": self.id, "first_name": "Anna", "type": "private"},
            **content,
        }
        (await self.telegram.post("/sendMessage", json=message)).raise_for_status()

    async def hear(self) -> dict[str, Any]:
        """The next message of the bot."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.heard:
                asked = {"token": self.token, "chatId": self.id}
                told = (await self.telegram.post("/getUpdates", json=asked)).json()["result"]
                self.heard += (update["message"] for update in told)
                await asyncio.sleep(0 if told else 0.05)
        return self.heard.pop(0)


@pytest.fixture(scope="module")
async def telegram() -> AsyncIterator[httpx.AsyncClient]:
    """The double, running."""
    node = find_node()
    install_packages(node, HERE)
    with loopback_socket() as bound:
        port = bound.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(str(node), "server.mjs", str(port)), cwd=HERE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), PATIENCE_S) == b"ready\n"
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        yield client
    process.terminate()
    await process.wait()


@pytest.fixture
async def core(start_core: StartCore, telegram: httpx.AsyncClient) -> AsyncIterator[RunningCore]:
    """A core with a bot of its own there."""
    settings = {
        "telegram_bot_token": f"1:{secrets.token_hex(16)}",
        "telegram_bot_name": f"bot_{secrets.token_hex(4)}",
        "telegram_api_url": str(telegram.base_url),
        "dev_inbox": False,
    }
    async with start_core(**settings) as running, listening(running.jobs):
        yield running


@pytest.fixture
def person(core: RunningCore, telegram: httpx.AsyncClient) -> Person:
    """Somebody with Telegram."""
    token = core.settings.telegram_bot_token
    assert token is not None
    return Person(telegram, token.get_secret_value())


async def _challenge(client: httpx.AsyncClient, phone: str) -> tuple[str, str]:
    asked = (await ask(client, phone, channel="telegram")).json()
    return asked["challenge_id"], asked["links"][0]["url"].partition("?start=")[2]


async def test_a_code_comes_to_whoever_proves_the_number(client: httpx.AsyncClient, person: Person) -> None:
    phone = unique_phone()
    challenge_id, nonce = await _challenge(client, phone)
    await person.write(text=f"/start {nonce}")
    asked = await person.hear()
    assert asked["reply_markup"]["keyboard"][0][0]["request_contact"] is True
    await person.write(contact={"phone_number": phone[1:], "first_name": "Anna", "user_id": person.id})
    code = code_in((await person.hear())["text"])
    assert (await answer(client, challenge_id, code)).status_code == 200


async def test_the_contact_of_somebody_else_brings_nothing(client: httpx.AsyncClient, person: Person) -> None:
    phone = unique_phone()
    _, nonce = await _challenge(client, phone)
    await person.write(text=f"/start {nonce}")
    await person.hear()
    await person.write(contact={"phone_number": phone, "first_name": "Boris", "user_id": new_user()})
    assert not has_code((await person.hear())["text"])
    await person.write(contact={"phone_number": phone, "first_name": "Boris"})
    assert not has_code((await person.hear())["text"])
