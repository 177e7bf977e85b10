"""Bodies of the tenants API, and what other slices are told of tenants and members."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, StringConstraints

from tochka_core.accounts.schemas import MAX_NAME, Locale, plain

Role = Literal["owner", "admin", "staff"]

TenantName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME),
    AfterValidator(plain),
]


@dataclass(frozen=True, slots=True)
class TenantContract:
    """A tenant, as other slices see it."""

    id: UUID
    name: str
    locale: str


@dataclass(frozen=True, slots=True)
class Member:
    """A person who acts for a tenant of theirs."""

    tenant: TenantContract
    user_id: UUID
    session_id: UUID
    role: Role

    @property
    def tenant_id(self) -> UUID:
        """The tenant's id."""
        return self.tenant.id


class TenantCreate(BaseModel):
    """One more business."""

    name: TenantName
    locale: Locale = "ru"


class TenantUpdate(BaseModel):
    """What is changed; what is left out stays."""

    name: TenantName | None = None
    locale: Locale | None = None


class TenantRead(BaseModel):
    """A tenant, and what the person who asks is in it."""

    id: UUID
    name: str
    locale: Locale
    role: Role
    created_at: datetime


class TenantOfPerson(BaseModel):
    """A tenant in the list that comes with a session."""

    id: UUID
    name: str
    role: Role


class MemberRead(BaseModel):
    """A member; the phone is masked for staff."""

    user_id: UUID
    name: str
    phone: str
    role: Role
    joined_at: datetime
