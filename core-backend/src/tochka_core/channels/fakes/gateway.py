"""A double of Telegram Gateway."""

import re
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tochka_core.channels.fakes.double import Double, Wrong, require

Json = dict[str, Any]
MEMBERS = frozenset({"phone_number", "code", "ttl", "payload", "sender_username"})


@dataclass
class FakeGateway(Double):
    """One account. `sent` are the codes that it was paid for; phones in `unreachable` have no Telegram."""

    token: str = "gateway-token"  # noqa: S105  of nothing
    sent: list[Json] = field(default_factory=list)
    unreachable: set[str] = field(default_factory=set)

    @property
    def app(self) -> Starlette:
        """Its API."""
        return Starlette(routes=[Route("/{method}", self._answer, methods=["POST"])])

    async def _answer(self, request: Request) -> Response:
        body = await request.json()
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return self.refuse(Wrong("wrong token"), {"ok": False, "error": "ACCESS_TOKEN_INVALID"}, 200)
        if request.path_params["method"] == "checkVerificationStatus":
            return JSONResponse({"ok": False, "error": "REQUEST_ID_INVALID"})
        try:
            require(request.path_params["method"] == "sendVerificationMessage", "UNKNOWN_METHOD")
            require(body.keys() <= MEMBERS, "UNKNOWN_MEMBER")
            require(re.fullmatch(r"\+[1-9]\d{6,14}", body.get("phone_number", "")), "PHONE_NUMBER_INVALID")
            require(re.fullmatch(r"\d{4,8}", body.get("code", "")), "CODE_INVALID")
            require(30 <= body.get("ttl", 60) <= 3600, "TTL_INVALID")
            require(len(body.get("payload", "").encode()) <= 128, "PAYLOAD_INVALID")
        except Wrong as refusal:
            return self.refuse(refusal, {"ok": False, "error": str(refusal)}, 200)
        if body["phone_number"] in self.unreachable:
            return JSONResponse({"ok": False, "error": "PHONE_NUMBER_NOT_AVAILABLE"})
        self.sent.append(body)
        status = {"request_id": f"r{len(self.sent)}", "phone_number": body["phone_number"][1:]}
        return self.fault() or JSONResponse({"ok": True, "result": {**status, "request_cost": 0.01}})
