"""Bodies of signing up, signing in and refreshing."""

import re
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from tochka_core.accounts.schemas import Locale, PersonName, UserRead
from tochka_core.tenants.schemas import TenantOfPerson

SEPARATORS = re.compile(r"[\s-]+")


def _joined(typed: object) -> object:
    """People copy codes as "123 456" or "123-456"."""
    return SEPARATORS.sub("", typed) if isinstance(typed, str) else typed


Code = Annotated[str, BeforeValidator(_joined), Field(pattern=r"^[0-9]{6}$", examples=["123456"])]


class Confirm(BaseModel):
    """The code that arrived; names and language matter only to somebody new."""

    code: Code
    name: PersonName | None = None
    tenant_name: PersonName | None = None
    locale: Locale = "ru"


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
