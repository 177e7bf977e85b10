"""An owner's own system at the end of a webhook endpoint, by script, on a real socket."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import svix
from standardwebhooks.webhooks import Webhook
from tochka_sdk import events, webhooks
from tochka_sdk.errors import Unauthenticated

from core_kit.modules import ScriptedModule
from core_kit.people import API, Owner
from core_kit.running import RunningCore
from core_kit.webhook_endpoints import ENDPOINTS, endpoint_of

DELIVERIES = f"{API}/deliveries"


@dataclass
class ScriptedReceiver(ScriptedModule):
    """Takes what is signed with one of its `secrets`, and answers as `on` says, 200 otherwise."""

    door: str = "/hook"
    secrets: list[str] = field(default_factory=list)
    made: dict[str, Any] = field(default_factory=dict)

    @property
    def hook(self) -> str:
        """The address that its endpoint has."""
        return f"{self.url}{self.door}"

    @property
    def endpoint(self) -> str:
        """The path of its endpoint in the API."""
        return f"{ENDPOINTS}/{self.made['id']}"

    def _verify(self, headers: dict[str, str], body: bytes) -> None:
        """`v1` with the published libraries and each secret, `v1a` with the platform's key."""
        envelope = events.parse(body)
        webhooks.verify(headers, body, public_keys=self.resources.keyring.jwks()["tochka_whpk"])
        for secret in self.secrets:
            Webhook(secret).verify(body, headers)
            svix.Webhook(secret).verify(body, headers)
        if headers["webhook-id"] != envelope.id or envelope.receiver != self.made["id"]:
            raise Unauthenticated("this copy is for somebody else")


@asynccontextmanager
async def receiver_of(core: RunningCore, owner: Owner, **wanted: Any) -> AsyncIterator[ScriptedReceiver]:
    """A fresh receiver, listening, with an endpoint of the owner's tenant; `wanted` are its fields."""
    receiver = ScriptedReceiver(f"r-{secrets.token_hex(6)}", core.resources)
    await receiver.start()
    try:
        receiver.made = await endpoint_of(owner, url=receiver.hook, **wanted)
        receiver.secrets = [receiver.made["secret"]]
        yield receiver
    finally:
        await receiver.stop()
