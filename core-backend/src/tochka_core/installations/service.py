"""Rules for the life of an installation; each runs in its caller's transaction, in the tenant's scope."""

import secrets
from typing import Any, Literal
from uuid import UUID

from tochka_sdk import clock, tickets
from tochka_sdk.db import Connection
from tochka_sdk.events import InstallationRemoved
from tochka_sdk.ids import uuid7
from tochka_sdk.tickets import Ticket

from tochka_core.audit import public as audit
from tochka_core.audit.public import Actor
from tochka_core.domains import public as domains
from tochka_core.installations import repository
from tochka_core.installations.errors import Closed, InstallationUnknown, NotLive, NotProvisioning
from tochka_core.installations.schemas import AdminEntry, Failure, InstallationRead, Progress
from tochka_core.outbox import public as outbox
from tochka_core.outbox.events import InstallationFailed
from tochka_core.paging import Page, PageRequest
from tochka_core.resources import Resources
from tochka_core.subscriptions import public as subscriptions
from tochka_core.subscriptions.schemas import SubscriptionBrief
from tochka_core.tenants.public import TenantHotTransaction

SESSION_PATH = "/_tochka/session"


async def read(connection: Connection, resources: Resources, tenant_id: UUID, row: Any) -> InstallationRead:
    """An installation as it is shown, with its subscription."""
    briefs = await subscriptions.briefs(connection, tenant_id, [row["subscription_id"]])
    return _shown(resources, row, briefs[row["subscription_id"]])


async def get(door: TenantHotTransaction, resources: Resources, installation_id: UUID) -> InstallationRead:
    """One installation of the tenant."""
    tenant_id = door.member.tenant_id
    return await read(door.connection, resources, tenant_id, await _found(door, installation_id))


async def page(
    door: TenantHotTransaction, resources: Resources, asked: PageRequest
) -> Page[InstallationRead]:
    """The tenant's installations but for those that are gone, newest first: two queries, however many."""
    connection, tenant_id = door.connection, door.member.tenant_id
    rows = await repository.list_installations(connection, tenant_id, asked.after, asked.fetch)
    briefs = await subscriptions.briefs(connection, tenant_id, [row["subscription_id"] for row in rows])
    return asked.page(
        rows, lambda row: _shown(resources, row, briefs[row["subscription_id"]]), lambda row: row["id"]
    )


async def progress(
    connection: Connection, resources: Resources, tenant_id: UUID, installation_id: UUID
) -> Progress:
    """How far an activation has come."""
    row = await repository.find(connection, tenant_id, installation_id)
    if row is None:
        raise InstallationUnknown
    return Progress(
        status=row["status"],
        step=row["step"] if row["status"] == "provisioning" else row["status"],
        url=resources.addresses.storefront_url(row["host"]),
        failure=_failure(row),
    )


async def admit(door: TenantHotTransaction, resources: Resources, installation_id: UUID) -> AdminEntry:
    """A ticket into the module's admin for this member, good for a minute and for one use."""
    row = await _found(door, installation_id)
    if row["status"] != "live":
        raise NotLive
    member = door.member
    terms = await subscriptions.find_terms(door.connection, row["module_id"], installation_id)
    if terms is None or terms.access == "closed":
        raise Closed
    await _record(door, "installation.entered", installation_id)
    issued = int(clock.now().timestamp())
    ticket = Ticket(
        iss=resources.addresses.issuer,
        aud=row["module_id"],
        sub=installation_id,
        tenant_id=member.tenant_id,
        user_id=member.user_id,
        role=member.role,
        locale=member.tenant.locale,
        jti=secrets.token_urlsafe(24),
        iat=issued,
        exp=issued + tickets.LIFETIME_S,
    )
    return AdminEntry(
        action=resources.addresses.storefront_url(row["host"]) + SESSION_PATH,
        ticket=tickets.sign(ticket, resources.keyring.license),
    )


async def remove(door: TenantHotTransaction, installation_id: UUID) -> None:
    """End an installation for good, with its address, subscription and license; once, however often asked."""
    connection, tenant_id = door.connection, door.member.tenant_id
    row = await repository.lock(connection, tenant_id, installation_id)
    if row is None:
        raise InstallationUnknown
    if row["status"] == "gone":
        return
    await repository.remove(connection, tenant_id, installation_id)
    await _record(door, "installation.removed", installation_id)
    if row["status"] != "failed":
        await _dismantle(connection, tenant_id, installation_id, row, "removed")


async def mark_live(connection: Connection, tenant_id: UUID, installation_id: UUID) -> bool:
    """The module is ready: open the address. Whether the installation is live, now or already.

    A module that is late changes nothing: the deadline decides, also when it has not been acted on yet.
    """
    event_id, version = uuid7(), outbox.version_of("installation.live")
    if await repository.mark_live(connection, tenant_id, installation_id, event_id, version):
        await domains.open_hosts(connection, tenant_id, installation_id)
        return True
    return await repository.get_status(connection, tenant_id, installation_id) == "live"


async def note_step(connection: Connection, tenant_id: UUID, installation_id: UUID, step: str) -> None:
    """Say how far a provisioning installation has come, for whoever watches."""
    await repository.note_step(connection, tenant_id, installation_id, step)


async def undo(
    connection: Connection, tenant_id: UUID, installation_id: UUID, *, code: str, detail: str
) -> bool:
    """Undo an activation that cannot be finished: the name is free at once, the trial void, the module told.

    Whether there was anything to undo: of a `ready` and an `undo` at the same moment, one wins.
    """
    row = await repository.fail(connection, tenant_id, installation_id, code, detail)
    if row is None:
        return False
    await outbox.record(
        connection,
        tenant_id=tenant_id,
        type="installation.failed",
        data=InstallationFailed(module=row["module_id"], code=code, detail=detail),
        installation_id=installation_id,
    )
    await _dismantle(connection, tenant_id, installation_id, row, code)
    await audit.record(
        connection,
        "installation.undone",
        tenant_id=tenant_id,
        subject_id=installation_id,
        data={"reason": code},
    )
    return True


async def report_ready(connection: Connection, tenant_id: UUID, installation_id: UUID) -> None:
    """The module's word that it is ready. Raises `NotProvisioning` when nobody waits for it any more."""
    if not await mark_live(connection, tenant_id, installation_id):
        raise NotProvisioning


async def report_failed(
    connection: Connection, tenant_id: UUID, installation_id: UUID, *, code: str, detail: str
) -> None:
    """The module's word that it cannot. Raises `NotProvisioning` when it is live or gone already."""
    if await undo(connection, tenant_id, installation_id, code=code, detail=detail):
        return
    if await repository.get_status(connection, tenant_id, installation_id) != "failed":
        raise NotProvisioning


async def find_tenant(connection: Connection, module_id: str, installation_id: UUID) -> UUID:
    """Whose installation of this module it is. Raises `InstallationUnknown`, also for another module's."""
    tenant_id = await repository.find_tenant(connection, module_id, installation_id)
    if tenant_id is None:
        raise InstallationUnknown
    return tenant_id


async def _dismantle(
    connection: Connection, tenant_id: UUID, installation_id: UUID, row: Any, reason: str
) -> None:
    """Release the address, end the subscription, tell the module."""
    was_live = row.get("live_at") is not None
    await domains.release(connection, tenant_id, installation_id)
    await subscriptions.end(connection, tenant_id, row["subscription_id"], as_void=not was_live)
    await outbox.record(
        connection,
        tenant_id=tenant_id,
        type="installation.removed",
        data=InstallationRemoved(reason=reason),
        installation_id=installation_id,
        module_id=row["module_id"],
    )


async def _record(
    door: TenantHotTransaction,
    action: Literal["installation.entered", "installation.removed"],
    installation_id: UUID,
) -> None:
    member = door.member
    by = Actor(member.user_id, member.session_id)
    await audit.record(door.connection, action, by=by, tenant_id=member.tenant_id, subject_id=installation_id)


async def _found(door: TenantHotTransaction, installation_id: UUID) -> Any:
    row = await repository.find(door.connection, door.member.tenant_id, installation_id)
    if row is None:
        raise InstallationUnknown
    return row


def _failure(row: Any) -> Failure | None:
    code = row["failure_code"]
    return None if code is None else Failure(code=code, detail=row["failure_detail"])


def _shown(resources: Resources, row: Any, subscription: SubscriptionBrief) -> InstallationRead:
    return InstallationRead(
        id=row["id"],
        module=row["module_id"],
        status=row["status"],
        url=resources.addresses.storefront_url(row["host"]),
        host=row["host"],
        subscription=subscription,
        failure=_failure(row),
        created_at=row["created_at"],
    )
