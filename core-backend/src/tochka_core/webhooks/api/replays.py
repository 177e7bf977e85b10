"""HTTP for owners: a test, and sending again what was missed."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from tochka_core.idempotency.public import IdempotencyKey, fingerprint, remember, replay
from tochka_core.paging import Page, PageRequestDep
from tochka_core.tenants.public import AdminConnection, TenantHotTransaction
from tochka_core.webhooks.schemas import RecoverRequest, ReplayCount, ReplayRead, ReplayRequest, TestSent
from tochka_core.webhooks.service import replays

router = APIRouter(tags=["webhooks"])


async def _once(
    door: TenantHotTransaction,
    key: str | None,
    operation: str,
    body: BaseModel | None,
    work: Callable[[], Awaitable[BaseModel]],
) -> BaseModel | Response:
    """Do the work, or give the answer that the first request with this key was given."""
    user_id, mark = door.member.user_id, fingerprint(operation, door.member.tenant_id, body)
    if key is not None and (stored := await replay(door.connection, user_id, key, mark)) is not None:
        return stored.response()
    answer = await work()
    if key is not None:
        await remember(door.connection, user_id, key, mark, 202, answer.model_dump(mode="json"))
    return answer


@router.post(
    "/webhook-endpoints/{endpoint_id}/test",
    operation_id="test_webhook_endpoint",
    status_code=202,
    response_model=TestSent,
)
async def send_test(
    door: AdminConnection, endpoint_id: UUID, key: IdempotencyKey = None
) -> BaseModel | Response:
    """Send a `ping`, signed and retried like every event."""

    async def work() -> TestSent:
        event_id = await replays.send_test(door.connection, door.member.tenant_id, endpoint_id)
        return TestSent(event_id=event_id)

    return await _once(door, key, f"POST /webhook-endpoints/{endpoint_id}/test", None, work)


@router.post(
    "/webhook-endpoints/{endpoint_id}/recover",
    operation_id="recover_webhook_endpoint",
    status_code=202,
    response_model=ReplayRead,
)
async def recover(
    door: AdminConnection, endpoint_id: UUID, asked: RecoverRequest, key: IdempotencyKey = None
) -> BaseModel | Response:
    """Send again what the endpoint has missed since then: held, refused and expired deliveries. What waits
    to be tried again is tried at once.
    """

    async def work() -> ReplayRead:
        return await replays.recover(door.connection, door.member.tenant_id, endpoint_id, asked)

    return await _once(door, key, f"POST /webhook-endpoints/{endpoint_id}/recover", asked, work)


@router.post(
    "/webhook-endpoints/{endpoint_id}/replays",
    operation_id="create_replay",
    status_code=202,
    response_model=ReplayRead,
    responses={200: {"model": ReplayCount, "description": "A dry run: how many there are."}},
)
async def create_replay(
    door: AdminConnection, endpoint_id: UUID, asked: ReplayRequest, key: IdempotencyKey = None
) -> BaseModel | Response:
    """Send deliveries again, chosen by time, type and what became of them; a dry run only counts them."""
    if asked.dry_run:
        counted = await replays.count(door.connection, door.member.tenant_id, endpoint_id, asked)
        return Response(counted.model_dump_json(), media_type="application/json")

    async def work() -> ReplayRead:
        return await replays.start(door.connection, door.member.tenant_id, endpoint_id, asked)

    return await _once(door, key, f"POST /webhook-endpoints/{endpoint_id}/replays", asked, work)


@router.get("/webhook-endpoints/{endpoint_id}/replays", operation_id="list_replays")
async def list_replays(door: AdminConnection, endpoint_id: UUID, asked: PageRequestDep) -> Page[ReplayRead]:
    """The endpoint's replays, newest first."""
    return await replays.page(door.connection, door.member.tenant_id, endpoint_id, asked)


@router.get("/replays/{replay_id}", operation_id="get_replay")
async def get_replay(door: AdminConnection, replay_id: UUID) -> ReplayRead:
    """One replay and how far it is."""
    return await replays.get(door.connection, door.member.tenant_id, replay_id)


@router.post("/replays/{replay_id}/cancel", operation_id="cancel_replay")
async def cancel_replay(door: AdminConnection, replay_id: UUID) -> ReplayRead:
    """Stop a running replay."""
    return await replays.cancel(door.connection, door.member.tenant_id, replay_id)


@router.post(
    "/deliveries/{delivery_id}/replay",
    operation_id="replay_delivery",
    status_code=202,
    response_model=ReplayRead,
)
async def replay_delivery(
    door: AdminConnection, delivery_id: UUID, key: IdempotencyKey = None
) -> BaseModel | Response:
    """Send one delivery again; or at once, if it waits to be tried again."""

    async def work() -> ReplayRead:
        return await replays.send_again(door.connection, door.member.tenant_id, delivery_id)

    return await _once(door, key, f"POST /deliveries/{delivery_id}/replay", None, work)
