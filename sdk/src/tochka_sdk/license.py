"""The license: the signed statement that a module acts on, verified offline.

Source: the platform's contract §5. A license is a compact JWS, `typ: license+jwt`, Ed25519. Its `version`
only grows (it is at least the clock in ms), so the newer of two is always known; `exp` is 24 h after `iat`,
and while the core is away it goes on working until `grace_until`. `access: closed` closes at once, whatever
the times say.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from joserfc.jwk import OKPKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tochka_sdk import clock, tokens
from tochka_sdk.tokens import Jwks, TokenInvalid

TYP = "license+jwt"
LIFETIME_S = 24 * 3600
GRACE_S = 72 * 3600

Access = Literal["full", "limited", "closed"]
Entitlement = bool | int | float | str | None


class LicenseInvalid(TokenInvalid):
    """401: the token is not a license for this module, or not one that holds now."""

    code = "license.invalid"


class License(BaseModel):
    """What a license says.

    `sub` is the installation, `aud` the module. `status` is the subscription's own word ("trialing",
    "active", "past_due", "canceled"…), for people; `access` is what a program acts on. `entitlements` are
    by key: a boolean for a feature, a number for a limit, null for «without limit». Times are unix seconds.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    iss: str
    aud: str
    sub: UUID
    tenant_id: UUID
    status: str
    access: Access
    plan: str
    entitlements: dict[str, Entitlement] = Field(default_factory=dict)
    version: int = Field(ge=0, lt=2**63)
    iat: int = Field(ge=0)
    exp: int
    grace_until: int

    @model_validator(mode="after")
    def _ordered(self) -> "License":
        if not self.iat <= self.exp <= self.grace_until:
            raise ValueError("iat, exp and grace_until stand in this order")
        return self

    @property
    def installation_id(self) -> UUID:
        """The installation that it is for: `sub`."""
        return self.sub

    @property
    def half_life(self) -> int:
        """The unix second at which a module asks for a newer one."""
        return (self.iat + self.exp) // 2

    def access_at(self, now: datetime | None = None) -> Access:
        """What is allowed at a moment: `access` until `grace_until`, `closed` after."""
        moment = (now or clock.now()).timestamp()
        return self.access if moment < self.grace_until else "closed"

    def allows(self, key: str, now: datetime | None = None) -> bool:
        """Whether the feature is bought and the installation not closed.

        A boolean means itself, a number above zero and null («without limit») mean yes, an unknown key
        means no.
        """
        if self.access_at(now) == "closed" or key not in self.entitlements:
            return False
        value = self.entitlements[key]
        return value is None or bool(value)

    def limit(self, key: str, now: datetime | None = None) -> float | None:
        """How much is bought: a number, None for «no limit», 0 when closed or not bought."""
        if self.access_at(now) == "closed" or key not in self.entitlements:
            return 0
        value = self.entitlements[key]
        if value is None or value is True:
            return None
        return value if isinstance(value, int | float) else 0


def sign(license: License, key: OKPKey) -> str:
    """The license as a token, signed with the platform's license key."""
    return tokens.encode(TYP, license.model_dump(mode="json"), key)


def read(token: str, jwks: Jwks, *, audience: str, issuer: str) -> License:
    """A license whose signature, kind, issuer and audience hold, whatever the time.

    Raises:
        tochka_sdk.tokens.UnknownKey: the key is not in `jwks`; fetch it anew and try once more.
        LicenseInvalid: anything else.
    """
    try:
        claims: dict[str, Any] = tokens.decode(token, jwks, typ=TYP, issuer=issuer, audience=audience)
        return License.model_validate({**claims, "aud": audience})
    except tokens.UnknownKey:
        raise
    except (TokenInvalid, ValidationError):
        raise LicenseInvalid("The license is not valid for this module.") from None


def verify(token: str, jwks: Jwks, audience: str, issuer: str, now: datetime | None = None) -> License:
    """As `read`, and the license holds now: issued in the past (30 s of leeway), and not beyond
    `grace_until`.
    """
    found = read(token, jwks, audience=audience, issuer=issuer)
    moment = (now or clock.now()).timestamp()
    if found.iat > moment + tokens.LEEWAY_S or moment >= found.grace_until:
        raise LicenseInvalid("The license does not hold now.")
    return found
