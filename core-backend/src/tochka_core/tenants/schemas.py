"""Bodies of the tenants API, and what other slices are told of tenants and members."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from tochka_core.accounts.schemas import MAX_NAME, PLAIN, Locale, plain

Role = Literal["owner", "admin", "staff"]
Appointed = Literal["admin", "staff"]

TenantName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME),
    AfterValidator(plain),
    Field(json_schema_extra={"pattern": rf"^{PLAIN}*{PLAIN[:-1]}\s]{PLAIN}*$"}),  # not of spaces alone
]


@dataclass(frozen=True, slots=True)
class TenantContract:
    """A tenant, as other slices see it."""

    id: UUID
    name: str
    locale: str
    created_at: datetime


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


class MemberUpdate(BaseModel):
    """What a member becomes. Owner is nothing that one is made: see `offer_handover`."""

    role: Appointed


class InvitationCreate(BaseModel):
    """Whom to invite, and as what: at most what the inviter is."""

    phone: Annotated[str, Field(max_length=64, examples=["+7 999 123-45-67"])]
    role: Role


class InvitationRead(BaseModel):
    """An open invitation, as the tenant sees it."""

    id: UUID
    phone: str
    role: Role
    invited_by: UUID
    created_at: datetime
    expires_at: datetime


class InvitationMade(InvitationRead):
    """A new invitation. `token` finds it for whoever holds the phone; it is told here and nowhere else."""

    token: str


class InvitationOfPerson(BaseModel):
    """An invitation, as the invited person sees it. The name may be empty."""

    id: UUID
    tenant_id: UUID
    tenant_name: str
    role: Role
    invited_by_name: str
    created_at: datetime
    expires_at: datetime


class InvitationToken(BaseModel):
    """What the inviter passed on."""

    token: Annotated[str, Field(min_length=1, max_length=64)]


class HandoverCreate(BaseModel):
    """The member to whom the tenant is offered."""

    user_id: UUID


class HandoverRead(BaseModel):
    """The tenant is offered by its owner to a member, who has not answered yet."""

    from_user_id: UUID
    to_user_id: UUID
    created_at: datetime
    expires_at: datetime
