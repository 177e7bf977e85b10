"""Queries on used tickets and admin sessions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tochka_sdk.clock import now
from tochka_sdk.tables import admin_sessions, installations, tickets


class AdminStore:
    """Used tickets and admin sessions."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def use_ticket(self, jti: str) -> bool:
        """Use a ticket up; False when it was used before, also by a request that runs at this moment."""
        statement = (
            insert(tickets)
            .values(jti=jti, used_at=now())
            .on_conflict_do_nothing(index_elements=[tickets.c.jti])
            .returning(tickets.c.jti)
        )
        return (await self._session.execute(statement)).first() is not None

    async def add_session(self, **values: Any) -> None:
        """Store a session."""
        await self._session.execute(insert(admin_sessions).values(created_at=now(), **values))

    async def find_session(self, token_hash: bytes, installation_id: UUID) -> Row[Any] | None:
        """The running session with this token in this installation, or None."""
        query = select(admin_sessions).where(
            admin_sessions.c.token_hash == token_hash,
            admin_sessions.c.installation_id == installation_id,
            admin_sessions.c.expires_at > now(),
        )
        return (await self._session.execute(query)).first()

    async def shut_out(self, tenant_id: UUID, user_id: UUID, moment: datetime) -> None:
        """End a person's sessions in all admins of the tenant, and refuse tickets issued up to `moment`."""
        of_tenant = select(installations.c.installation_id).where(installations.c.tenant_id == tenant_id)
        await self._session.execute(
            delete(admin_sessions).where(
                admin_sessions.c.installation_id.in_(of_tenant), admin_sessions.c.user_id == user_id
            )
        )
        statement = insert(tickets).values(jti=_all_of(tenant_id, user_id), used_at=moment)
        later = func.greatest(tickets.c.used_at, statement.excluded.used_at)
        await self._session.execute(
            statement.on_conflict_do_update(index_elements=[tickets.c.jti], set_={"used_at": later})
        )

    async def is_shut_out(self, tenant_id: UUID, user_id: UUID, issued_at: int) -> bool:
        """Whether a ticket issued at that unix second is older than the person's role."""
        query = select(tickets.c.used_at).where(tickets.c.jti == _all_of(tenant_id, user_id))
        moment = await self._session.scalar(query)
        return moment is not None and issued_at <= moment.timestamp()

    async def end_session(self, token_hash: bytes) -> None:
        """Sign out."""
        await self._session.execute(delete(admin_sessions).where(admin_sessions.c.token_hash == token_hash))


def _all_of(tenant_id: UUID, user_id: UUID) -> str:
    """What stands for all tickets of a person among those that were used; no ticket has such an id."""
    return f"all:{tenant_id}:{user_id}"
