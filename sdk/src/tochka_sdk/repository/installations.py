"""Queries on installations, their hosts and their licenses."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tochka_sdk.clock import now
from tochka_sdk.license import License
from tochka_sdk.tables import admin_sessions, hosts, installations, sequences

CHANNEL = "tochka_installations"
SERVED = ("provisioning", "live", "suspended")
_DETAILS = (
    installations,
    sequences.c.tenant_name,
)


class InstallationStore:
    """The installations that this module was told of, their hosts and their licenses."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def _joined(self) -> Any:
        return select(*_DETAILS).join(
            sequences, sequences.c.tenant_id == installations.c.tenant_id, isouter=True
        )

    async def find(self, installation_id: UUID, *, lock: bool = False) -> Row[Any] | None:
        """The installation with its tenant's name, or None."""
        query = self._joined().where(installations.c.installation_id == installation_id)
        if lock:
            query = query.with_for_update(of=installations)
        found: Row[Any] | None = (await self._session.execute(query)).first()
        return found

    async def find_by_host(self, host: str) -> Row[Any] | None:
        """The installation that answers at a host, or None."""
        query = (
            self._joined()
            .join(hosts, hosts.c.installation_id == installations.c.installation_id)
            .where(hosts.c.host == host, hosts.c.is_active, installations.c.status.in_(SERVED))
        )
        found: Row[Any] | None = (await self._session.execute(query)).first()
        return found

    async def list_of_tenant(self, tenant_id: UUID, *, lock: bool = False) -> Sequence[Row[Any]]:
        """The tenant's served installations, in the order in which everybody locks them."""
        query = self._joined().where(
            installations.c.tenant_id == tenant_id, installations.c.status.in_(SERVED)
        )
        query = query.order_by(installations.c.installation_id)
        if lock:
            query = query.with_for_update(of=installations)
        return list(await self._session.execute(query))

    async def announce(self, installation_id: UUID, tenant_id: UUID) -> Row[Any]:
        """The installation, locked; one heard of for the first time begins as `announced`."""
        new = {
            "installation_id": installation_id,
            "tenant_id": tenant_id,
            "status": "announced",
            "locale": "ru",
            "plan": "",
            "license": "",
            "license_version": -1,
            "settings": {},
            "created_at": now(),
            "updated_at": now(),
        }
        await self._session.execute(insert(installations).values(new).on_conflict_do_nothing())
        row = await self.find(installation_id, lock=True)
        if row is None:
            raise AssertionError("inserted a moment ago")
        return row

    async def change(self, installation_id: UUID, **values: Any) -> None:
        """Set columns of one installation."""
        await self._session.execute(
            update(installations)
            .where(installations.c.installation_id == installation_id)
            .values(**values, updated_at=now())
        )

    async def finish_provisioning(self, installation_id: UUID) -> None:
        """An installation that was being made is live; any other stays as it is."""
        await self._session.execute(
            update(installations)
            .where(
                installations.c.installation_id == installation_id, installations.c.status == "provisioning"
            )
            .values(status="live", updated_at=now())
        )

    async def keep_license(self, token: str, license: License) -> bool:
        """Store a license unless the held one is newer: of a higher version, or the same signed later."""
        refresh_at = datetime.fromtimestamp(license.half_life, tz=now().tzinfo)
        changed = await self._session.execute(
            update(installations)
            .where(
                installations.c.installation_id == license.sub,
                or_(
                    installations.c.license_version < license.version,
                    and_(
                        installations.c.license_version == license.version,
                        installations.c.license_claims["iat"].as_integer() < license.iat,
                    ),
                ),
            )
            .values(
                license=token,
                license_claims=license.model_dump(mode="json"),
                license_version=license.version,
                license_refresh_at=refresh_at,
                plan=license.plan,
                updated_at=now(),
            )
            .returning(installations.c.installation_id)
        )
        return changed.first() is not None

    async def claim_refreshes(self, lease: timedelta, limit: int = 20) -> Sequence[UUID]:
        """Installations whose license is past its half-life; nobody else gets them for `lease`."""
        due = (
            select(installations.c.installation_id)
            .where(installations.c.license_refresh_at <= now(), installations.c.status.in_(SERVED))
            .order_by(installations.c.license_refresh_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = (
            update(installations)
            .where(installations.c.installation_id.in_(due))
            .values(license_refresh_at=now() + lease)
            .returning(installations.c.installation_id)
        )
        return [row.installation_id for row in await self._session.execute(claimed)]

    async def add_host(
        self, installation: Row[Any], host: str, url: str, *, primary: bool, sequence: int
    ) -> bool:
        """Let the installation answer at a host; False when a later event spoke of that host."""
        values = {
            "host": host,
            "installation_id": installation.installation_id,
            "tenant_id": installation.tenant_id,
            "url": url,
            "is_primary": primary,
            "is_active": True,
            "sequence": sequence,
        }
        statement = insert(hosts).values(values)
        stated = await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[hosts.c.host],
                set_={name: statement.excluded[name] for name in values if name != "host"},
                where=or_(
                    hosts.c.tenant_id != statement.excluded.tenant_id,
                    hosts.c.sequence < statement.excluded.sequence,
                ),
            ).returning(hosts.c.host)
        )
        return stated.first() is not None

    async def make_primary(self, installation_id: UUID, host: str, url: str) -> None:
        """Make a host that was added the main one."""
        await self._session.execute(
            update(hosts)
            .where(hosts.c.installation_id == installation_id, hosts.c.host != host)
            .values(is_primary=False)
        )
        await self.change(installation_id, host=host, url=url)

    async def remove_host(self, installation: Row[Any], host: str, sequence: int) -> bool:
        """Let the installation no longer answer at a host; remembered, so that an older `added` does
        nothing.
        """
        values = {
            "host": host,
            "installation_id": installation.installation_id,
            "tenant_id": installation.tenant_id,
            "url": "",
            "is_primary": False,
            "is_active": False,
            "sequence": sequence,
        }
        stated = await self._session.execute(
            insert(hosts)
            .values(values)
            .on_conflict_do_update(
                index_elements=[hosts.c.host],
                set_={"is_active": False, "is_primary": False, "sequence": sequence},
                where=and_(
                    hosts.c.installation_id == installation.installation_id, hosts.c.sequence < sequence
                ),
            )
            .returning(hosts.c.host)
        )
        return stated.first() is not None

    async def close(self, installation_id: UUID) -> None:
        """Mark as removed for good: no host answers, nobody is signed in."""
        await self.change(installation_id, status="removed", license_refresh_at=None)
        await self._session.execute(delete(hosts).where(hosts.c.installation_id == installation_id))
        await self._session.execute(
            delete(admin_sessions).where(admin_sessions.c.installation_id == installation_id)
        )

    async def notify(self, installation_id: UUID) -> None:
        """Tell every process, at commit, that what it knows of this installation is out of date."""
        await self._session.execute(select(func.pg_notify(CHANNEL, str(installation_id))))
