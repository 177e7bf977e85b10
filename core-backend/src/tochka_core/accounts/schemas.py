"""Bodies of the accounts API."""

import unicodedata
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from tochka_core.channels.schemas import Carrier, ChannelKind, Link

TokenDelivery = Literal["cookie", "body"]
Locale = Literal["ru", "en"]

MAX_NAME = 120
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    """Refuse what cannot be stored or would deceive a reader: controls, lone surrogates, bidi overrides."""
    if any(unicodedata.category(sign) in ("Cc", "Cs") or sign in _BIDI_CONTROLS for sign in text):
        raise ValueError("must be plain text in one line")
    return text


PLAIN = r"[^\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]"  # `plain`, as clients are told of it
PersonName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MAX_NAME),
    AfterValidator(plain),
    Field(json_schema_extra={"pattern": f"^{PLAIN}*$"}),
]


class ChallengeCreate(BaseModel):
    """Who asks for a code, and how it shall travel."""

    phone: Annotated[str, Field(max_length=64, examples=["+7 999 123-45-67"])]
    channel: ChannelKind
    token_delivery: TokenDelivery = Field(
        default="cookie", description="`body` is for native clients that keep the refresh token themselves."
    )


class ChannelRead(BaseModel):
    """One way that codes can come here; by SMS, all channels are one and the same."""

    channel: ChannelKind
    carrier: Carrier


class ChannelsRead(BaseModel):
    """What is set up; empty when nobody can sign in."""

    channels: list[ChannelRead]


class ChallengeRead(BaseModel):
    """A code is on its way, or waits in the bot behind the link; the same for known and unknown phones."""

    challenge_id: UUID
    channel: ChannelKind
    carrier: Carrier = Field(
        description="`messenger` and `sms` bring the code by themselves; `bot` gives it to whoever opens the "
        "link; `inbox` is for development."
    )
    links: list[Link]
    code_length: int
    expires_at: datetime
    resend_at: datetime


class UserRead(BaseModel):
    """A person."""

    id: UUID
    phone: str
    name: str
    locale: Locale
    created_at: datetime


class UserUpdate(BaseModel):
    """What a person changes; what is left out stays."""

    name: PersonName | None = None
    locale: Locale | None = None


class SessionRead(BaseModel):
    """One place where the person is signed in."""

    id: UUID
    user_agent: str
    ip: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool


class SignOut(BaseModel):
    """What a native client says when it signs out."""

    refresh_token: Annotated[str, Field(max_length=256)] | None = None
