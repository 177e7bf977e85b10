"""Admin tickets: one click in the panel becomes a session in a module's admin.

The core signs a ticket (`typ: ticket+jwt`) that lives 60 seconds; the panel posts it as a form to the
module's `/_tochka/session`. A ticket is good once: the module stores its `jti`, which is not this file's
business.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from joserfc.jwk import OKPKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tochka_sdk import clock, tokens
from tochka_sdk.tokens import Jwks, TokenInvalid

TYP = "ticket+jwt"
LIFETIME_S = 60

Role = Literal["owner", "admin", "staff"]


class TicketInvalid(TokenInvalid):
    """401: not a ticket into this installation's admin, or not any more."""

    code = "tickets.invalid"


class Ticket(BaseModel):
    """What a ticket says: this person may enter the admin of this installation (`sub`) of this module
    (`aud`).

    Times are unix seconds. `name` is for greeting, if the core knows one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    iss: str
    aud: str
    sub: UUID
    tenant_id: UUID
    user_id: UUID
    role: Role
    locale: str = "ru"
    name: str = ""
    jti: str = Field(min_length=8, max_length=64)
    iat: int
    exp: int

    @property
    def installation_id(self) -> UUID:
        """The installation that it opens: `sub`."""
        return self.sub


def sign(ticket: Ticket, key: OKPKey) -> str:
    """The ticket as a token, signed with the platform's key."""
    return tokens.encode(TYP, ticket.model_dump(mode="json"), key)


def verify(token: str, jwks: Jwks, audience: str, issuer: str, now: datetime | None = None) -> Ticket:
    """The ticket, if it is genuine, for this module, and of this minute (5 s of leeway for the core's clock).

    Raises:
        tochka_sdk.tokens.UnknownKey: the key is not in `jwks`; fetch it anew and try once more.
        TicketInvalid: anything else, lateness included.
    """
    try:
        claims = tokens.decode(token, jwks, typ=TYP, issuer=issuer, audience=audience)
        ticket = Ticket.model_validate({**claims, "aud": audience})
    except tokens.UnknownKey:
        raise
    except (TokenInvalid, ValidationError):
        raise TicketInvalid("The ticket is not valid.") from None
    moment = (now or clock.now()).timestamp()
    if ticket.iat > moment + 5 or moment >= ticket.exp or ticket.exp - ticket.iat > 10 * LIFETIME_S:
        raise TicketInvalid("The ticket has expired.")
    return ticket
