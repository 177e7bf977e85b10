"""A double of some provider of SMS: a key in a header, JSON or a form, a status in the answer."""

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tochka_core.channels.fakes.double import Double, Wrong, require


@dataclass
class FakeSms(Double):
    """One account. `sent` are the messages that it was paid for; `status` is what it says of each."""

    key: str = "sms-key"
    status: str = "OK"
    sent: list[dict[str, str]] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        """Its API."""
        return Starlette(routes=[Route("/send", self._answer, methods=["POST"])])

    async def _answer(self, request: Request) -> Response:
        text = (await request.body()).decode()
        try:
            require(request.headers.get("x-key") == self.key, "wrong key")
            is_form = request.headers["content-type"].startswith("application/x-www-form-urlencoded")
            body: dict[str, str] = dict(parse_qsl(text)) if is_form else json.loads(text)
            require(body.keys() == {"to", "message"}, "unknown members")
            require(body["to"].isdigit() and body["message"], "nobody or nothing")
        except Wrong as refusal:
            return self.refuse(refusal, {"status": "ERROR"}, 200)
        self.sent.append(body)
        return self.fault() or JSONResponse({"status": self.status})
