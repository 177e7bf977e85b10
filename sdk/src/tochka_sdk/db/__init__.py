"""The two doors to PostgreSQL: `Database` (SQLAlchemy) for every day, `Connections` (asyncpg) for hot work.

Each opens its own transaction and sets its scope with `set_config(…, true)` before anything else runs;
leaving the block commits, an error rolls back, and an error that is `Recorded` commits although it was
raised. Nothing else in the platform commits, rolls back or opens a transaction, and a request uses one
door, once. A door without a scope raises `NoScope` before it touches the database; `system(reason)` is the
one way in without, for roles and tables that have no tenant. Who has a single question asks it by
`Connections.read`, a transaction in one round trip.

Connections keep no session state (no SET, no session locks, no LISTEN): asyncpg's reset query is empty
because of it, and both doors work behind PgBouncer in transaction mode with `pgbouncer=True`.
"""

from tochka_sdk.db.connections import Connection, Connections, savepoint
from tochka_sdk.db.database import Database, narrow
from tochka_sdk.db.listener import Listener
from tochka_sdk.db.models import NAMING, new_base, new_metadata
from tochka_sdk.db.pools import (
    UNPRUNED,
    PoolStatus,
    TransactionAborted,
    UnsafeRole,
    is_rejection,
    violates,
)
from tochka_sdk.db.scope import NoScope, Scope

__all__ = [
    "NAMING",
    "UNPRUNED",
    "Connection",
    "Connections",
    "Database",
    "Listener",
    "NoScope",
    "PoolStatus",
    "Scope",
    "TransactionAborted",
    "UnsafeRole",
    "is_rejection",
    "narrow",
    "new_base",
    "new_metadata",
    "savepoint",
    "violates",
]
