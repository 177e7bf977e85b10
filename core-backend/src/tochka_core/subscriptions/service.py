"""Rules of subscriptions and licenses. Everything runs in its caller's transaction, in the tenant's scope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk import clock
from tochka_sdk import license as licenses
from tochka_sdk.db import Connection
from tochka_sdk.events import LicenseUpdated
from tochka_sdk.license import Access, License

from tochka_core.outbox import public as outbox
from tochka_core.paging import Page, PageRequest
from tochka_core.resources import Resources
from tochka_core.subscriptions import models, repository
from tochka_core.subscriptions.errors import SubscriptionEnded, SubscriptionUnknown
from tochka_core.subscriptions.schemas import SubscriptionBrief, SubscriptionRead

RUNNING = ("trialing", "active", "past_due", "paused")
UNENDED = (*RUNNING, "suspended")


@dataclass(frozen=True, slots=True)
class Terms:
    """What an installation may do: the row that its licenses are made from."""

    tenant_id: UUID
    installation_id: UUID
    module_id: str
    version: int
    status: str
    access: Access
    plan: str
    entitlements: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Start:
    """How a new subscription starts."""

    status: str
    trial_ends_at: datetime | None


def start(trial_days: int, moment: datetime) -> Start:
    """A trial, or at once for real where the plan has none."""
    if trial_days == 0:
        return Start("active", None)
    return Start("trialing", moment + timedelta(days=trial_days))


def next_version() -> int:
    """The version of a license written now: the clock in ms, so that it grows after a restore, too."""
    return int(clock.now().timestamp() * 1000)


def sign(resources: Resources, terms: Terms) -> str:
    """A fresh license from `terms`."""
    issued = int(clock.now().timestamp())
    statement = License(
        iss=resources.addresses.issuer,
        aud=terms.module_id,
        sub=terms.installation_id,
        tenant_id=terms.tenant_id,
        status=terms.status,
        access=terms.access,
        plan=terms.plan,
        entitlements=dict(terms.entitlements),
        version=terms.version,
        iat=issued,
        exp=issued + licenses.LIFETIME_S,
        grace_until=issued + licenses.GRACE_S,
    )
    return licenses.sign(statement, resources.keyring.license)


async def find_terms(connection: Connection, module_id: str, installation_id: UUID) -> Terms | None:
    """What an installation of a module may do, if the scope may see it."""
    row = await repository.find_license(connection, module_id, installation_id)
    return Terms(**row) if row else None


async def end(connection: Connection, tenant_id: UUID, subscription_id: UUID, *, as_void: bool) -> None:
    """End a subscription and close its license: `void` if nothing ever came of it, else `canceled`."""
    status = "void" if as_void else "canceled"
    row = await repository.change(connection, tenant_id, subscription_id, status, of=UNENDED)
    closed = await repository.relicense(
        connection, tenant_id, subscription_id, status, "closed", next_version()
    )
    if row is not None:
        await _tell(connection, tenant_id, "subscription.cancelled", row, closed)


async def suspend(
    connection: Connection, resources: Resources, tenant_id: UUID, subscription_id: UUID
) -> None:
    """Close what is subscribed to until `resume`: the module hears of it, the gateway stops at once."""
    status, _ = await _locked(connection, tenant_id, subscription_id)
    if status == "suspended":
        return
    row = await repository.change(connection, tenant_id, subscription_id, "suspended", of=RUNNING)
    await _announce(connection, resources, tenant_id, row, "closed")


async def resume(
    connection: Connection, resources: Resources, tenant_id: UUID, subscription_id: UUID
) -> None:
    """Open again what `suspend` closed."""
    status, trial_ends_at = await _locked(connection, tenant_id, subscription_id)
    if status != "suspended":
        return
    is_trial = trial_ends_at is not None and trial_ends_at > clock.now()
    opened = "trialing" if is_trial else "active"
    row = await repository.change(connection, tenant_id, subscription_id, opened, of=("suspended",))
    await _announce(connection, resources, tenant_id, row, "full")


async def _locked(
    connection: Connection, tenant_id: UUID, subscription_id: UUID
) -> tuple[str, datetime | None]:
    row = await repository.lock(connection, tenant_id, subscription_id)
    if row is None:
        raise SubscriptionUnknown
    if row["status"] not in UNENDED:
        raise SubscriptionEnded
    return row["status"], row["trial_ends_at"]


async def _announce(
    connection: Connection, resources: Resources, tenant_id: UUID, row: Any, access: Access
) -> None:
    """Write new terms; tell the module by its license, and the tenant."""
    licensed = await repository.relicense(
        connection, tenant_id, row["id"], row["status"], access, next_version()
    )
    for license in licensed:
        terms = Terms(**license)
        await outbox.record(
            connection,
            tenant_id=tenant_id,
            type="license.updated",
            data=LicenseUpdated(license=sign(resources, terms)),
            installation_id=terms.installation_id,
            module_id=terms.module_id,
        )
    await _tell(connection, tenant_id, "subscription.changed", row, licensed)


async def _tell(
    connection: Connection, tenant_id: UUID, type: str, row: Any, licensed: Sequence[Any]
) -> None:
    """Tell the tenant what a subscription is now; the event names the installation that runs under it."""
    await outbox.record(
        connection,
        tenant_id=tenant_id,
        type=type,
        data={
            "subscription_id": row["id"],
            "module": row["module_id"],
            "plan": row["plan"],
            "status": row["status"],
            "trial_ends_at": row["trial_ends_at"],
        },
        installation_id=licensed[0]["installation_id"] if licensed else None,
    )


async def briefs(
    connection: Connection, tenant_id: UUID, ids: Sequence[UUID]
) -> Mapping[UUID, SubscriptionBrief]:
    """Several subscriptions at once, by id."""
    rows = await repository.list_briefs(connection, tenant_id, ids)
    return {row["id"]: SubscriptionBrief(**row) for row in rows}


async def page(session: AsyncSession, tenant_id: UUID, asked: PageRequest) -> Page[SubscriptionRead]:
    """The tenant's subscriptions, newest first."""
    rows = await repository.list_subscriptions(session, tenant_id, asked.after, asked.fetch)
    return asked.page(rows, _read, lambda row: row.id)


async def get(session: AsyncSession, tenant_id: UUID, subscription_id: UUID) -> SubscriptionRead:
    """One subscription."""
    found = await repository.find(session, tenant_id, subscription_id)
    if found is None:
        raise SubscriptionUnknown
    return _read(found)


def _read(row: models.Subscription) -> SubscriptionRead:
    return SubscriptionRead.model_validate(
        {
            "id": row.id,
            "module": row.module_id,
            "status": row.status,
            "plan": row.plan,
            "trial_ends_at": row.trial_ends_at,
            "created_at": row.created_at,
            "ended_at": row.ended_at,
        }
    )
