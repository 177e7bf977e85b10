"""The platform's side of the wire, for those who play it: signed events, licenses and tickets for one
module.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from joserfc.jwk import OKPKey
from pydantic import BaseModel

from tochka_sdk import clock, license, tickets, tokens, webhooks
from tochka_sdk.events import Envelope
from tochka_sdk.ids import uuid7
from tochka_sdk.keys import WHPK_MEMBER
from tochka_sdk.license import Access, Entitlement, License
from tochka_sdk.tickets import Role, Ticket


@dataclass(frozen=True, slots=True)
class FreshInstallation:
    """An installation that somebody who plays the platform made up: new ids, a host of its own."""

    tenant_id: UUID = field(default_factory=uuid7)
    id: UUID = field(default_factory=uuid7)
    label: str = field(default_factory=lambda: f"t{secrets.token_hex(6)}")
    domain: str = "localhost"
    scheme: str = "http"
    tenant_name: str = "Лавка"
    locale: str = "ru"
    plan: str = "start"

    @property
    def host(self) -> str:
        """Its host, without a port."""
        return f"{self.label}.{self.domain}"

    @property
    def url(self) -> str:
        """Its public address."""
        return f"{self.scheme}://{self.host}"


@lru_cache(maxsize=1024)
def receiver_secret(master: bytes, receiver: str) -> str:
    """The `whsec_` secret of one receiver, derived from the platform's master secret: none is stored."""
    digest = hmac.digest(master, b"webhook-receiver:" + receiver.encode(), hashlib.sha256)
    return webhooks.SECRET_PREFIX + base64.b64encode(digest).decode()


class PlatformSigner:
    """Signs as the platform does.

    Args:
        module_id: the module that everything is meant for.
        issuer: the `iss` that the module expects.
        webhook_key: `whsk_…` for `v1a`; a fresh one when None. So for the three others: `whsec_…` for `v1`,
            and two Ed25519 keys.
        entitlements: what a plan grants, by its code, for licenses that say nothing else; a manifest's
            `entitlements_of`, for example.
    """

    def __init__(
        self,
        module_id: str,
        *,
        issuer: str,
        webhook_key: str | None = None,
        secret: str | None = None,
        signing_key: OKPKey | None = None,
        license_key: OKPKey | None = None,
        entitlements: Callable[[str], Mapping[str, Entitlement]] | None = None,
    ) -> None:
        self.module_id = module_id
        self.issuer = issuer
        self.webhook_key = webhook_key or webhooks.generate_keypair()[0]
        self.secret = secret or webhooks.generate_secret()
        self.signing_key = signing_key or tokens.generate_key()
        self.license_key = license_key or tokens.generate_key()
        self._entitlements = entitlements or (lambda _plan: {})
        self._sequences: dict[UUID, int] = {}

    def jwks(self) -> dict[str, Any]:
        """The public keys, as `jwks.json`."""
        return {
            "keys": [tokens.public_jwk(self.signing_key), tokens.public_jwk(self.license_key)],
            WHPK_MEMBER: [webhooks.public_key_of(self.webhook_key)],
        }

    def event(
        self,
        type: str,
        body: BaseModel,
        installation: FreshInstallation,
        *,
        tenant_wide: bool = False,
        sequence: int | None = None,
    ) -> Envelope:
        """An event about an installation (or its tenant) with the next sequence, or the given one."""
        if sequence is None:
            sequence = self._sequences.get(installation.tenant_id, 0) + 1
        self._sequences[installation.tenant_id] = max(
            sequence, self._sequences.get(installation.tenant_id, 0)
        )
        return Envelope.of(
            type,
            body,
            tenant_id=installation.tenant_id,
            installation_id=None if tenant_wide else installation.id,
            sequence=sequence,
            receiver=self.module_id,
        )

    def sign(self, envelope: Envelope, *, age_s: int = 0) -> tuple[dict[str, str], bytes]:
        """The headers and the body of one attempt to deliver, made `age_s` seconds ago."""
        body = envelope.to_bytes()
        return self.sign_bytes(envelope.id, body, age_s=age_s), body

    def sign_bytes(self, msg_id: str, body: bytes, *, age_s: int = 0) -> dict[str, str]:
        """The headers of one attempt to deliver any bytes."""
        moment = int(clock.now().timestamp()) - age_s
        signed = webhooks.sign(msg_id, moment, body, secret=self.secret, private_key=self.webhook_key)
        return {**signed, "content-type": "application/json"}

    def license(
        self,
        installation: FreshInstallation,
        *,
        access: Access = "full",
        entitlements: Mapping[str, Entitlement] | None = None,
        version: int | None = None,
        issued: timedelta = timedelta(0),
        **changes: Any,
    ) -> str:
        """A license token; `issued` is how long ago, `changes` replace any member of the license."""
        moment = int((clock.now() - issued).timestamp())
        members: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.module_id,
            "sub": installation.id,
            "tenant_id": installation.tenant_id,
            "status": "trialing",
            "access": access,
            "plan": installation.plan,
            "entitlements": dict(
                self._entitlements(installation.plan) if entitlements is None else entitlements
            ),
            "version": int(clock.now().timestamp() * 1000) if version is None else version,
            "iat": moment,
            "exp": moment + license.LIFETIME_S,
            "grace_until": moment + license.GRACE_S,
        }
        return license.sign(License(**{**members, **changes}), self.license_key)

    def ticket(self, installation: FreshInstallation, *, role: Role = "owner", **changes: Any) -> str:
        """A fresh admin ticket; `changes` replace any member of it."""
        moment = int(clock.now().timestamp())
        members: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.module_id,
            "sub": installation.id,
            "tenant_id": installation.tenant_id,
            "user_id": uuid7(),
            "role": role,
            "locale": installation.locale,
            "jti": secrets.token_urlsafe(16),
            "iat": moment,
            "exp": moment + tickets.LIFETIME_S,
        }
        return tickets.sign(Ticket(**{**members, **changes}), self.signing_key)
