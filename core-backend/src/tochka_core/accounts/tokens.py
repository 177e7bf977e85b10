"""Access tokens: `typ: at+jwt` (RFC 9068), Ed25519, ten minutes, checked without a database."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from tochka_sdk import clock, tokens
from tochka_sdk.ids import uuid7
from tochka_sdk.tokens import TokenInvalid

from tochka_core.accounts.errors import NotSignedIn
from tochka_core.accounts.schemas import Method
from tochka_core.audit.public import Actor
from tochka_core.resources import Resources

TYP = "at+jwt"
AUDIENCE = "tochka"
CLIENT = "panel"
LIFETIME = timedelta(minutes=10)
FUTURE = timedelta(seconds=30)  # instances' clocks may differ a little
MAX_LENGTH = 4096
REMEMBERED = 4096  # tokens whose signature need not be checked again; about 1 kB each


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever holds a valid access token; `tenant_id` is the one that the token was issued for, `auth_time`
    when the person was last asked for a code or a password.
    """

    user_id: UUID
    session_id: UUID
    tenant_id: UUID | None
    auth_time: datetime
    method: Method = "otp"

    def acting_from(self, address: str | None) -> Actor:
        """The same for the audit trail."""
        return Actor(self.user_id, self.session_id, address)


class Claimed(NamedTuple):
    """What a genuine token says: who it is, in which time."""

    person: Person
    begins: datetime
    ends: datetime


def issue(resources: Resources, claims: Person) -> str:
    """A fresh access token."""
    issued = clock.now()
    body: dict[str, Any] = {
        "iss": resources.addresses.issuer,
        "aud": AUDIENCE,
        "sub": str(claims.user_id),
        "sid": str(claims.session_id),
        "client_id": CLIENT,
        "jti": str(uuid7()),
        "iat": int(issued.timestamp()),
        "exp": int((issued + LIFETIME).timestamp()),
        "auth_time": int(claims.auth_time.timestamp()),
        "amr": [claims.method],
    }
    if claims.tenant_id is not None:
        body["tid"] = str(claims.tenant_id)
    return tokens.encode(TYP, body, resources.keyring.access)


def verify(resources: Resources, token: str) -> Person:
    """The claims of a valid access token; only the access keys count, not every key that is published.

    Raises:
        NotSignedIn: whatever is wrong with it.
    """
    if len(token) > MAX_LENGTH:
        raise NotSignedIn
    try:
        return _within(_proven(resources, token), clock.now())
    except (TokenInvalid, KeyError, TypeError, ValueError, OverflowError):
        raise NotSignedIn("The access token is not valid.") from None


def _proven(resources: Resources, token: str) -> Claimed:
    """What a genuine token says, whatever the time.

    A signature once found right stays right as long as the same keys count: what is remembered goes with the
    keyring. A forgery is not remembered.
    """
    keyring = resources.keyring
    claimed: Claimed | None = keyring.proven.get(token)
    if claimed is None:
        issuer = resources.addresses.issuer
        claims = tokens.decode(token, keyring.access_keys, typ=TYP, issuer=issuer, audience=AUDIENCE)
        claimed = _read(claims)
        if len(keyring.proven) >= REMEMBERED:
            keyring.proven.clear()
        keyring.proven[token] = claimed
    return claimed


def _read(claims: dict[str, Any]) -> Claimed:
    """The claims in their types; KeyError, TypeError or ValueError when one is missing."""
    if not (isinstance(claims["jti"], str) and isinstance(claims["client_id"], str)):
        raise TypeError("jti and client_id are text")
    tenant = claims.get("tid")
    person = Person(
        user_id=UUID(claims["sub"]),
        session_id=UUID(claims["sid"]),
        tenant_id=None if tenant is None else UUID(tenant),
        auth_time=_time(claims["auth_time"]),
    )
    begins = max(_time(claims["iat"]), _time(claims.get("nbf", 0)))
    return Claimed(person, begins - FUTURE, _time(claims["exp"]))


def _within(claimed: Claimed, moment: datetime) -> Person:
    """Who it is, in the token's time; else ValueError."""
    if not claimed.begins <= moment < claimed.ends:
        raise ValueError("out of its time")
    return claimed.person


def _time(seconds: Any) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError("times are numbers")
    return datetime.fromtimestamp(seconds, UTC)
