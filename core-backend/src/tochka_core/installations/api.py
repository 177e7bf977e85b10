"""HTTP for installations: activate, watch, enter, remove."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import anyio
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse
from tochka_sdk.errors import Forbidden, Unauthenticated, Unavailable

from tochka_core.idempotency.public import IdempotencyKey, fingerprint, remember, replay
from tochka_core.installations import activation, service
from tochka_core.installations.schemas import AdminEntry, InstallationCreate, InstallationRead, Progress
from tochka_core.paging import Page, PageRequestDep
from tochka_core.resources import Resources, ResourcesDep
from tochka_core.tenants.public import (
    AdminConnection,
    MemberDep,
    OwnerConnection,
    TenantConnection,
    member_transaction,
)
from tochka_core.tenants.schemas import Member

POLL_S = 0.1
HEARTBEAT_S = 10.0
LONGEST_S = 600.0

router = APIRouter(prefix="/installations", tags=["installations"])


@router.post(
    "",
    operation_id="activate_installation",
    status_code=201,
    response_model=InstallationRead,
    responses={200: {"model": InstallationRead, "description": "It was there already: the same again."}},
)
async def activate(
    door: AdminConnection, resources: ResourcesDep, wanted: InstallationCreate, key: IdempotencyKey = None
) -> Response:
    """Activate a module at an address; watch it become live with `progress`."""
    member = door.member
    mark = fingerprint("POST /installations", member.tenant_id, wanted)
    if key is not None:
        stored = await replay(door.connection, member.user_id, key, mark)
        if stored is not None:
            return stored.response()
    done = await activation.activate(door, resources, wanted)
    if key is not None:
        body = done.installation.model_dump(mode="json")
        await remember(door.connection, member.user_id, key, mark, done.status, body)
    return Response(done.installation.model_dump_json(), done.status, media_type="application/json")


@router.get("", operation_id="list_installations")
async def list_installations(
    door: TenantConnection, resources: ResourcesDep, asked: PageRequestDep
) -> Page[InstallationRead]:
    """The tenant's installations but for those that are gone, newest first."""
    return await service.page(door, resources, asked)


@router.get("/{installation_id}", operation_id="get_installation")
async def get_installation(
    door: TenantConnection, resources: ResourcesDep, installation_id: UUID
) -> InstallationRead:
    """One installation."""
    return await service.get(door, resources, installation_id)


@router.post("/{installation_id}/session", operation_id="enter_installation")
async def enter_installation(
    door: TenantConnection, resources: ResourcesDep, installation_id: UUID
) -> AdminEntry:
    """One-time entry into the module's admin."""
    return await service.admit(door, resources, installation_id)


@router.delete("/{installation_id}", operation_id="remove_installation", status_code=204)
async def remove_installation(door: OwnerConnection, installation_id: UUID) -> None:
    """Remove an installation; only the owner may."""
    await service.remove(door, installation_id)


@dataclass(frozen=True, slots=True)
class _Watch:
    """One look after another at an activation, each in a short transaction of its own."""

    resources: Resources
    member: Member
    installation_id: UUID

    async def look(self) -> Progress:
        async with member_transaction(self.resources, self.member) as door:
            return await service.progress(
                door.connection, self.resources, door.member.tenant_id, self.installation_id
            )

    async def follow(self, request: Request, first: Progress) -> AsyncIterator[str]:
        """Server-sent events until the activation has ended, or the right to watch it; the database may be
        away in between.
        """
        yield _event(first)
        shown, started = first, anyio.current_time()
        spoken = started
        while shown.status == "provisioning" and anyio.current_time() < started + LONGEST_S:
            await anyio.sleep(POLL_S)
            try:
                current = await self.look()
            except Unavailable:
                current = shown
            except (Unauthenticated, Forbidden):
                return  # whoever asks again is told why
            if current != shown:
                shown, spoken = current, anyio.current_time()
                yield _event(current)
            elif anyio.current_time() > spoken + HEARTBEAT_S:
                spoken = anyio.current_time()
                yield ": still here\n\n"
            if await request.is_disconnected():
                return


def _event(progress: Progress) -> str:
    return f"event: progress\ndata: {progress.model_dump_json()}\n\n"


async def _watch(resources: ResourcesDep, member: MemberDep, installation_id: UUID) -> _Watch:
    return _Watch(resources, member, installation_id)


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


@router.get(
    "/{installation_id}/progress",
    operation_id="watch_installation",
    response_class=EventStream,
    responses={
        200: {"model": Progress, "description": "Events named `progress`; `data` is a `Progress` as JSON."}
    },
)
async def watch_installation(request: Request, watch: Annotated[_Watch, Depends(_watch)]) -> EventStream:
    """Watch an activation until it is live or has failed."""
    first = await watch.look()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventStream(watch.follow(request, first), headers=headers)
