"""What the planner does with a statement, as a role and in its scopes, under row-level security."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg

# a value of each type that the tables of `core_kit.large` know
TENANT = "00000000-0000-7000-8000-000000000007"
VALUES = {
    "uuid": f"'{TENANT}'",
    "uuid[]": f"ARRAY['{TENANT}', '00000000-0000-7000-8000-000000000008']",
    "text": "'module-7'",
    "character varying": "'module-7'",
    "text[]": "ARRAY['module-7', 'module-8']",
    "character varying[]": "ARRAY['module-7', 'module-8']",
    "boolean": "true",
    "boolean[]": "ARRAY[true, false]",
    "smallint": "7",
    "smallint[]": "ARRAY[7, 8]",
    "integer": "20",
    "integer[]": "ARRAY[20, 30]",
    "bigint": "20",
    "bigint[]": "ARRAY[20, 30]",
    "interval": "interval '10 seconds'",
    "interval[]": "ARRAY[interval '10 seconds', interval '20 seconds']",
    "jsonb": "'{}'",
    "jsonb[]": "ARRAY['{}'::jsonb]",
    "timestamp with time zone": "now()",
    "timestamp with time zone[]": "ARRAY[now(), now()]",
    "inet": "'127.0.0.1'",
    "bytea": r"'\x00'",
}
EMPTY_PARTS = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND reltuples <= 0"
"""Months that have not begun: there is nothing to read from end to end."""
SCOPES = ("tenant_id", "user_id", "module_id")


@dataclass(frozen=True)
class Scan:
    """A table that is read from end to end."""

    table: str
    node: str


async def scans(connection: asyncpg.Connection, sql: str, role: str) -> list[Scan]:
    """The tables that `sql` reads from end to end, as planned for `role`; nothing is executed.

    Both plans are looked at: the one for known values, and the one that a cached statement may fall back to.
    """
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"PREPARE explained AS {sql}")
        types = await connection.fetchval(
            "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'explained'"
        )
        for scope in SCOPES:
            value = "module-7" if scope == "module_id" else TENANT
            await connection.execute("SELECT set_config($1, $2, true)", f"app.{scope}", value)
        await connection.execute(f"SET LOCAL ROLE {role}")
        values = ", ".join(f"{VALUES[name]}::{name}" for name in types)
        arguments = f"({values})" if values else ""
        found: list[Scan] = []
        for mode in ("force_custom_plan", "force_generic_plan"):
            await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
            plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE explained{arguments}")
            found += _sequential(json.loads(plan)[0]["Plan"])
        empty = {row["relname"] for row in await connection.fetch(EMPTY_PARTS)}
        return [scan for scan in found if scan.table not in empty]
    finally:
        await transaction.rollback()
        await connection.execute("DEALLOCATE explained")


def _sequential(node: dict[str, Any]) -> Iterator[Scan]:
    """The nodes that read a whole table."""
    name = node["Node Type"]
    if name == "Seq Scan":
        yield Scan(node["Relation Name"], name)
    for child in node.get("Plans", ()):
        yield from _sequential(child)
