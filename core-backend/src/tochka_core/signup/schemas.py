"""Bodies of signing up, signing in and refreshing."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from tochka_core.accounts.schemas import (
    Code,
    Locale,
    PersonName,
    TokenDelivery,
    TypedPassword,
    UserRead,
)
from tochka_core.tenants.schemas import TenantOfPerson


class Newcomer(BaseModel):
    """What somebody new may be called; it matters to nobody else."""

    name: PersonName | None = None
    tenant_name: PersonName | None = None
    locale: Locale = "ru"


class Confirm(Newcomer):
    """The code that arrived; names and language matter only to somebody new."""

    code: Code


class Login(BaseModel):
    """A phone and its password."""

    phone: Annotated[str, Field(max_length=64, examples=["+7 999 123-45-67"])]
    password: TypedPassword
    token_delivery: TokenDelivery = Field(default="cookie", description="As with a challenge.")

    @property
    def wants_body(self) -> bool:
        """Whether the refresh token goes into the answer's body."""
        delivery = self.token_delivery
        return delivery == "body"


class Recover(Newcomer):
    """How to go on with a proven phone whose account may be somebody else's: with the account's password, or
    `anew`, which takes the phone from that account.
    """

    way: Literal["password", "anew"]
    password: TypedPassword | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.way == "password") != (self.password is not None):
            raise ValueError("bring the password with the way `password`, and with no other")
        return self


class Refresh(BaseModel):
    """Which tenant the new access token is for. Native clients bring their refresh token in the body."""

    tenant_id: UUID | None = None
    refresh_token: Annotated[str, Field(max_length=256)] | None = None


class Access(BaseModel):
    """An access token and whom it is for; `tenant_id` is the tenant it was issued for, if there is any."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds until the access token ends.")
    refresh_token: str | None = Field(
        description="For clients that asked for it here; else it is in a cookie."
    )
    tenant_id: UUID | None
    user: UserRead
    tenants: list[TenantOfPerson]


class SignedIn(Access):
    """The same after a code."""

    is_new_user: bool
