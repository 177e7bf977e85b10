"""A double of the bot API of Telegram."""

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tochka_core.channels.fakes.double import Double, Wrong, numbers_from_anywhere, require, wait_for

Json = dict[str, Any]
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
MARKUPS: tuple[set[str], ...] = ({"remove_keyboard"}, {"keyboard", "resize_keyboard", "one_time_keyboard"})


@dataclass
class FakeTelegram(Double):
    """One bot. `sent` are the messages that it wrote, `updates` what it is told and has not acknowledged."""

    token: str = "1:telegram-token"  # noqa: S105  of nothing
    name: str = "TochkaBot"
    sent: list[Json] = field(default_factory=list)
    updates: list[Json] = field(default_factory=list)
    webhook: Json = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=numbers_from_anywhere)

    @property
    def app(self) -> Starlette:
        """Its API."""
        return Starlette(routes=[Route("/bot{token}/{method}", self._answer, methods=["POST"])])

    def texts(self, user_id: int) -> list[str]:
        """What the bot wrote to somebody."""
        return [one["text"] for one in self.sent if one["chat_id"] == user_id]

    def started(self, user_id: int, nonce: str | None, locale: str = "ru") -> Json:
        """Somebody follows a link to the bot and presses «start»."""
        text = "/start" if nonce is None else f"/start {nonce}"
        return self._told(user_id, {"text": text}, locale)

    def shared(self, user_id: int, phone: str, /, **changes: Any) -> Json:
        """Somebody presses the button that shares the number; `changes` falsify the contact."""
        contact = {
            "phone_number": phone.removeprefix("+"),
            "first_name": "Anna",
            "user_id": user_id,
            **changes,
        }
        return self._told(user_id, {"contact": contact}, "ru")

    def written(self, user_id: int, text: str) -> Json:
        """Somebody writes to the bot."""
        return self._told(user_id, {"text": text}, "ru")

    def _told(self, user_id: int, content: Json, locale: str) -> Json:
        number = next(self.numbers)
        update = {
            "update_id": number,
            "message": {
                "message_id": number,
                "date": 1_764_000_000,
                "from": {"id": user_id, "is_bot": False, "first_name": "Anna", "language_code": locale},
                "chat": {"id": user_id, "type": "private", "first_name": "Anna"},
                **content,
            },
        }
        self.updates.append(update)
        return update

    async def _answer(self, request: Request) -> Response:
        given = await request.json()
        if request.path_params["token"] != self.token:
            body = {"ok": False, "error_code": 401, "description": "Unauthorized"}
            return self.refuse(Wrong("wrong token"), body, 401)
        methods = {
            "getMe": self._me,
            "sendMessage": self._message,
            "getUpdates": self._poll,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._webhook_info,
        }
        try:
            method = methods.get(request.path_params["method"])
            if method is None:
                raise Wrong("unknown method")
            result = await method(request, given)
        except Wrong as refusal:
            return self.refuse(
                refusal, {"ok": False, "error_code": 400, "description": f"Bad Request: {refusal}"}
            )
        is_faulty = request.path_params["method"] in {"sendMessage", "getUpdates"}
        return (self.fault() if is_faulty else None) or JSONResponse({"ok": True, "result": result})

    async def _me(self, _request: Request, _body: Json) -> Any:
        return {"id": 1, "is_bot": True, "first_name": "Tochka", "username": self.name}

    async def _message(self, _request: Request, body: Json) -> Any:
        require(isinstance(body.get("chat_id"), int), "chat not found")
        require(isinstance(body.get("text"), str) and 0 < len(body["text"]) <= 4096, "message text is empty")
        markup = body.get("reply_markup", {})
        require(set(markup) in MARKUPS, "unknown markup")
        for button in itertools.chain(*markup.get("keyboard", ())):
            require(button["text"] and button["request_contact"] is True, "unknown button")
        self.sent.append(body)
        return {"message_id": len(self.sent), "date": 1_764_000_000, "chat": {"id": body["chat_id"]}}

    async def _poll(self, request: Request, body: Json) -> Any:
        require(not self.webhook, "terminated by setWebhook request")
        require(0 <= body["timeout"] <= 50 and 1 <= body["limit"] <= 100, "out of bounds")
        self.updates = [one for one in self.updates if one["update_id"] >= body.get("offset", 0)]
        await wait_for(lambda: self.updates, request, float(body["timeout"]))
        return self.updates[: body["limit"]]

    async def _set_webhook(self, _request: Request, body: Json) -> Any:
        require(str(body.get("url")).startswith("https://"), "an HTTPS URL must be provided for webhook")
        require(
            SECRET.fullmatch(body.get("secret_token") or ""), "secret token contains unallowed characters"
        )
        self.webhook = body
        return True

    async def _delete_webhook(self, _request: Request, _body: Json) -> Any:
        self.webhook = {}
        return True

    async def _webhook_info(self, _request: Request, _body: Json) -> Any:
        return {"url": self.webhook.get("url", ""), "pending_update_count": len(self.updates)}
