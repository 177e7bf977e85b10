"""What both doors share: their errors, the state of a pool, and the check of the role."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import cast

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError

from tochka_sdk import logs
from tochka_sdk.db.scope import NoScope, Scope
from tochka_sdk.errors import DatabaseBusy, DatabaseUnavailable

ROLE = """
    SELECT r.rolname, r.rolsuper, r.rolbypassrls FROM pg_roles r
    WHERE (r.rolsuper OR r.rolbypassrls) AND pg_has_role(current_user, r.oid, 'MEMBER')
    LIMIT 1
"""
UNPRUNED = {"enable_partition_pruning": "off"}
"""PostgreSQL 18.6 ends with a segmentation fault, and all sessions with it, when a row of a partitioned table
was changed by somebody else meanwhile and the plan that finds it anew skips partitions as it runs. A plan
that looks into all of them does not. PgBouncer knows no such setting.
"""
START_PATIENCE = 30.0
_START_PAUSE = 0.5
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    # The server has said its last word on this connection, and its end has not been noticed yet. Two
    # statements at once, which would be a mistake in the program, are an InterfaceError.
    asyncpg.InternalClientError,
)
_REJECTED = {"22", "23", "54", "P0"}
"""Classes of SQLSTATE: data exception, integrity constraint, program limit, raised by a function."""
_log = logs.get_logger(__name__)


class TransactionAborted(RuntimeError):
    """A statement failed, its error was swallowed, and the block ended normally: nothing can be committed."""


class UnsafeRole(RuntimeError):
    """The process is connected as a role that row-level security does not bind."""


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """A pool now: connections it keeps, idle, in use, beyond its size, and tasks waiting for one."""

    size: int
    checked_in: int
    checked_out: int
    overflow: int
    wait: int

    def as_dict(self) -> dict[str, int]:
        """The shape of `/health/db`."""
        return asdict(self)


def server_settings(application_name: str, *, pgbouncer: bool) -> dict[str, str]:
    """What the server is told as a connection begins."""
    return {"application_name": application_name} | ({} if pgbouncer else UNPRUNED)


def violates(error: BaseException, constraint: str) -> bool:
    """Whether `error` (SQLAlchemy's or asyncpg's) is a violation of the constraint with this name."""
    cause: BaseException | None = error
    if isinstance(error, IntegrityError):
        cause = cast("BaseException | None", error.driver_exception)
    return (
        isinstance(cause, asyncpg.IntegrityConstraintViolationError) and cause.constraint_name == constraint
    )


def is_rejection(error: BaseException) -> bool:
    """Whether a statement (asyncpg's) failed by what it was given, and would again: values that are none,
    constraints, limits. How the database fares, who else is at work and what may be done are other matters.
    """
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] in _REJECTED
    return isinstance(error, ValueError | TypeError | LookupError | ArithmeticError)


def is_connection_loss(error: BaseException) -> bool:
    """Whether the connection to the database went away, rather than a statement being wrong."""
    if isinstance(error, DBAPIError):
        cause = cast("BaseException", error.driver_exception)
        return error.connection_invalidated or is_connection_loss(cause)
    if isinstance(error, asyncpg.InterfaceError):
        return "closed" in str(error) or "released back to the pool" in str(error)
    return isinstance(error, _LOST)


def is_refusal(error: BaseException) -> bool:
    """Whether opening a transaction failed because the database cannot be reached, now or no longer."""
    return is_connection_loss(error) or isinstance(error, OSError | TimeoutError)


def away(error: BaseException) -> DatabaseUnavailable:
    """The error to raise for a database that cannot be reached; its own words go to the log alone."""
    _log.warning("database.unavailable", reason=type(error).__name__, detail=str(error))
    return DatabaseUnavailable("The service is short of its database for a moment. Please try again.")


def busy() -> DatabaseBusy:
    """The error to raise when every connection stayed taken."""
    return DatabaseBusy("The service is busy. Please try again in a moment.")


async def patiently(check: Callable[[], Awaitable[None]], patience: float) -> None:
    """Repeat a check at the start of a process while the database is away, `patience` seconds at most.

    Server and clients often come up together, after a power cut for one: to end for that would only make
    whoever starts processes wait longer and longer.
    """
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        try:
            return await check()
        except DatabaseUnavailable:
            if asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(_START_PAUSE)


def require(scope: object) -> Scope:
    """The scope, or `NoScope` for anything else: a door opens for nothing less."""
    if not isinstance(scope, Scope):
        raise NoScope("the door to the database opens for a Scope; system(reason) is the way without one")
    return scope


def require_reason(reason: str) -> None:
    """Refuse (`NoScope`) work without a scope that does not say why."""
    if not reason.strip():
        raise NoScope("work without a scope says why")


def with_scheme(address: str, scheme: str) -> str:
    """The same address under the scheme that the driver expects."""
    _, _, rest = address.partition("://")
    return f"{scheme}://{rest}"


def refuse(role: str | None) -> None:
    """Raise `UnsafeRole` if there is a role through which this process could step around the policies."""
    if role is not None:
        raise UnsafeRole(f"the role of this process may act as {role}, which bypasses row-level security")
