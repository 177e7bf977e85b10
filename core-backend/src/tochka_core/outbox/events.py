"""News that only tenants' own endpoints hear; what modules hear is in `tochka_sdk.events`."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from pydantic import BaseModel
from tochka_sdk.events import EVENTS, Body


class TenantCreated(Body):
    """`tenant.created`: somebody signed up or opened one more business."""

    name: str
    locale: str = "ru"


class MemberJoined(Body):
    """`member.joined`: a person became a member of the tenant."""

    user_id: UUID
    role: str


BODIES: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        **EVENTS,
        "tenant.created": TenantCreated,
        "member.joined": MemberJoined,
    }
)
"""Every type that may be recorded, and what its `data` is."""

FOR_ALL_MODULES = frozenset({"tenant.updated", "member.changed", "member.left"})
"""News about the tenant as a whole: each module with an installation of the tenant hears it."""
