"""MAX: a bot that hands codes to those who prove their number (dev.max.ru).

A contact proves a number when its `hash` is the HMAC-SHA256 of the card under the bot's token, when it is
the card of the very account that sends it, and when the card holds exactly one number. MAX does not number
its updates: what makes one the same when it is told again is put together here.
"""

import hashlib
import hmac
import re
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
    Locale,
    Opened,
    Outcome,
    Update,
)

LINKS = "https://max.ru"
TYPES = ("bot_started", "message_created")
POLL_S = 25
BATCH = 100
_TEL = re.compile(r"^(?:item\d+\.)?TEL(?:;[^:\r\n]*)?:([^\r\n]*)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class MaxBot:
    """One bot. `name` is what stands behind max.ru/ in its address."""

    http: Http
    token: str
    name: str
    api_url: str
    webhook_secret: bytes | None = None

    secret_header = "x-max-bot-api-secret"  # noqa: S105  the name of a header

    def link(self, nonce: str) -> str:
        """Opens the bot; pressing «start» there sends `bot_started` with the nonce."""
        return f"{LINKS}/{self.name}?start={nonce}"

    async def say(self, chat: str, text: str) -> Outcome:
        """Write to a user."""
        return await self._send(chat, {"text": text})

    async def ask_contact(self, chat: str, text: str, button: str) -> Outcome:
        """Write to a user, with a button below."""
        buttons = [[{"type": "request_contact", "text": button}]]
        keyboard = {"type": "inline_keyboard", "payload": {"buttons": buttons}}
        return await self._send(chat, {"text": text, "attachments": [keyboard]})

    async def _send(self, user_id: str, body: Mapping[str, Any]) -> Outcome:
        answer = await self._call("POST", "/messages", query={"user_id": user_id}, json=body)
        if answer.is_success and answer.field("message"):
            return Accepted()
        return answer.failure(answer.field("code"))

    def read(self, update: Mapping[str, Any]) -> Update | None:
        """What a person did in a dialog with the bot."""
        match update:
            case {"update_type": "bot_started", "timestamp": int(at), "user": {"user_id": int(user_id)}}:
                nonce = update.get("payload")
                what = Opened(nonce) if isinstance(nonce, str) and nonce else Chatter()
                return Update(f"started:{user_id}:{at}", str(user_id), _locale(update), what)
            case {
                "update_type": "message_created",
                "message": {
                    "sender": {"user_id": int(user_id)},
                    "recipient": {"chat_type": "dialog"},
                    "body": {"mid": str(mid)} as body,
                },
            }:
                return Update(f"message:{mid}", str(user_id), _locale(update), self._said(user_id, body))
            case _:
                return None

    def _said(self, user_id: int, body: Mapping[str, Any]) -> ContactProven | ContactRefused | Chatter:
        attachments = body.get("attachments")
        for attachment in attachments if isinstance(attachments, list) else ():
            if isinstance(attachment, dict) and attachment.get("type") == "contact":
                return prove(self.token, user_id, attachment.get("payload"))
        return Chatter()

    async def listen(self, url: str) -> None:
        """Subscribe `url`, which MAX forgets after some hours of failure; or free the way for polling."""
        if self.webhook_secret is None:
            if url in await self._subscriptions():
                _require(await self._call("DELETE", "/subscriptions", query={"url": url}))
            return
        body = {"url": url, "secret": self.webhook_secret.decode(), "update_types": list(TYPES)}
        _require(await self._call("POST", "/subscriptions", json=body))

    async def _subscriptions(self) -> list[str]:
        listed = _require(await self._call("GET", "/subscriptions")).field("subscriptions")
        return [str(one.get("url")) for one in listed or () if isinstance(one, dict)]

    async def poll(self, marker: str | None) -> Batch:
        """Wait for updates."""
        query = {"limit": str(BATCH), "timeout": str(POLL_S), "types": ",".join(TYPES)}
        if marker is not None:
            query["marker"] = marker
        answer = _require(await self._call("GET", "/updates", query=query, seconds=POLL_S + 10))
        told = answer.field("updates")
        updates = [self.read(one) for one in told or () if isinstance(one, dict)]
        following = answer.field("marker")
        return Batch(
            tuple(update for update in updates if update is not None),
            marker if following is None else str(following),
        )

    async def check(self, url: str) -> Finding:
        """Who the token says we are, and who else is told what happens."""
        try:
            name = _require(await self._call("GET", "/me")).field("username")
            others = [other for other in await self._subscriptions() if other != url]
        except MessengerRefuses as refusal:
            return Finding(False, str(refusal))
        if name != self.name:
            return Finding(False, f"the token is that of {name}, not of {self.name}")
        if others and self.webhook_secret is None:
            return Finding(False, f"another webhook takes the updates: {', '.join(others)}")
        return Finding(True, f"the token is that of {name}")

    async def _call(self, method: str, path: str, **more: Any) -> Answer:
        return await self.http.call(
            method, self.api_url + path, headers={"Authorization": self.token}, **more
        )


def prove(token: str, user_id: int, card: object) -> ContactProven | ContactRefused:
    """The number on a shared card, if everything about the card is as MAX makes it."""
    match card:
        case {"vcf_info": str(vcf), "hash": str(given), "max_info": {"user_id": owner}}:
            text = vcf.replace("\\r\\n", "\r\n")
        case _:
            return ContactRefused("not a card of an account")
    expected = hmac.new(token.encode(), text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.lower().encode()):
        return ContactRefused("wrong hash")
    if owner != user_id:
        return ContactRefused("the card of somebody else")
    numbers = _TEL.findall(text)
    if len(numbers) != 1:
        return ContactRefused(f"{len(numbers)} numbers")
    return ContactProven("+" + re.sub(r"\D", "", numbers[0]))


def _require(answer: Answer) -> Answer:
    """The answer, if it is a success."""
    if answer.is_success and answer.field("success") is not False:
        return answer
    reason = answer.field("code") or answer.field("message") or answer.error or "it fails"
    raise MessengerRefuses(f"MAX answers {answer.status or 'nothing'}: {reason}")


def _locale(update: Mapping[str, Any]) -> Locale:
    return "en" if str(update.get("user_locale") or "").startswith("en") else "ru"
