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


class InstallationLive(Body):
    """`installation.live`: what was activated is open at its address."""

    module: str
    host: str


class SubscriptionChanged(Body):
    """`subscription.changed`: a subscription is trialing, active, suspended, canceled or void now."""

    subscription_id: UUID
    status: str


class WebhookEndpointFailing(Body):
    """`webhook_endpoint.failing`: an endpoint has taken nothing for `percent` of the time after which it is
    disabled.
    """

    endpoint_id: UUID
    percent: int


class WebhookEndpointDisabled(Body):
    """`webhook_endpoint.disabled`: nothing is sent to an endpoint any more, and what it would hear is kept.
    `reason` is `failing` or `gone` (it answered 410).
    """

    endpoint_id: UUID
    reason: str


SCHEMA_VERSION = 1
"""The version of events that are recorded now; an endpoint pins the one that it is told."""

BODIES: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        **EVENTS,
        "tenant.created": TenantCreated,
        "member.joined": MemberJoined,
        "installation.live": InstallationLive,
        "subscription.changed": SubscriptionChanged,
        "webhook_endpoint.failing": WebhookEndpointFailing,
        "webhook_endpoint.disabled": WebhookEndpointDisabled,
    }
)
"""Every type that may be recorded, and what its `data` is."""

FOR_ALL_MODULES = frozenset({"tenant.updated", "member.changed", "member.left"})
"""News about the tenant as a whole: each module with an installation of the tenant hears it."""

FOR_TENANTS = frozenset(
    {
        *("tenant.updated", "member.joined", "member.changed", "member.left"),
        *("domain.added", "domain.removed", "installation.live", "installation.removed"),
        "subscription.changed",
        *("webhook_endpoint.failing", "webhook_endpoint.disabled"),
    }
)
"""What tenants' own endpoints are told. Licenses and tickets are for modules alone."""
