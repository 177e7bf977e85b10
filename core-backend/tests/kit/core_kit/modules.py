"""A module that does what a test tells it, on a real socket, down to answers that are no HTTP."""

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import svix
from joserfc.jwk import OKPKey
from standardwebhooks.webhooks import Webhook
from tochka_core.catalogue import tasks as catalogue
from tochka_core.resources import Resources
from tochka_sdk import clock, events, tokens, webhooks
from tochka_sdk.errors import Unauthenticated
from tochka_sdk.events import Envelope
from tochka_sdk.tokens import generate_key

from core_kit.people import API
from core_kit.running import close_listener

PATIENCE_S = 30.0
REQUESTED = "installation.requested"
REMOVED = "installation.removed"


@dataclass(frozen=True)
class Received:
    """One request at the module's door."""

    envelope: Envelope
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> str:
        """The type of the event."""
        return self.envelope.type


Behaviour = Callable[[Received], Awaitable[bytes | None]]
"""What goes back over the wire; None closes the connection without a word."""


def raw(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A response as bytes."""
    head = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}"]
    head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def answers(status: int, body: object = None, **headers: str) -> Behaviour:
    """Answer with a status, and JSON if there is a body."""

    async def behave(_received: Received) -> bytes:
        return raw(status, b"" if body is None else json.dumps(body).encode(), **headers)

    return behave


def garbage() -> Behaviour:
    """Answer with bytes that are no HTTP."""

    async def behave(_received: Received) -> bytes:
        return b"\x00\xff\xfenonsense\r\n\r\n"

    return behave


def hangs_up() -> Behaviour:
    """Close the connection without an answer."""

    async def behave(_received: Received) -> None:
        return None

    return behave


def waits_for(gate: asyncio.Event, then: Behaviour) -> Behaviour:
    """Hold the request until the gate opens."""

    async def behave(received: Received) -> bytes | None:
        await gate.wait()
        return await then(received)

    return behave


def one_by_one(*behaviours: Behaviour) -> Behaviour:
    """One behaviour after the other; the last one for ever."""
    left = list(behaviours)

    async def behave(received: Received) -> bytes | None:
        return await (left.pop(0) if len(left) > 1 else left[0])(received)

    return behave


@dataclass
class ScriptedModule:
    """A module by script: `on` says how it answers an event of a type, 200 otherwise."""

    id: str
    resources: Resources
    key: OKPKey = field(default_factory=generate_key)
    on: dict[str, Behaviour] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    manifest_changes: dict[str, Any] = field(default_factory=dict)
    port: int = 0
    door: str = "/_tochka/webhooks"
    _server: asyncio.Server | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it answers, or would."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def public_key(self) -> dict[str, Any]:
        """What it is registered with."""
        return tokens.public_jwk(self.key)

    @property
    def effects(self) -> Counter[str]:
        """What has happened to it, an event that was repeated counted once: type → how many."""
        return Counter({r.envelope.id: r.event for r in self.received}.values())

    async def start(self) -> None:
        """Listen, on the port that it had before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections from now on, and cut those there are."""
        if self._server is not None:
            await close_listener(self._server)
            for writer in list(self._writers):
                writer.transport.abort()
            self._server = None

    async def wait_for(
        self, type: str, count: int = 1, *, installation_id: str | UUID | None = None
    ) -> list[Received]:
        """The requests with events of a type, as soon as there are so many."""
        wanted = None if installation_id is None else UUID(str(installation_id))

        def found() -> list[Received]:
            return [
                r for r in self.received if r.event == type and wanted in (None, r.envelope.installation_id)
            ]

        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: len(found()) >= count)
        return found()

    def token(self, **changes: Any) -> str:
        """A calling card of this module; `changes` replace claims."""
        now = int(clock.now().timestamp())
        audience = self.resources.addresses.issuer
        claims = {"iss": self.id, "sub": self.id, "aud": audience, "iat": now, "exp": now + 60}
        return tokens.encode("module+jwt", {**claims, **changes}, self.key)

    async def call(self, core_url: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Call the core's side door as this module."""
        headers = {"Authorization": f"Bearer {options.pop('token', None) or self.token()}"}
        async with httpx.AsyncClient(base_url=core_url, headers=headers, timeout=20) as client:
            return await client.request(method, f"{API}/module{path}", **options)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length") or 0))
        answer = await self._answer(method, path, headers, body)
        if answer is not None:
            writer.write(answer)
            await writer.drain()
        return answer is not None

    async def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes | None:
        if (method, path) == ("GET", "/.well-known/tochka-module.json"):
            return raw(200, json.dumps(self.manifest()).encode())
        if (method, path) != ("POST", self.door):
            return raw(404)
        try:
            self._verify(headers, body)
        except Exception as error:
            self.refused.append(repr(error))
            return raw(401)
        received = Received(events.parse(body), headers, body, asyncio.get_running_loop().time())
        async with self._changed:
            self.received.append(received)
            self._changed.notify_all()
        behave = self.on.get(received.event)
        return await behave(received) if behave else raw(200)

    def _verify(self, headers: dict[str, str], body: bytes) -> None:
        """Both signatures: `v1a` with the platform's key, `v1` with the published libraries."""
        keys = self.resources.keyring
        webhooks.verify(headers, body, public_keys=keys.jwks()["tochka_whpk"])
        Webhook(keys.receiver_secret(self.id)).verify(body, headers)
        svix.Webhook(keys.receiver_secret(self.id)).verify(body, headers)
        if headers["webhook-id"] != events.parse(body).id:
            raise Unauthenticated("webhook-id is not the event's id")

    def manifest(self) -> dict[str, Any]:
        """What stands at its well-known address."""
        both = {"ru": "Модуль", "en": "Module"}
        entitlements = [
            {"key": "products", "type": "static", "default": 10},
            {"key": "export", "type": "boolean", "default": False},
        ]
        plans = [
            {"code": "start", "name": both, "trial_days": 14, "entitlements": {"export": True}},
            {"code": "pro", "name": both, "trial_days": 0, "entitlements": {"products": None}},
        ]
        return {
            "manifest_version": 1,
            "id": self.id,
            "version": "1.0.0",
            "sdk_range": ">=0.1",
            "name": both,
            "summary": both,
            "description": both,
            "icon": "/icon.svg",
            "category": "commerce",
            "publisher": {"name": "Tests", "support_url": "https://example.org/help"},
            "endpoints": {"base_url": self.url},
            "admin_path": "/admin",
            "events": [REQUESTED, REMOVED, "license.updated"],
            "entitlements": entitlements,
            "suggested_plans": plans,
            **self.manifest_changes,
        }


@asynccontextmanager
async def registered_module(
    resources: Resources, jobs: Resources, **changes: Any
) -> AsyncIterator[ScriptedModule]:
    """A fresh module, listening and in the catalogue; `changes` are those of its manifest."""
    module = ScriptedModule(f"m-{secrets.token_hex(6)}", resources, manifest_changes=changes)
    await module.start()
    try:
        await catalogue.register(jobs, module.url, module.public_key)
        yield module
    finally:
        await module.stop()
