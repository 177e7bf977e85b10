"""Migrations of a module: the standard row-level security, the SDK's own tables, and an Alembic environment.

A module's `migrations/env.py` is two lines::

    from tochka_sdk import migrations
    migrations.environment(Model.metadata)

and its first revision::

    def upgrade() -> None:
        migrations.create_sdk_tables()
        op.create_table("shop_products", …, tenant_id, installation_id, …)
        migrations.protect("shop_products")
"""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import alembic.command
from alembic import context, op
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

LOCK_TIMEOUT = "5s"
SDK_TABLES = "tochka_"
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")

_SCOPE_FUNCTION = """
    CREATE FUNCTION app_{name}() RETURNS uuid LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
    DECLARE
        value text := current_setting('app.{name}', true);
    BEGIN
        IF value IS NULL OR value = '' THEN
            RAISE EXCEPTION 'no scope: app.{name} is not set' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN value::uuid;
    END
    $$
"""

_TABLES = (
    """
    CREATE TABLE tochka_installations (
        installation_id uuid CONSTRAINT pk_tochka_installations PRIMARY KEY,
        tenant_id uuid NOT NULL,
        status text NOT NULL CONSTRAINT ck_tochka_installations_status
            CHECK (status IN ('announced', 'provisioning', 'live', 'suspended', 'removed')),
        host text,
        url text,
        locale text NOT NULL DEFAULT 'ru',
        plan text NOT NULL DEFAULT '',
        license text NOT NULL DEFAULT '',
        license_claims jsonb,
        license_version bigint NOT NULL DEFAULT -1,
        license_refresh_at timestamptz,
        settings jsonb NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX ix_tochka_installations_tenant_id ON tochka_installations (tenant_id)",
    """
    CREATE INDEX ix_tochka_installations_license_refresh_at ON tochka_installations (license_refresh_at)
        WHERE status IN ('provisioning', 'live', 'suspended')
    """,
    """
    CREATE TABLE tochka_hosts (
        host text CONSTRAINT pk_tochka_hosts PRIMARY KEY,
        installation_id uuid NOT NULL CONSTRAINT fk_tochka_hosts_installation_id
            REFERENCES tochka_installations ON DELETE CASCADE,
        tenant_id uuid NOT NULL,
        url text NOT NULL,
        is_primary boolean NOT NULL DEFAULT false,
        is_active boolean NOT NULL DEFAULT true,
        sequence bigint NOT NULL DEFAULT 0
    )
    """,
    "CREATE INDEX ix_tochka_hosts_installation_id ON tochka_hosts (installation_id)",
    """
    CREATE TABLE tochka_events (
        event_id text CONSTRAINT pk_tochka_events PRIMARY KEY,
        tenant_id uuid NOT NULL,
        sequence bigint NOT NULL,
        type text NOT NULL,
        answer smallint NOT NULL DEFAULT 200,
        received_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX ix_tochka_events_tenant_id_sequence ON tochka_events (tenant_id, sequence)",
    "CREATE INDEX ix_tochka_events_received_at ON tochka_events (received_at)",
    """
    CREATE TABLE tochka_sequences (
        tenant_id uuid CONSTRAINT pk_tochka_sequences PRIMARY KEY,
        last_sequence bigint NOT NULL DEFAULT 0,
        highest_sequence bigint NOT NULL DEFAULT 0,
        tenant_name text NOT NULL DEFAULT '',
        name_sequence bigint NOT NULL DEFAULT -1,
        gap_check_at timestamptz
    )
    """,
    """
    CREATE INDEX ix_tochka_sequences_gap_check_at ON tochka_sequences (gap_check_at)
        WHERE highest_sequence > last_sequence
    """,
    """
    CREATE TABLE tochka_tickets (
        jti text CONSTRAINT pk_tochka_tickets PRIMARY KEY,
        used_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX ix_tochka_tickets_used_at ON tochka_tickets (used_at)",
    """
    CREATE TABLE tochka_admin_sessions (
        token_hash bytea CONSTRAINT pk_tochka_admin_sessions PRIMARY KEY,
        installation_id uuid NOT NULL CONSTRAINT fk_tochka_admin_sessions_installation_id
            REFERENCES tochka_installations ON DELETE CASCADE,
        tenant_id uuid NOT NULL,
        user_id uuid NOT NULL,
        role text NOT NULL,
        locale text NOT NULL,
        name text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_tochka_admin_sessions_installation_id ON tochka_admin_sessions (installation_id)",
    "CREATE INDEX ix_tochka_admin_sessions_expires_at ON tochka_admin_sessions (expires_at)",
)
# Everything here may run twice: a module's first revision makes the newest tables, and a later one, written
# for tables of an older SDK, finds nothing to do. Processes of that SDK go on beside it: what they count is
# not in `newest_at`, which therefore begins a week ahead, longer than they live.
_WATERMARK = (
    """
    DELETE FROM tochka_events e USING tochka_events o
    WHERE e.tenant_id = o.tenant_id AND e.sequence = o.sequence AND e.event_id < o.event_id
    """,
    "DROP INDEX IF EXISTS ix_tochka_events_tenant_id_sequence",
    """
    CREATE UNIQUE INDEX IF NOT EXISTS uq_tochka_events_tenant_id_sequence
        ON tochka_events (tenant_id, sequence)
    """,
    """
    ALTER TABLE tochka_sequences
        ADD COLUMN IF NOT EXISTS newest_at timestamptz NOT NULL DEFAULT now() + interval '7 days',
        ADD COLUMN IF NOT EXISTS lost bigint NOT NULL DEFAULT 0,
        ADD COLUMN IF NOT EXISTS digest_sequence bigint NOT NULL DEFAULT 0,
        ADD COLUMN IF NOT EXISTS digest_at timestamptz,
        ADD COLUMN IF NOT EXISTS proved_until timestamptz
    """,
    """
    CREATE TABLE IF NOT EXISTS tochka_feed (
        receiver text CONSTRAINT pk_tochka_feed PRIMARY KEY,
        cursor text NOT NULL DEFAULT '0',
        claimed_until timestamptz
    )
    """,
)
_NAMES = (
    "tochka_feed",
    "tochka_admin_sessions",
    "tochka_tickets",
    "tochka_sequences",
    "tochka_events",
    "tochka_hosts",
    "tochka_installations",
)


def _name(identifier: str) -> str:
    if _IDENTIFIER.fullmatch(identifier) is None:
        raise ValueError(f"not a plain SQL identifier: {identifier!r}")
    return f'"{identifier}"'


def app_role() -> str:
    """The name of the unprivileged role that the running migration grants to."""
    config = op.get_context().config
    role = config.attributes.get("app_role", "") if config is not None else ""
    if not role:
        raise RuntimeError("these migrations run by `migrations.run(…, app_role=…)`, which names the role")
    return str(role)


def _execute(statements: Iterable[str]) -> None:
    for statement in statements:
        op.execute(text(statement.replace(":", r"\:")))


def create_scope_functions() -> None:
    """`app_tenant_id()` and `app_installation_id()`: the scope of the transaction; they raise when none is
    set.
    """
    _execute(_SCOPE_FUNCTION.format(name=name) for name in ("tenant_id", "installation_id"))


def drop_scope_functions() -> None:
    """Undo `create_scope_functions`."""
    _execute(("DROP FUNCTION app_installation_id()", "DROP FUNCTION app_tenant_id()"))


def create_sdk_tables(_op: object = None) -> None:
    """The scope functions and the SDK's own tables, for the first revision of a module.

    They are the module's system tables, read before any installation is known, so they are not walled off by
    installation; the app role may read and write them.
    """
    role = _name(app_role())
    create_scope_functions()
    _execute((*_TABLES, *_WATERMARK))
    _execute((f"GRANT USAGE ON SCHEMA public TO {role}",))
    _execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}" for table in _NAMES)


def upgrade_sdk_tables() -> None:
    """Bring the SDK's own tables, made by an older SDK, up to date, in a revision of a module.

    Processes of the older SDK may run on meanwhile. There is nothing to undo: the older SDK works with the
    newer tables.
    """
    _execute(_WATERMARK)
    _execute((f"GRANT SELECT, INSERT, UPDATE, DELETE ON tochka_feed TO {_name(app_role())}",))


def drop_sdk_tables(_op: object = None) -> None:
    """Undo `create_sdk_tables`."""
    _execute(f"DROP TABLE IF EXISTS {table}" for table in _NAMES)
    drop_scope_functions()


def protect(table: str, *, verbs: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Wall a table off by tenant and installation, in the revision that makes it.

    The table has `tenant_id uuid` and `installation_id uuid`. Row-level security is enabled and forced; a
    permissive policy opens the installation's rows to the app role, and a restrictive wall holds tenant and
    installation whatever other policies say. A query without a scope raises. `verbs` are what the app role
    is granted.
    """
    name, role = _name(table), _name(app_role())
    own = "installation_id = (SELECT app_installation_id())"
    wall = f"tenant_id = (SELECT app_tenant_id()) AND {own}"
    policy, restrictive = _name(f"{table}_own"), _name(f"{table}_wall")
    _execute(
        (
            f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY {policy} ON {name} AS PERMISSIVE TO {role} USING ({own}) WITH CHECK ({own})",
            f"CREATE POLICY {restrictive} ON {name} AS RESTRICTIVE TO {role}"
            f" USING ({wall}) WITH CHECK ({wall})",
            f"GRANT {verbs} ON {name} TO {role}",
        )
    )


def unprotect(table: str) -> None:
    """Undo `protect`; needed only when the table stays."""
    name, role = _name(table), _name(app_role())
    _execute(
        (
            f"REVOKE ALL ON {name} FROM {role}",
            f"DROP POLICY {_name(f'{table}_wall')} ON {name}",
            f"DROP POLICY {_name(f'{table}_own')} ON {name}",
            f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY",
        )
    )


def config(
    url: str,
    script_location: Path | str,
    metadata: MetaData | None = None,
    *,
    app_role: str = "",
    lock_timeout: str = LOCK_TIMEOUT,
) -> Config:
    """An Alembic configuration without an ini file, for `alembic.command` functions.

    `url` is the owner's. `metadata` is what autogenerate and `check` compare with; `environment` may name
    it too.
    """
    made = Config()
    made.set_main_option("script_location", str(script_location).replace("%", "%%"))
    made.attributes.update(url=url, app_role=app_role, metadata=metadata, lock_timeout=lock_timeout)
    return made


def run(
    url: str,
    script_location: Path | str,
    metadata: MetaData | None = None,
    *,
    app_role: str,
    revision: str = "head",
    lock_timeout: str = LOCK_TIMEOUT,
) -> None:
    """Upgrade the database at `url` (the owner's) to `revision`.

    Blocks; inside a running event loop call it by `await asyncio.to_thread(migrations.run, …)`. A lock that
    is not had within `lock_timeout` is an error rather than a queue of waiting requests: run it again.
    """
    made = config(url, script_location, metadata, app_role=app_role, lock_timeout=lock_timeout)
    alembic.command.upgrade(made, revision)


def downgrade(
    url: str,
    script_location: Path | str,
    *,
    app_role: str,
    revision: str = "base",
    lock_timeout: str = LOCK_TIMEOUT,
) -> None:
    """Downgrade the database at `url` (the owner's) to `revision`; otherwise as `run`."""
    made = config(url, script_location, app_role=app_role, lock_timeout=lock_timeout)
    alembic.command.downgrade(made, revision)


def environment(metadata: MetaData | None = None) -> None:
    """The whole of a module's `env.py`: connect as the owner, set timeouts, run the revisions in one
    transaction.
    """
    settings = context.config
    url = settings.attributes.get("url")
    if not url:
        raise RuntimeError("run migrations by `tochka_sdk.migrations.run` or the module's `migrate` command")
    target = settings.attributes.get("metadata")
    timeout = str(settings.attributes["lock_timeout"])
    asyncio.run(_migrate(str(url), metadata if target is None else target, timeout))


async def _migrate(url: str, metadata: MetaData | None, lock_timeout: str) -> None:
    _, _, rest = url.partition("://")
    engine = create_async_engine(f"postgresql+asyncpg://{rest}", poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_revisions, metadata, lock_timeout)
    finally:
        await engine.dispose()


def _is_ours(_object: Any, name: str | None, type_: str, _reflected: bool, _compare_to: Any) -> bool:
    """Leave the SDK's own tables out of autogenerate and `alembic check`."""
    return not (type_ == "table" and (name or "").startswith(SDK_TABLES))


def _revisions(connection: Connection, metadata: MetaData | None, lock_timeout: str) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=_is_ours,
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        connection.execute(text("SELECT set_config('lock_timeout', :value, true)"), {"value": lock_timeout})
        context.run_migrations()
