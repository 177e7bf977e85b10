"""Rules of the trail: what an entry holds, and what it must not."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk import context, logs
from tochka_sdk.db import Connection
from tochka_sdk.ids import uuid7

from tochka_core import limits
from tochka_core.audit import repository
from tochka_core.audit.models import AuditEntry
from tochka_core.audit.repository import NewEntry
from tochka_core.audit.schemas import PLATFORM, Action, Actor, AuditEntryRead, Detail
from tochka_core.paging import Page, PageRequest


async def record(
    connection: Connection,
    action: Action,
    *,
    by: Actor = PLATFORM,
    tenant_id: UUID | None = None,
    subject_id: UUID | None = None,
    data: Mapping[str, Detail] | None = None,
) -> None:
    """Write down a deed; it stands if, and only if, the caller's transaction commits.

    The tenant's managers read what names the tenant, a person what names the person. In a person's scope
    the tenant must be one of that person's. Phones in `data` are masked and secrets left out, by their names
    and by their looks, as in the logs.
    """
    plain: dict[str, Any] = logs.redact(data or {})
    await repository.add(
        connection,
        NewEntry(
            id=uuid7(),
            tenant_id=tenant_id,
            user_id=by.user_id,
            session_id=by.session_id,
            action=action,
            subject_id=subject_id,
            address=limits.known(by.address),
            request_id=context.request_id() or None,
            data=plain,
        ),
    )


async def page_of_tenant(session: AsyncSession, tenant_id: UUID, asked: PageRequest) -> Page[AuditEntryRead]:
    """What was done in a tenant, newest first; who may see that is the caller's to know."""
    rows = await repository.list_of_tenant(session, tenant_id, asked.after, asked.fetch)
    return asked.page(rows, _read, lambda row: row.id)


async def page_of_person(session: AsyncSession, user_id: UUID, asked: PageRequest) -> Page[AuditEntryRead]:
    """What a person did, newest first."""
    rows = await repository.list_of_person(session, user_id, asked.after, asked.fetch)
    return asked.page(rows, _read, lambda row: row.id)


def _read(row: AuditEntry) -> AuditEntryRead:
    return AuditEntryRead(
        id=row.id,
        action=row.action,
        occurred_at=row.occurred_at,
        user_id=row.user_id,
        session_id=row.session_id,
        subject_id=row.subject_id,
        address=None if row.address is None else str(row.address),
        request_id=row.request_id,
        data=row.data,
    )
