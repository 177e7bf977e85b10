"""HTTP for webhook endpoints: parse, call the service, serialise. No decisions. Changes are where queues are:
`webhooks.api.changes`.
"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tochka_core.endpoints import service
from tochka_core.endpoints.schemas import (
    EventTypeList,
    SecretRotation,
    WebhookEndpointCreate,
    WebhookEndpointRead,
    WebhookEndpointSecret,
)
from tochka_core.idempotency.public import IdempotencyKey, fingerprint, remember, replay
from tochka_core.paging import Page, PageRequestDep
from tochka_core.resources import ResourcesDep
from tochka_core.tenants.public import AdminConnection, TenantHotTransaction

router = APIRouter(prefix="/webhook-endpoints", tags=["webhooks"])
types_router = APIRouter(tags=["webhooks"])


@types_router.get("/event-types", operation_id="list_event_types")
async def list_event_types() -> EventTypeList:
    """What modules and endpoints can be told, with the JSON Schema of each. Public."""
    return service.event_types()


@router.get("", operation_id="list_webhook_endpoints")
async def list_endpoints(door: AdminConnection, asked: PageRequestDep) -> Page[WebhookEndpointRead]:
    """The tenant's endpoints, newest first."""
    return await service.page(door.connection, door.member.tenant_id, asked)


@router.post(
    "", operation_id="create_webhook_endpoint", status_code=201, response_model=WebhookEndpointSecret
)
async def create_endpoint(
    door: AdminConnection, resources: ResourcesDep, wanted: WebhookEndpointCreate, key: IdempotencyKey = None
) -> WebhookEndpointSecret | Response:
    """Add an endpoint; the answer shows its secret, once."""
    master = resources.keyring.master
    mark = fingerprint("POST /webhook-endpoints", door.member.tenant_id, wanted)
    if key is not None and (again := await _again(door, master, key, mark)) is not None:
        return again
    made = await service.create(door.connection, master, resources.outbound_policy, door.member, wanted)
    if key is not None:
        await _remember(door, master, key, mark, 201, made)
    return made


@router.get("/{endpoint_id}", operation_id="get_webhook_endpoint")
async def get_endpoint(door: AdminConnection, endpoint_id: UUID) -> WebhookEndpointRead:
    """One endpoint."""
    return await service.get(door.connection, door.member.tenant_id, endpoint_id)


@router.delete("/{endpoint_id}", operation_id="delete_webhook_endpoint", status_code=204)
async def delete_endpoint(door: AdminConnection, endpoint_id: UUID) -> None:
    """Delete an endpoint; what waits for it is not sent any more."""
    await service.delete(door.connection, door.member, endpoint_id)


@router.post(
    "/{endpoint_id}/rotate-secret",
    operation_id="rotate_webhook_secret",
    response_model=WebhookEndpointSecret,
)
async def rotate_secret(
    door: AdminConnection,
    resources: ResourcesDep,
    endpoint_id: UUID,
    asked: SecretRotation | None = None,
    key: IdempotencyKey = None,
) -> WebhookEndpointSecret | Response:
    """Give an endpoint a new secret, shown once; the one before signs along for a while."""
    wanted = asked or SecretRotation()
    master, grace = resources.keyring.master, timedelta(seconds=wanted.grace_seconds)
    operation = f"POST /webhook-endpoints/{endpoint_id}/rotate-secret"
    mark = fingerprint(operation, door.member.tenant_id, wanted)
    if key is not None and (again := await _again(door, master, key, mark)) is not None:
        return again
    made = await service.rotate_secret(door.connection, master, door.member, endpoint_id, grace)
    if key is not None:
        await _remember(door, master, key, mark, 200, made)
    return made


async def _again(door: TenantHotTransaction, master: bytes, key: str, mark: str) -> Response | None:
    """The answer to the first request with this key, secret and all."""
    stored = await replay(door.connection, door.member.user_id, key, mark)
    if stored is None:
        return None
    made = service.kept(master, door.member.tenant_id, stored.body)
    return replace(stored, body=made.model_dump(mode="json")).response()


async def _remember(
    door: TenantHotTransaction, master: bytes, key: str, mark: str, status: int, made: WebhookEndpointSecret
) -> None:
    body = service.to_keep(master, door.member.tenant_id, made)
    await remember(door.connection, door.member.user_id, key, mark, status, body)
