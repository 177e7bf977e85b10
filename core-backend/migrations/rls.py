"""Row-level security, rendered the same way for every table.

Each table gets permissive policies that open it to a scope and one restrictive wall, so that a later
permissive policy cannot widen what is seen. The scope functions raise when no scope at all is set:
a forgotten scope is an error, never an empty list.
"""

from collections.abc import Iterator, Sequence

TENANT = "tenant_id = (SELECT app_tenant_id())"
USER = "user_id = (SELECT app_user_id())"
MODULE = "module_id = (SELECT app_module_id())"


def protect(table: str, *, whole: str, reads: Sequence[str] = (), queue: bool = False) -> Iterator[str]:
    """Render the statements that put `table` behind row-level security.

    `whole` opens every verb, each of `reads` opens SELECT only. A `queue` table is open to the jobs role
    as a whole, since a dispatcher serves all tenants; elsewhere that role needs a scope like anyone.
    """
    roles = "tochka_app" if queue else "tochka_app, tochka_jobs"
    seen = " OR ".join((whole, *reads))
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
    yield f"CREATE POLICY {table}_scope ON {table} FOR ALL TO {roles} USING ({whole}) WITH CHECK ({whole})"
    for number, read in enumerate(reads, 1):
        yield f"CREATE POLICY {table}_read_{number} ON {table} FOR SELECT TO {roles} USING ({read})"
    yield (
        f"CREATE POLICY {table}_wall ON {table} AS RESTRICTIVE FOR ALL TO {roles} "
        f"USING ({seen}) WITH CHECK ({whole})"
    )
    if queue:
        yield f"CREATE POLICY {table}_jobs ON {table} FOR ALL TO tochka_jobs USING (true) WITH CHECK (true)"


def readable_by_owner(table: str) -> str:
    """Let the SECURITY DEFINER look-ups, which run as the owner, read `table`."""
    return f"CREATE POLICY {table}_lookup ON {table} FOR SELECT TO tochka_owner USING (true)"
