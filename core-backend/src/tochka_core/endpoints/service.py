"""Rules of webhook endpoints: what may be one, who may see its secret, when it is disabled."""

from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.exceptions import InvalidTag
from tochka_sdk import clock, webhooks
from tochka_sdk.db import Connection
from tochka_sdk.ids import uuid7

from tochka_core.audit import public as audit
from tochka_core.audit.public import Actor
from tochka_core.audit.schemas import Action, Detail
from tochka_core.endpoints import repository
from tochka_core.endpoints.errors import EndpointUnknown, TooManyEndpoints, UrlRefused
from tochka_core.endpoints.schemas import (
    EventTypeList,
    EventTypeRead,
    NewEndpoint,
    Patience,
    Receiver,
    Result,
    Sealed,
    WebhookEndpointCreate,
    WebhookEndpointRead,
    WebhookEndpointSecret,
    WebhookEndpointUpdate,
)
from tochka_core.endpoints.secrets import seal, unseal
from tochka_core.outbound.public import Policy, UrlDenied, check_url
from tochka_core.outbox import public as outbox
from tochka_core.outbox.events import WebhookEndpointDisabled, WebhookEndpointFailing
from tochka_core.paging import Page, PageRequest
from tochka_core.tenants.schemas import Member

MOST = 50
PATIENCE = Patience(timedelta(hours=120), failures=10, steps=(50, 70, 90, 100))


async def page(connection: Connection, tenant_id: UUID, asked: PageRequest) -> Page[WebhookEndpointRead]:
    """A page of the tenant's endpoints, newest first."""
    rows = await repository.list_endpoints(connection, tenant_id, asked.after, asked.fetch)
    return asked.page(rows, _read, lambda row: row["id"])


async def get(connection: Connection, tenant_id: UUID, endpoint_id: UUID) -> WebhookEndpointRead:
    """One endpoint."""
    row = await repository.find(connection, tenant_id, endpoint_id)
    if row is None:
        raise EndpointUnknown
    return _read(row)


async def create(
    connection: Connection, master: bytes, policy: Policy, member: Member, wanted: WebhookEndpointCreate
) -> WebhookEndpointSecret:
    """Add an endpoint with a secret of its own.

    Raises:
        UrlRefused: nothing would be sent to this address.
        TooManyEndpoints: there are enough.
    """
    _check(wanted.url, policy)
    if await repository.count_held(connection, member.tenant_id) >= MOST:
        raise TooManyEndpoints(MOST)
    endpoint_id, secret = uuid7(), webhooks.generate_secret()
    sealed = seal(master, member.tenant_id, endpoint_id, secret)
    await repository.add(
        connection, NewEndpoint(member.tenant_id, endpoint_id, **wanted.model_dump(), secret=sealed)
    )
    await _record(connection, "webhook_endpoint.created", member, endpoint_id, _where(wanted.url))
    made = await get(connection, member.tenant_id, endpoint_id)
    return WebhookEndpointSecret(**made.model_dump(), secret=secret)


async def update(
    connection: Connection, policy: Policy, member: Member, endpoint_id: UUID, change: WebhookEndpointUpdate
) -> WebhookEndpointRead:
    """Change what is named."""
    if change.url is not None:
        _check(change.url, policy)
    if not await repository.update(connection, member.tenant_id, endpoint_id, change):
        raise EndpointUnknown
    await _record_change(connection, member, endpoint_id, change)
    return await get(connection, member.tenant_id, endpoint_id)


async def _record_change(
    connection: Connection, member: Member, endpoint_id: UUID, change: WebhookEndpointUpdate
) -> None:
    fields = sorted(change.model_dump(exclude_none=True, exclude={"status"}))
    if fields:
        told: dict[str, Detail] = {"fields": ", ".join(fields)}
        await _record(connection, "webhook_endpoint.changed", member, endpoint_id, told)
    if change.status == "enabled":
        await _record(connection, "webhook_endpoint.enabled", member, endpoint_id, {})
    elif change.status == "disabled":
        told = {"reason": "owner"}
        await _record(connection, "webhook_endpoint.disabled", member, endpoint_id, told)


async def delete(connection: Connection, member: Member, endpoint_id: UUID) -> None:
    """Delete an endpoint; what waits for it is cancelled."""
    url = await repository.delete(connection, member.tenant_id, endpoint_id)
    if url is None:
        raise EndpointUnknown
    await _record(connection, "webhook_endpoint.deleted", member, endpoint_id, _where(url))


async def rotate_secret(
    connection: Connection, master: bytes, member: Member, endpoint_id: UUID, grace: timedelta
) -> WebhookEndpointSecret:
    """Give an endpoint a new secret; the one before signs along until the grace is over, an older one no
    more.
    """
    secret = webhooks.generate_secret()
    sealed = seal(master, member.tenant_id, endpoint_id, secret)
    if not await repository.rotate(connection, member.tenant_id, endpoint_id, sealed, grace):
        raise EndpointUnknown
    told: dict[str, Detail] = {"grace_seconds": int(grace.total_seconds())}
    await _record(connection, "webhook_endpoint.rotated", member, endpoint_id, told)
    made = await get(connection, member.tenant_id, endpoint_id)
    return WebhookEndpointSecret(**made.model_dump(), secret=secret)


def to_keep(master: bytes, tenant_id: UUID, made: WebhookEndpointSecret) -> dict[str, Any]:
    """An answer as it is kept for whoever repeats the request: its secret sealed."""
    sealed = seal(master, tenant_id, made.id, made.secret)
    return {**made.model_dump(mode="json", exclude={"secret"}), "sealed": b64encode(sealed).decode()}


def kept(master: bytes, tenant_id: UUID, body: Mapping[str, Any]) -> WebhookEndpointSecret:
    """The answer that `to_keep` made ready."""
    secret = unseal(master, tenant_id, UUID(body["id"]), b64decode(body["sealed"]))
    return WebhookEndpointSecret.model_validate({**body, "secret": secret})


@cache
def event_types() -> EventTypeList:
    """The catalogue of events."""
    items = [EventTypeRead.model_validate(event) for event in outbox.published()]
    return EventTypeList(items=items)


def open_secrets(master: bytes, tenant_id: UUID, endpoint_id: UUID, sealed: Sealed) -> list[str]:
    """The `whsec_` secrets that sign now: the newest first, and the one before while its grace lasts, if it
    can be opened. Raises `InvalidTag` if the newest cannot: another master secret sealed it.
    """
    secrets = [unseal(master, tenant_id, endpoint_id, sealed.secret)]
    if sealed.previous_secret and sealed.previous_until and sealed.previous_until > clock.now():
        with suppress(InvalidTag):  # a new one is the remedy for one that cannot be opened
            secrets.append(unseal(master, tenant_id, endpoint_id, sealed.previous_secret))
    return secrets


async def list_receivers(connection: Connection, tenant_ids: Sequence[UUID]) -> dict[UUID, list[Receiver]]:
    """The endpoints of each of these tenants, disabled ones too, oldest first."""
    found: dict[UUID, list[Receiver]] = {}
    for row in await repository.list_receivers(connection, tenant_ids):
        receiver = Receiver(row["id"], row["event_types"], row["ordered"])
        found.setdefault(row["tenant_id"], []).append(receiver)
    return found


async def note_results(connection: Connection, results: Iterable[Result]) -> None:
    """What attempts say of their endpoints (jobs role): one that fails for too long is disabled, after
    warnings; one that says that it is gone, at once. What one took counts for more than what it did not.
    """
    results = list(results)
    delivered = {(result.tenant_id, result.endpoint_id) for result in results if result.delivered}
    gone = {(result.tenant_id, result.endpoint_id) for result in results if result.gone}
    keys = Counter((result.tenant_id, result.endpoint_id) for result in results)
    failed = {key: count for key, count in keys.items() if key not in delivered | gone}
    if delivered:
        await repository.note_delivered(connection, sorted(delivered))
    for row in await repository.note_gone(connection, sorted(gone)) if gone else ():
        await _tell_disabled(connection, row["tenant_id"], row["id"], "gone")
    for row in await repository.note_failed(connection, failed, PATIENCE) if failed else ():
        if row["warned_percent"] == PATIENCE.steps[-1]:
            await _tell_disabled(connection, row["tenant_id"], row["id"], "failing")
        else:
            await _tell_failing(connection, row["tenant_id"], row["id"], row["warned_percent"])


async def _tell_failing(connection: Connection, tenant_id: UUID, endpoint_id: UUID, percent: int) -> None:
    body = WebhookEndpointFailing(endpoint_id=endpoint_id, percent=percent)
    await outbox.record(connection, tenant_id=tenant_id, type="webhook_endpoint.failing", data=body)
    await audit.record(
        connection,
        "webhook_endpoint.failing",
        tenant_id=tenant_id,
        subject_id=endpoint_id,
        data={"percent": percent},
    )


async def _tell_disabled(connection: Connection, tenant_id: UUID, endpoint_id: UUID, reason: str) -> None:
    body = WebhookEndpointDisabled(endpoint_id=endpoint_id, reason=reason)
    await outbox.record(connection, tenant_id=tenant_id, type="webhook_endpoint.disabled", data=body)
    await audit.record(
        connection,
        "webhook_endpoint.disabled",
        tenant_id=tenant_id,
        subject_id=endpoint_id,
        data={"reason": reason},
    )


async def _record(
    connection: Connection, action: Action, member: Member, endpoint_id: UUID, data: Mapping[str, Detail]
) -> None:
    await audit.record(
        connection,
        action,
        by=Actor(member.user_id, member.session_id),
        tenant_id=member.tenant_id,
        subject_id=endpoint_id,
        data=data,
    )


def _where(url: str) -> dict[str, Detail]:
    """Which address, for the trail: the host alone, since paths and queries may be secrets."""
    return {"host": urlsplit(url).hostname}


def _check(url: str, policy: Policy) -> None:
    try:
        check_url(url, policy)
    except UrlDenied as denied:
        raise UrlRefused(str(denied)) from None


def _read(row: Any) -> WebhookEndpointRead:
    return WebhookEndpointRead.model_validate(dict(row))
