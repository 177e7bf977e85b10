"""Activation: from a wish to rows and one event, all in one transaction."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg
from tochka_sdk import clock
from tochka_sdk.db import Connection
from tochka_sdk.events import InstallationRequested
from tochka_sdk.ids import uuid7

from tochka_core.audit import public as audit
from tochka_core.audit.public import Actor
from tochka_core.catalogue.public import Offer, get_offer
from tochka_core.domains import public as domains
from tochka_core.domains.errors import HostTaken
from tochka_core.installations import repository, service
from tochka_core.installations.repository import Activation
from tochka_core.installations.schemas import InstallationCreate, InstallationRead
from tochka_core.outbox import public as outbox
from tochka_core.outbox.events import SubscriptionCreated
from tochka_core.outbox.schemas import NewEvent
from tochka_core.resources import Resources
from tochka_core.subscriptions import public as subscriptions
from tochka_core.subscriptions.schemas import SubscriptionBrief
from tochka_core.tenants.public import TenantHotTransaction
from tochka_core.tenants.schemas import Member


@dataclass(frozen=True, slots=True)
class Activated:
    """The installation, and whether this request made it (201) or found it (200)."""

    status: int
    installation: InstallationRead


async def activate(door: TenantHotTransaction, resources: Resources, wanted: InstallationCreate) -> Activated:
    """Reserve the address and write installation, trial, license, `installation.requested`, and who asked.

    The same tenant asking again for the same module at the same address, while that is provisioning or live,
    gets what is there.

    Raises:
        LabelMalformed, LabelReserved, HostTaken, HostQuarantined: the address cannot be had.
        ModuleUnknown, PlanUnknown: there is nothing like that to activate.
    """
    label = domains.require_label(wanted.subdomain)
    connection, member = door.connection, door.member
    offer = await get_offer(connection, wanted.module, wanted.plan)
    new = _plan(resources, member, offer, resources.addresses.host(label))
    try:
        created_at = await repository.activate(connection, new)
    except asyncpg.IntegrityConstraintViolationError as error:
        refusal = domains.refused(error)
        if refusal is None:
            raise
        raise refusal from error
    if created_at is None:
        found = await repository.find_at_host(connection, member.tenant_id, new.host, offer.module_id)
        if found is None:
            raise HostTaken
        return Activated(200, await service.read(connection, resources, member.tenant_id, found))
    await _record(connection, member, new)
    return Activated(
        201,
        InstallationRead(
            id=new.installation_id,
            module=new.module_id,
            status="provisioning",
            url=resources.addresses.storefront_url(new.host),
            host=new.host,
            subscription=SubscriptionBrief.model_validate(
                {
                    "id": new.subscription_id,
                    "status": new.subscription_status,
                    "plan": new.plan,
                    "trial_ends_at": new.trial_ends_at,
                }
            ),
            failure=None,
            created_at=created_at,
        ),
    )


async def _record(connection: Connection, member: Member, new: Activation) -> None:
    await audit.record(
        connection,
        "installation.activated",
        by=Actor(member.user_id, member.session_id),
        tenant_id=member.tenant_id,
        subject_id=new.installation_id,
        data={"module": new.module_id, "host": new.host},
    )


def _plan(resources: Resources, member: Member, offer: Offer, host: str) -> Activation:
    """Everything that will be written, decided before the first row is."""
    moment = clock.now()
    start = subscriptions.start(offer.trial_days, moment)
    terms = subscriptions.Terms(
        tenant_id=member.tenant_id,
        installation_id=uuid7(),
        module_id=offer.module_id,
        version=subscriptions.next_version(),
        status=start.status,
        access="full",
        plan=offer.plan,
        entitlements=offer.entitlements,
    )
    deadline = moment + resources.activation_deadline
    subscription = SubscriptionCreated(
        subscription_id=uuid7(),
        module=offer.module_id,
        plan=offer.plan,
        status=start.status,
        trial_ends_at=start.trial_ends_at,
    )
    return Activation(
        tenant_id=member.tenant_id,
        domain_id=uuid7(),
        host=host,
        installation_id=terms.installation_id,
        subscription_id=subscription.subscription_id,
        module_id=offer.module_id,
        plan=offer.plan,
        subscription_status=start.status,
        trial_ends_at=start.trial_ends_at,
        requested_by=member.user_id,
        deadline_at=deadline,
        license_version=terms.version,
        entitlements=dict(offer.entitlements),
        requested=_command(resources, member, terms, host, deadline),
        subscribed=outbox.prepare("subscription.created", subscription),
    )


def _command(
    resources: Resources, member: Member, terms: subscriptions.Terms, host: str, deadline: datetime
) -> NewEvent:
    """What the module is told, with its license."""
    body = InstallationRequested(
        module=terms.module_id,
        host=host,
        url=resources.addresses.storefront_url(host),
        tenant_name=member.tenant.name,
        locale=member.tenant.locale,
        plan=terms.plan,
        license=subscriptions.sign(resources, terms),
        deadline=deadline,
    )
    return outbox.prepare("installation.requested", body)
