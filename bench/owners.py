"""Owners of businesses, made and served as the browser does it: over HTTP, through the gateway."""

import secrets
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

API = "/api/v1"
MODULE = "shop"
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Installation:
    """What the answer to an activation says."""

    id: str
    host: str


class Owner:
    """One signed-in owner of one fresh tenant."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, trust_env=False)
        self._port = httpx.URL(url).port

    async def __aenter__(self) -> Self:
        phone = f"+7999{secrets.randbelow(10_000_000):07d}"
        challenge = await self._call("POST", "/auth/challenges", {"phone": phone, "channel": "max"})
        inbox = await self._call("GET", f"/dev/inbox?phone=%2B{phone[1:]}")
        path = f"/auth/challenges/{challenge['challenge_id']}/confirm"
        session = await self._call("POST", path, {"code": inbox[0]["code"]})
        self._client.headers["Authorization"] = f"Bearer {session['access_token']}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def activate(self) -> Installation:
        """Activate the shop at a fresh address."""
        wanted = {"module": MODULE, "subdomain": f"bench-{secrets.token_hex(6)}"}
        made = await self._call("POST", "/installations", wanted)
        return Installation(made["id"], made["host"])

    async def storefront_answers(self, installation: Installation) -> bool:
        """Whether a visitor who opens the address gets the shop."""
        answer = await self._client.get(
            "/", headers={"Host": f"{installation.host}:{self._port}", "Authorization": ""}
        )
        return answer.status_code == 200

    async def is_live(self, installation: Installation) -> bool:
        """Whether the core says that it is live.

        Raises:
            RuntimeError: the activation failed.
        """
        shown = await self._call("GET", f"/installations/{installation.id}")
        if shown["status"] in {"failed", "gone"}:
            raise RuntimeError(f"an activation failed: {shown['failure']}")
        return bool(shown["status"] == "live")

    async def _call(self, method: str, path: str, body: object = None) -> Any:
        host = {"Host": f"localhost:{self._port}"}
        answer = await self._client.request(method, API + path, json=body, headers=host)
        if answer.is_error:
            raise RuntimeError(f"{method} {path} was answered with {answer.status_code}: {answer.text}")
        return answer.json()
