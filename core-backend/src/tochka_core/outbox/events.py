"""News that only tenants' own endpoints hear; what modules hear is in `tochka_sdk.events`."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from pydantic import AwareDatetime, BaseModel
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
    """`installation.live`: the module is ready, the storefront answers at `host`."""

    module: str
    host: str


class InstallationFailed(Body):
    """`installation.failed`: an activation could not be finished; `installation.removed` follows. `code` is a
    stable word, `detail` says it in a sentence.
    """

    module: str
    code: str
    detail: str


class SubscriptionState(Body):
    """What a subscription is now. `status` is as in `GET /subscriptions/{id}`."""

    subscription_id: UUID
    module: str
    plan: str
    status: str
    trial_ends_at: AwareDatetime | None = None


class SubscriptionCreated(SubscriptionState):
    """`subscription.created`: a module was activated, for a trial or at once for real."""


class SubscriptionChanged(SubscriptionState):
    """`subscription.changed`: it was suspended or opened again."""


class SubscriptionCancelled(SubscriptionState):
    """`subscription.cancelled`: it has ended for good; `void` if nothing ever came of it, else `canceled`."""


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
        "installation.failed": InstallationFailed,
        "subscription.created": SubscriptionCreated,
        "subscription.changed": SubscriptionChanged,
        "subscription.cancelled": SubscriptionCancelled,
        "webhook_endpoint.failing": WebhookEndpointFailing,
        "webhook_endpoint.disabled": WebhookEndpointDisabled,
    }
)
"""Every type that may be recorded, and what its `data` is."""

FOR_MODULES = frozenset(EVENTS)
"""What modules are told, each of its own installations and of their tenants."""

FOR_ALL_MODULES = frozenset({"tenant.updated", "member.changed", "member.left"})
"""News about the tenant as a whole: each module with an installation of the tenant hears it."""

FOR_TENANTS = frozenset(
    {
        *("tenant.updated", "member.joined", "member.changed", "member.left"),
        *("installation.live", "installation.failed", "installation.removed"),
        *("subscription.created", "subscription.changed", "subscription.cancelled"),
        *("domain.added", "domain.removed"),
        *("webhook_endpoint.failing", "webhook_endpoint.disabled"),
    }
)
"""What tenants' own endpoints may ask for. Licenses and tickets are for modules alone: what carries one is
never among these. `installation.removed`, a command for its module, is news for them.
"""

ON_REQUEST = frozenset({"ping"})
"""What an endpoint is told only when its owner tests it."""
