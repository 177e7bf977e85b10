"""Rules of the trail: what an entry holds, what it must not, and how entries are sealed."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from joserfc.jwk import OKPKey
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk import clock, context, logs
from tochka_sdk.db import Connection
from tochka_sdk.ids import uuid7

from tochka_core import limits
from tochka_core.audit import repository, seals
from tochka_core.audit.models import AuditEntry
from tochka_core.audit.repository import NewEntry
from tochka_core.audit.schemas import PLATFORM, Action, Actor, AuditEntryRead, Detail
from tochka_core.keyring import Rotation
from tochka_core.paging import Page, PageRequest

BATCH = repository.BATCH


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
    here = None if by.user_id is None else context.client_address()
    await repository.add(
        connection,
        NewEntry(
            id=uuid7(),
            tenant_id=tenant_id,
            user_id=by.user_id,
            session_id=by.session_id,
            action=action,
            subject_id=subject_id,
            address=limits.known(by.address or here),
            request_id=context.request_id() or None,
            data=plain,
        ),
    )


async def record_rotations(connection: Connection, rotations: Iterable[Rotation]) -> None:
    """Write down, for the platform, which keys began to sign; of each rotation once, whoever tells of it."""
    for rotation in rotations:
        told = {
            "purpose": rotation.purpose,
            "key": rotation.key,
            "replaced": rotation.replaced,
            "public": rotation.public,
        }
        data = {name: value for name, value in told.items() if value is not None}
        await repository.add_once(connection, _id_of(rotation), "keys.rotated", data)


def _id_of(rotation: Rotation) -> UUID:
    """The same for whoever tells of the same, sorted by when it was (UUID version 8, RFC 9562)."""
    digest = hashlib.sha256(f"{rotation.purpose}|{rotation.key}|{rotation.since}".encode()).digest()
    random = int.from_bytes(digest[:10]) & ~(0xF << 76 | 0b11 << 62)
    return UUID(int=rotation.since * 1000 << 80 | 0x8 << 76 | 0b10 << 62 | random)


async def seal(connection: Connection, key: OKPKey, issuer: str) -> int:
    """Put the oldest entries that wait under one more seal; how many there were, `BATCH` at most.

    None while somebody else seals. The seal, and that the entries wait no longer, are one transaction; of two
    that want the same place in the chain, the database refuses one.
    """
    if not await repository.lock(connection):
        return 0
    entries = await repository.take_waiting(connection)
    if entries:
        head = await repository.find_head(connection)
        await repository.add_seal(connection, seals.close(head, entries, clock.now(), key, issuer))
    return len(entries)


async def find_checkpoint(connection: Connection) -> str | None:
    """The newest checkpoint, a compact JWS; None before the first seal."""
    return await repository.find_checkpoint(connection)


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
