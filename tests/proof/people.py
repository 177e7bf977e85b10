"""Clients of the platform: owners who activate shops, and visitors of those; all by the gateway."""

import asyncio
import itertools
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from tests.proof.journal import Journal, Seen

API = "/api/v1"
PATIENCE_S = 45.0
INSIST_S = 600.0
AGAIN_S = 0.2
HTML = {"Accept": "text/html,application/xhtml+xml"}
_phones = itertools.count(secrets.randbelow(5_000_000))


def fresh_phone() -> str:
    """A mobile number that nobody in this run has had."""
    return f"+7999{next(_phones):07d}"


@dataclass
class Browser:
    """One client with its cookies. Names are not resolved: the host stands in the header."""

    http: httpx.AsyncClient
    journal: Journal
    host: str
    headers: dict[str, str] = field(default_factory=dict)

    async def send(
        self,
        method: str,
        path: str,
        *,
        expected: tuple[str | int, ...] = (),
        page: bool = False,
        headers: Mapping[str, str] | None = None,
        **content: Any,
    ) -> Seen:
        """One request; whatever becomes of it is noted."""
        told = {"Host": self.host, **self.headers, **(HTML if page else {}), **(headers or {})}
        asked = f"{method} {self.host}{path}"
        try:
            answer = await self.http.request(method, path, headers=told, **content)
        except httpx.TransportError as error:
            return self.journal.note(Seen(asked, None, f"{type(error).__name__}: {error}"))
        media_type, location = (answer.headers.get(name, "") for name in ("content-type", "location"))
        seen = Seen(asked, answer.status_code, answer.text, media_type, location)
        return self.journal.note(seen, expected, page=page)


@asynccontextmanager
async def browser(url: str, journal: Journal, host: str = "localhost") -> AsyncIterator[Browser]:
    """A fresh one, for the platform or for a shop."""
    limits = httpx.Limits(max_connections=20, max_keepalive_connections=5, keepalive_expiry=10)
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, trust_env=False, limits=limits) as http:
        yield Browser(http, journal, f"{host}:{urlsplit(url).port}")


@dataclass
class Wish:
    """An address that an owner asked for with one key, and every installation named in answer to it."""

    label: str
    tenant_id: str
    key: str = field(default_factory=lambda: str(uuid4()))
    answered: set[str] = field(default_factory=set)
    refusal: str = ""


@dataclass
class Owner:
    """Somebody signed in, with one tenant."""

    browser: Browser
    tenant_id: str
    wishes: list[Wish] = field(default_factory=list)

    async def call(
        self, method: str, path: str, body: object = None, *, expected: tuple[str, ...] = (), **headers: str
    ) -> Seen:
        """One call of the API."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.browser.send(method, API + path, expected=expected, headers=named, json=body)

    def wish(self, label: str) -> Wish:
        """Make up one's mind."""
        wish = Wish(label, self.tenant_id)
        self.wishes.append(wish)
        return wish

    async def press(self, wish: Wish, *, expected: tuple[str, ...] = ()) -> Seen:
        """Press «activate» once; what the answer says is remembered."""
        body = {"module": "shop", "subdomain": wish.label}
        seen = await self.call("POST", "/installations", body, expected=expected, Idempotency_Key=wish.key)
        if seen.is_good:
            wish.answered.add(seen.body["id"])
        elif not seen.is_passing:
            wish.refusal = seen.code
        return seen

    async def activate(self, label: str, *, expected: tuple[str, ...] = ()) -> Wish:
        """Press until there is an answer, always with the same key."""
        wish = self.wish(label)
        await insist(lambda: self.press(wish, expected=expected))
        return wish

    async def outcome(self, installation_id: str) -> dict[str, Any]:
        """Ask until the activation has ended."""
        path = f"/installations/{installation_id}"
        async with asyncio.timeout(INSIST_S):
            while True:
                seen = await insist(lambda: self.call("GET", path))
                shown: dict[str, Any] = seen.body
                if not seen.is_good or shown["status"] != "provisioning":
                    return shown
                await asyncio.sleep(AGAIN_S)

    async def watch(self, installation_id: str) -> str:
        """Follow the events of an activation, again after every break; the status in which it ended."""
        async with asyncio.timeout(INSIST_S):
            while True:
                status = await self._follow(installation_id)
                if status in {"live", "failed"}:
                    return status
                await asyncio.sleep(AGAIN_S)

    async def _follow(self, installation_id: str) -> str:
        headers = {"Host": self.browser.host, **self.browser.headers}
        path = f"{API}/installations/{installation_id}/progress"
        status = ""
        try:
            async with self.browser.http.stream("GET", path, headers=headers) as answer:
                async for line in answer.aiter_lines():
                    if line.startswith("data: "):
                        status = json.loads(line.removeprefix("data: "))["status"]
        except httpx.TransportError:
            return status  # broken off: nothing was promised but what has been said
        return status


async def insist(ask: Callable[[], Awaitable[Seen]]) -> Seen:
    """Ask again and again, as a patient client does, until the answer is more than «later»."""
    async with asyncio.timeout(INSIST_S):
        while True:
            seen = await ask()
            if not seen.is_passing:
                return seen
            await asyncio.sleep(AGAIN_S)


async def sign_in(visitor: Browser, phone: str, *, expected: tuple[str, ...] = ()) -> Owner | None:
    """From a phone to a session; None when something was down on the way."""
    body = {"phone": phone, "channel": "max"}
    challenge = await visitor.send("POST", f"{API}/auth/challenges", json=body, expected=expected)
    if not challenge.is_good:
        return None
    inbox = await visitor.send("GET", f"{API}/dev/inbox", params={"phone": phone}, expected=expected)
    if not inbox.is_good or not inbox.body:
        return None
    path = f"{API}/auth/challenges/{challenge.body['challenge_id']}/confirm"
    answer = {"code": inbox.body[0]["code"], "tenant_name": f"Лавка {phone[-4:]}"}
    session = await visitor.send("POST", path, json=answer, expected=expected)
    if not session.is_good:
        return None
    visitor.headers["Authorization"] = f"Bearer {session.body['access_token']}"
    return Owner(visitor, session.body["tenants"][0]["id"])


@asynccontextmanager
async def owners(url: str, journal: Journal, count: int) -> AsyncIterator[list[Owner]]:
    """So many fresh owners; nothing may be down while they sign in."""
    async with AsyncExitStack() as stack:
        browsers = [await stack.enter_async_context(browser(url, journal)) for _ in range(count)]
        found = await asyncio.gather(*(sign_in(one, fresh_phone()) for one in browsers))
        signed_in = [owner for owner in found if owner is not None]
        assert len(signed_in) == count, journal.wrong
        yield signed_in
