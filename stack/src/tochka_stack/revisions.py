"""Knowing that a database is up to date without starting the program that migrates it.

After a migration two things are written down: a fingerprint of the files that make up the migrations, and
the revision that the database then names. While both are the same, migrating again would change nothing.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tochka_stack.data_dir import DataDir
from tochka_stack.refusals import WrongVersion

RECORD = "migrated.json"


def fingerprint(folders: Iterable[Path]) -> str:
    """A digest of the names and contents of the Python files below `folders`."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


async def find_revision(dsn: str) -> str | None:
    """The Alembic revision that a database names, if it names one. `dsn` is its owner's."""
    connection = await asyncpg.connect(dsn)
    try:
        if await connection.fetchval("SELECT to_regclass('public.alembic_version') IS NULL"):
            return None
        query = "SELECT string_agg(version_num, ' ' ORDER BY version_num) FROM public.alembic_version"
        found = await connection.fetchval(query)
        return str(found) if found else None
    finally:
        await connection.close()


@dataclass(frozen=True)
class Migrated:
    """What the last migrations of one database left."""

    data_dir: DataDir
    database: str
    folders: tuple[Path, ...]

    async def is_current(self, owner_dsn: str) -> bool:
        """Whether migrating would change nothing."""
        written = self.data_dir.read(RECORD).get(self.database)
        if written is None or written.get("revision") is None:
            return False
        return bool(written == await self._now(owner_dsn))

    async def require_known(self, owner_dsn: str) -> None:
        """Refuse a database that a newer version has migrated: nobody can tell what is in it."""
        sources = [path.read_text() for folder in self.folders for path in folder.rglob("*.py")]
        for name in (await find_revision(owner_dsn) or "").split():
            if not any(
                re.search(rf"^revision\b.*['\"]{re.escape(name)}['\"]", text, re.M) for text in sources
            ):
                raise WrongVersion(
                    f"The database {self.database} is at revision {name}, which this version does not know: "
                    "update the checkout, or restore a backup from before."
                )

    async def write_down(self, owner_dsn: str) -> None:
        """To be called after a migration that went well."""
        now = await self._now(owner_dsn)
        self.data_dir.write(RECORD, {**self.data_dir.read(RECORD), self.database: now})

    async def _now(self, owner_dsn: str) -> dict[str, str | None]:
        return {"files": fingerprint(self.folders), "revision": await find_revision(owner_dsn)}
