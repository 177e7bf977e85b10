"""Bodies of the accounts API."""

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from tochka_core.channels.schemas import Carrier, ChannelKind, Link

TokenDelivery = Literal["cookie", "body"]
Locale = Literal["ru", "en"]
Method = Literal["otp", "pwd"]
"""How somebody proved to be who it is, in the words of RFC 8176."""

MIN_PASSWORD, MAX_PASSWORD = 8, 128
SEPARATORS = re.compile(r"[\s-]+")
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


def _joined(typed: object) -> object:
    """People copy codes as "123 456" or "123-456"."""
    return SEPARATORS.sub("", typed) if isinstance(typed, str) else typed


def _can_be_hashed(password: SecretStr) -> SecretStr:
    """Refuse what no keyboard types."""
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in password.get_secret_value()):
        raise ValueError("must be text without control characters")
    return password


Code = Annotated[
    str,
    BeforeValidator(_joined),
    Field(
        pattern=r"^[0-9]{6}$",
        examples=["123456"],
        json_schema_extra={"pattern": r"^[\s-]*([0-9][\s-]*){6}$"},  # before it is joined
    ),
]
NewPassword = Annotated[
    SecretStr,
    Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD, description="Any characters; spaces count."),
    AfterValidator(_can_be_hashed),
]
TypedPassword = Annotated[
    SecretStr, Field(min_length=1, max_length=MAX_PASSWORD), AfterValidator(_can_be_hashed)
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


class PhoneChangeRead(BaseModel):
    """The person's way to another phone, proven already. It takes the place of the old one at `due_at`, which
    counts from when the old one was told; if nobody can be told, after as much time again.
    """

    id: UUID
    phone: str
    requested_at: datetime
    due_at: datetime


class ProfileRead(UserRead):
    """A person, as that person sees it. `phone` is empty when somebody else has proven to hold it by now."""

    has_password: bool
    phone_change: PhoneChangeRead | None = Field(
        description="A change of phone that is pending; `DELETE /me/phone-changes/{id}` stops it."
    )


class PasswordSet(BaseModel):
    """The new password. The current one is asked of whoever has one and did not sign in just now."""

    password: NewPassword
    current_password: TypedPassword | None = None


class OwnChallengeCreate(BaseModel):
    """Over which channel one's own phone shall get a code."""

    channel: ChannelKind


class Reauthentication(BaseModel):
    """A code that was sent for this, or the password."""

    challenge_id: UUID | None = None
    code: Code | None = None
    password: TypedPassword | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        with_code = self.challenge_id is not None and self.code is not None
        if with_code == (self.password is not None):
            raise ValueError("bring challenge_id and code, or password")
        return self


class Reauthenticated(BaseModel):
    """A fresh access token of the same session; the refresh token stays as it is."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  the name of a scheme
    expires_in: int = Field(description="Seconds until the access token ends.")
    recent_until: datetime = Field(description="Until when it opens what asks for a recent sign-in.")


class PhoneChangeCreate(BaseModel):
    """The new phone, and over which channel it shall get a code."""

    phone: Annotated[str, Field(max_length=64, examples=["+7 999 123-45-67"])]
    channel: ChannelKind


class PhoneProof(BaseModel):
    """The code that came to the new phone."""

    code: Code


class OldPhoneProof(BaseModel):
    """The code that came to the old phone."""

    challenge_id: UUID
    code: Code


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
