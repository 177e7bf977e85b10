"""Row-level security as it is met: every verb on a table, as the owner, as others, as nobody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True)
class Whose:
    """A tenant and an installation, as the settings of a transaction."""

    tenant_id: str
    installation_id: str

    @classmethod
    def of(cls, tenant_id: UUID, installation_id: UUID) -> "Whose":
        return cls(str(tenant_id), str(installation_id))


@asynccontextmanager
async def acting(connection: Connection, whose: Whose | None) -> AsyncIterator[None]:
    """A transaction as the app role in a scope, undone at the end."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        if whose is not None:
            await connection.execute(
                "SELECT set_config('app.tenant_id', $1, true), set_config('app.installation_id', $2, true)",
                whose.tenant_id,
                whose.installation_id,
            )
        yield
    finally:
        await transaction.rollback()


def on(table: str, statement: str) -> str:
    """A statement about a table of the models; names of tables cannot be parameters."""
    return statement.replace("%t", table)


async def holes(connection: Connection, table: str, own: Whose, others: dict[str, Whose]) -> list[str]:
    """What the walls of a table let through; empty is right. `own` has at least one row in it."""
    found = []
    async with acting(connection, own):
        seen = await connection.fetchval(on(table, "SELECT count(*) FROM %t"))
        if not seen:
            found.append("the owner does not see its rows")
        row = dict(await connection.fetchrow(on(table, "SELECT * FROM %t LIMIT 1")) or {})
        foreign = await connection.fetchval(
            on(table, "SELECT count(*) FROM %t WHERE installation_id <> $1"), UUID(own.installation_id)
        )
        if foreign:
            found.append("the owner sees rows of others")
        if (await connection.execute(on(table, "UPDATE %t SET id = id"))) != f"UPDATE {seen}":
            found.append("the owner cannot change its rows")
    for who, whose in others.items():
        found += [f"{who} can {verb}" for verb in await _verbs(connection, table, row, whose)]
    found += [f"nobody can {verb}" for verb in await _verbs(connection, table, row, None)]
    found += [f"the owner can {verb}" for verb in await _gifts(connection, table, row, own, others)]
    return found


async def _verbs(
    connection: Connection, table: str, row: dict[str, object], whose: Whose | None
) -> list[str]:
    """The verbs that have an effect on a row of somebody else."""
    done = []
    statements = {
        "SELECT": on(table, "SELECT id FROM %t WHERE id = $1"),
        "UPDATE": on(table, "UPDATE %t SET id = id WHERE id = $1 RETURNING id"),
        "DELETE": on(table, "DELETE FROM %t WHERE id = $1 RETURNING id"),
    }
    for verb, statement in statements.items():
        async with acting(connection, whose):
            try:
                if await connection.fetch(statement, row["id"]):
                    done.append(verb)
                elif whose is None:
                    done.append(f"{verb} in vain without an error")
            except asyncpg.InsufficientPrivilegeError:
                pass
    if await _inserts(connection, table, row, whose):
        done.append("INSERT")
    return done


async def _inserts(connection: Connection, table: str, row: dict[str, object], whose: Whose | None) -> bool:
    """Whether the walls let a row in. A foreign key or unique key that objects comes after them."""
    written = {name: value for name, value in row.items() if name != "search_vector"}
    names = ", ".join(written)
    places = ", ".join(f"${number}" for number in range(1, len(written) + 1))
    async with acting(connection, whose):
        try:
            statement = (
                on(table, "INSERT INTO %t (%n) VALUES (%p)").replace("%n", names).replace("%p", places)
            )
            await connection.execute(statement, *written.values())
        except asyncpg.InsufficientPrivilegeError:
            return False
        except asyncpg.IntegrityConstraintViolationError:
            return True
    return True


async def _gifts(
    connection: Connection, table: str, row: dict[str, object], own: Whose, others: dict[str, Whose]
) -> list[str]:
    """Whether the owner can make or turn rows into those of others."""
    done = []
    for who, whose in others.items():
        given = {
            **row,
            "tenant_id": UUID(whose.tenant_id),
            "installation_id": UUID(whose.installation_id),
        }
        if await _inserts(connection, table, given, own):
            done.append(f"INSERT for {who}")
        statement = on(table, "UPDATE %t SET tenant_id = $1, installation_id = $2 WHERE id = $3")
        async with acting(connection, own):
            try:
                await connection.execute(statement, given["tenant_id"], given["installation_id"], row["id"])
                done.append(f"UPDATE to {who}")
            except asyncpg.InsufficientPrivilegeError:
                pass
            except asyncpg.IntegrityConstraintViolationError:
                done.append(f"UPDATE to {who}")
    return done
