"""Rules of the trail: what an entry holds, what it must not, and how entries are sealed."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk import clock, context, logs, tokens
from tochka_sdk.db import Connection
from tochka_sdk.ids import uuid7
from tochka_sdk.tokens import TokenInvalid

from tochka_core import limits
from tochka_core.audit import repository, seals
from tochka_core.audit.models import AuditEntry
from tochka_core.audit.repository import NewEntry
from tochka_core.audit.schemas import PLATFORM, Action, Actor, AuditEntryRead, Detail
from tochka_core.audit.seals import Head
from tochka_core.keyring import Keyring, Rotation
from tochka_core.paging import Page, PageRequest

BATCH = repository.BATCH
_log = logs.get_logger(__name__)


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
    await repository.add(connection, _entry(action, by, tenant_id, subject_id, data or {}))


async def record_guesses(
    connection: Connection,
    action: Action,
    phone: str,
    *,
    by: Actor,
    subject_id: UUID | None = None,
    data: Mapping[str, Detail] | None = None,
) -> None:
    """Write down, for the platform and for the tenants of whoever has the phone, that somebody guesses at it.
    It takes the same statements for a phone that nobody has.
    """
    entry = _entry(action, by, None, subject_id, {"phone": phone, **(data or {})})
    await repository.add(connection, entry)
    await repository.tell_tenants(connection, entry, phone)


def _entry(
    action: Action, by: Actor, tenant_id: UUID | None, subject_id: UUID | None, data: Mapping[str, Detail]
) -> NewEntry:
    plain: dict[str, Any] = logs.redact(data)
    here = None if by.user_id is None else context.client_address()
    return NewEntry(
        id=uuid7(),
        tenant_id=tenant_id,
        user_id=by.user_id,
        session_id=by.session_id,
        action=action,
        subject_id=subject_id,
        address=limits.known(by.address or here),
        request_id=context.request_id() or None,
        data=plain,
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
        entry_id = _id_of(rotation.purpose, rotation.key, rotation.since)
        await repository.add_once(connection, entry_id, "keys.rotated", data)


def _id_of(what: str, name: str, since: int) -> UUID:
    """The same for whoever tells of the same, sorted by when it was (UUID version 8, RFC 9562); what has no
    time is sealed first.
    """
    digest = hashlib.sha256(f"{what}|{name}|{since}".encode()).digest()
    random = int.from_bytes(digest[:10]) & ~(0xF << 76 | 0b11 << 62)
    return UUID(int=since * 1000 << 80 | 0x8 << 76 | 0b10 << 62 | random)


async def seal(connection: Connection, keys: Keyring, issuer: str) -> int:
    """Put the oldest entries that wait under one more seal; how many there were, `BATCH` at most.

    None while somebody else seals. The seal, and that the entries wait no longer, are one transaction; of two
    that want the same place in the chain, the database refuses one. A seal vouches for all before it: if the
    newest is none of the platform's, it says so itself.
    """
    if not await repository.lock(connection):
        return 0
    head, checkpoint = await repository.find_end(connection)
    if checkpoint is not None and not _is_ours(head, checkpoint, keys):
        _log.error("audit.doubted", seal=head.position, hash=head.hash.hex())
        data = {"seal": head.position, "hash": head.hash.hex()}
        entry_id = _id_of("trail", head.hash.hex(), 0)
        await repository.add_once(connection, entry_id, "trail.doubted", data)
    entries = await repository.take_waiting(connection)
    if entries:
        await repository.add_seal(connection, seals.close(head, entries, clock.now(), keys.audit, issuer))
    return len(entries)


def _is_ours(head: Head, checkpoint: str, keys: Keyring) -> bool:
    """Whether the platform has signed where the chain ends."""
    try:
        claims = tokens.verify(checkpoint, keys.sealers, typ=seals.CHECKPOINT)
    except TokenInvalid:
        return False
    return claims.items() >= seals.claims_of(head).items()


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
