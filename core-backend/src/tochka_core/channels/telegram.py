"""Telegram: a bot that hands codes to those who prove their number (core.telegram.org/bots/api).

A contact proves a number when it is that of the account which sends it: Telegram's server writes
`contact.user_id` itself, whatever the sender's program says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tochka_core.channels.adapters import Answer, Http
from tochka_core.channels.errors import MessengerRefuses
from tochka_core.channels.schemas import (
    Accepted,
    Batch,
    Chatter,
    ContactProven,
    ContactRefused,
    Finding,
    Opened,
    Outcome,
    Update,
)

LINKS = "https://t.me"
START = "/start "
POLL_S = 25
BATCH = 100


@dataclass(frozen=True)
class TelegramBot:
    """One bot. `name` is what stands behind t.me/ in its address."""

    http: Http
    token: str
    name: str
    api_url: str
    webhook_secret: bytes | None = None

    secret_header = "x-telegram-bot-api-secret-token"  # noqa: S105  the name of a header

    def link(self, nonce: str) -> str:
        """Opens the bot; pressing «start» there sends `/start` with the nonce."""
        return f"{LINKS}/{self.name}?start={nonce}"

    async def say(self, chat: str, text: str) -> Outcome:
        """Write to a chat, and take the button away that was below."""
        return await self._send(chat, text, {"remove_keyboard": True})

    async def ask_contact(self, chat: str, text: str, button: str) -> Outcome:
        """Write to a chat, with a button in the place of the keyboard."""
        buttons = [[{"text": button, "request_contact": True}]]
        keyboard = {"keyboard": buttons, "resize_keyboard": True, "one_time_keyboard": True}
        return await self._send(chat, text, keyboard)

    async def _send(self, chat: str, text: str, markup: Mapping[str, Any]) -> Outcome:
        body = {"chat_id": int(chat), "text": text, "reply_markup": markup}
        answer = await self._call("sendMessage", body)
        if answer.is_success and answer.field("ok") is True:
            return Accepted()
        return answer.failure(answer.field("description"))

    def read(self, update: Mapping[str, Any]) -> Update | None:
        """What a person did in a private chat with the bot."""
        match update:
            case {
                "update_id": int(number),
                "message": {
                    "chat": {"id": int(chat), "type": "private"},
                    "from": {"id": int(sender)} as person,
                } as message,
            }:
                language = str(person.get("language_code") or "")
                what = _said(sender, message)
                return Update(str(number), str(chat), "en" if language.startswith("en") else "ru", what)
            case _:
                return None

    async def listen(self, url: str) -> None:
        """Name `url` to Telegram; or take away what stands in the way of polling."""
        if self.webhook_secret is None:
            _require(await self._call("deleteWebhook", {}))
            return
        secret = self.webhook_secret.decode()
        body = {"url": url, "secret_token": secret, "allowed_updates": ["message"]}
        _require(await self._call("setWebhook", body))

    async def poll(self, marker: str | None) -> Batch:
        """Wait for updates; asking for those behind `marker` tells Telegram to forget those before it."""
        body: dict[str, Any] = {"timeout": POLL_S, "limit": BATCH, "allowed_updates": ["message"]}
        if marker is not None:
            body["offset"] = int(marker)
        told = _require(await self._call("getUpdates", body, seconds=POLL_S + 10)).field("result")
        raw = [one for one in told or () if isinstance(one, dict) and isinstance(one.get("update_id"), int)]
        updates = [self.read(one) for one in raw]
        following = max((one["update_id"] + 1 for one in raw), default=None)
        return Batch(
            tuple(update for update in updates if update is not None),
            marker if following is None else str(following),
        )

    async def check(self, url: str) -> Finding:
        """Who the token says we are, and who is told what happens."""
        try:
            name = (_require(await self._call("getMe", {})).field("result") or {}).get("username")
            known = (_require(await self._call("getWebhookInfo", {})).field("result") or {}).get("url")
        except MessengerRefuses as refusal:
            return Finding(False, str(refusal))
        if str(name).lower() != self.name.lower():
            return Finding(False, f"the token is that of {name}, not of {self.name}")
        if known and known != url:
            return Finding(False, f"another webhook takes the updates: {known}")
        return Finding(True, f"the token is that of {name}")

    async def _call(self, method: str, body: Mapping[str, Any], **more: Any) -> Answer:
        return await self.http.call("POST", f"{self.api_url}/bot{self.token}/{method}", json=body, **more)


def _said(sender: int, message: Mapping[str, Any]) -> Opened | ContactProven | ContactRefused | Chatter:
    match message:
        case {"contact": {"phone_number": str(phone), "user_id": int(owner)}} if owner == sender:
            return ContactProven("+" + "".join(sign for sign in phone if sign in "0123456789"))
        case {"contact": _}:
            return ContactRefused("the contact of somebody else")
        case {"text": str(text)} if text.startswith(START) and text.removeprefix(START).strip():
            return Opened(text.removeprefix(START).strip())
        case _:
            return Chatter()


def _require(answer: Answer) -> Answer:
    """The answer, if it is a success."""
    if answer.is_success and answer.field("ok") is True:
        return answer
    reason = answer.field("description") or answer.error or "it fails"
    raise MessengerRefuses(f"Telegram answers {answer.status or 'nothing'}: {reason}")
