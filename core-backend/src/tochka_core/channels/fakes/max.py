"""A double of the bot API of MAX."""

import hashlib
import hmac
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
SECRET = re.compile(r"[\w-]{5,256}")
VCARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Anna\r\nTEL;TYPE=cell:{digits}\r\nEND:VCARD"


@dataclass
class FakeMax(Double):
    """One bot. `sent` are the messages that it wrote, `updates` what it is told."""

    token: str = "max-token"  # noqa: S105  of nothing
    name: str = "tochka_bot"
    sent: list[Json] = field(default_factory=list)
    updates: list[Json] = field(default_factory=list)
    subscriptions: dict[str, Json] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=numbers_from_anywhere)

    @property
    def app(self) -> Starlette:
        """Its API."""
        return Starlette(
            routes=[
                Route("/me", self._guarded(self._me)),
                Route("/messages", self._guarded(self._message), methods=["POST"]),
                Route("/updates", self._guarded(self._poll)),
                Route("/subscriptions", self._guarded(self._subscribe), methods=["GET", "POST", "DELETE"]),
            ]
        )

    def texts(self, user_id: int) -> list[str]:
        """What the bot wrote to somebody."""
        return [one["text"] for one in self.sent if one["user_id"] == user_id]

    def started(self, user_id: int, nonce: str | None, locale: str = "ru") -> Json:
        """Somebody follows a link to the bot and presses «start»."""
        update = {
            "update_type": "bot_started",
            "timestamp": next(self.numbers),
            "chat_id": user_id + 1,
            "user": {"user_id": user_id, "name": "Anna", "is_bot": False},
            "payload": nonce,
            "user_locale": locale,
        }
        self.updates.append(update)
        return update

    def shared(self, user_id: int, phone: str, /, **changes: Any) -> Json:
        """Somebody presses the button that shares the number; `changes` falsify the card."""
        vcf = VCARD.format(digits=phone.removeprefix("+"))
        card = {
            "vcf_info": vcf,
            "max_info": {"user_id": user_id, "name": "Anna"},
            "hash": self.hash(vcf),
            **changes,
        }
        return self.written(user_id, "", [{"type": "contact", "payload": card}])

    def hash(self, vcf: str) -> str:
        """How MAX vouches for a card."""
        return hmac.new(self.token.encode(), vcf.encode(), hashlib.sha256).hexdigest()

    def written(self, user_id: int, text: str, attachments: list[Json] | None = None) -> Json:
        """Somebody writes to the bot."""
        number = next(self.numbers)
        update = {
            "update_type": "message_created",
            "timestamp": number,
            "message": {
                "sender": {"user_id": user_id, "name": "Anna", "is_bot": False},
                "recipient": {"chat_id": user_id + 1, "chat_type": "dialog", "user_id": 1},
                "timestamp": number,
                "body": {
                    "mid": f"mid.{number:x}",
                    "seq": number,
                    "text": text,
                    "attachments": attachments or [],
                },
            },
            "user_locale": "ru",
        }
        self.updates.append(update)
        return update

    def _guarded(self, endpoint: Any) -> Any:
        async def answer(request: Request) -> Response:
            await request.body()
            try:
                if request.headers.get("authorization") != self.token:
                    body = {"code": "verify.token", "message": "Invalid access_token"}
                    return self.refuse(Wrong("wrong token"), body, 401)
                response: Response = await endpoint(request)
                return response
            except Wrong as refusal:
                return self.refuse(refusal, {"code": "proto.payload", "message": str(refusal)})

        return answer

    async def _me(self, _request: Request) -> Response:
        return JSONResponse({"user_id": 1, "name": "Tochka", "username": self.name, "is_bot": True})

    async def _message(self, request: Request) -> Response:
        body, query = await request.json(), request.query_params
        require(query.keys() == {"user_id"} and query["user_id"].isdigit(), "to nobody")
        require(body.keys() <= {"text", "attachments", "link", "notify", "format"}, "unknown members")
        require(isinstance(body.get("text"), str) and 0 < len(body["text"]) <= 4000, "no text")
        for attachment in body.get("attachments", ()):
            require(attachment["type"] == "inline_keyboard", "unknown attachment")
            for button in itertools.chain(*attachment["payload"]["buttons"]):
                require(button["type"] == "request_contact" and button["text"], "unknown button")
        self.sent.append({**body, "user_id": int(query["user_id"])})
        return self.fault() or JSONResponse({"message": {"body": {"mid": f"mid.out.{len(self.sent)}"}}})

    async def _poll(self, request: Request) -> Response:
        query = request.query_params
        require(not self.subscriptions, "a webhook is active")
        require(1 <= int(query["limit"]) <= 1000 and 0 <= int(query["timeout"]) <= 90, "out of bounds")
        first = int(query.get("marker", 0))
        await wait_for(lambda: len(self.updates) > first, request, float(query["timeout"]))
        told = self.updates[first : first + int(query["limit"])]
        return self.fault() or JSONResponse({"updates": told, "marker": first + len(told)})

    async def _subscribe(self, request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse({"subscriptions": [{"url": url} for url in self.subscriptions]})
        if request.method == "DELETE":
            self.subscriptions.pop(request.query_params["url"], None)
            return JSONResponse({"success": True})
        body = await request.json()
        require(str(body.get("url")).startswith("https://"), "the webhook is not https")
        require(SECRET.fullmatch(body.get("secret") or ""), "not a secret")
        require(set(body["update_types"]) <= {"bot_started", "message_created"}, "unknown types")
        self.subscriptions[body["url"]] = body
        return JSONResponse({"success": True})
