"""`Connections`: the hot door, plain asyncpg."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

from tochka_sdk.db.pools import (
    ROLE,
    START_PATIENCE,
    PoolStatus,
    TransactionAborted,
    away,
    busy,
    is_connection_loss,
    is_refusal,
    patiently,
    refuse,
    require,
    require_reason,
    server_settings,
    with_scheme,
)
from tochka_sdk.db.scope import Scope, alone
from tochka_sdk.errors import Recorded

if TYPE_CHECKING:  # generic in the stubs only
    Connection = PoolConnectionProxy[asyncpg.Record]
    _Base = asyncpg.Connection[asyncpg.Record]
else:
    Connection = PoolConnectionProxy
    _Base = asyncpg.Connection
"""What `Connections` hands out: an `asyncpg.Connection` that belongs to the pool."""
Row = asyncpg.Record
_T = TypeVar("_T")


class _Stateless(_Base):
    """A connection with nothing to reset: transactions leave no session state behind."""

    def get_reset_query(self) -> str:
        return ""


async def _codecs(connection: Any) -> None:
    for name in ("json", "jsonb"):
        prefix = b"\x01" if name == "jsonb" else b""
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            format="binary",
            encoder=lambda value, prefix=prefix: prefix + orjson.dumps(value),
            decoder=lambda raw, prefix=prefix: orjson.loads(raw[len(prefix) :]),
        )


class Connections:
    """The hot door: plain asyncpg, constant parametrised SQL, BEGIN and scope in one round trip.

    `json` and `jsonb` come and go as Python values, `uuid` as `uuid.UUID`. For a nested unit use
    `savepoint`; asyncpg's own `connection.transaction()` is not for transactions that the door began.
    Arguments as for `Database`; `size` is the most connections it opens. It connects on first use.
    """

    def __init__(
        self,
        dsn: str,
        *,
        size: int = 10,
        pool_timeout: float = 5.0,
        application_name: str = "tochka",
        pgbouncer: bool = False,
        connect_timeout: float = 5.0,
    ) -> None:
        self._dsn = with_scheme(dsn, "postgresql")
        self._size = size
        self._timeout = pool_timeout
        self._connect: dict[str, Any] = {
            "server_settings": server_settings(application_name, pgbouncer=pgbouncer),
            "timeout": connect_timeout,
            "statement_cache_size": 0 if pgbouncer else 200,
        }
        self._pool: asyncpg.Pool[Row] | None = None
        self._lock = asyncio.Lock()
        self._waiting = 0

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[Connection]:
        """One transaction as `scope`; the same promises and errors as `Database.session`."""
        async with self._transaction(require(scope).begin()) as connection:
            yield connection

    @asynccontextmanager
    async def system(self, reason: str) -> AsyncIterator[Connection]:
        """One transaction without a scope. `reason` says why, and must not be empty."""
        require_reason(reason)
        async with self._transaction("BEGIN") as connection:
            yield connection

    async def read(self, scope: Scope, query: str, *values: Any) -> Row | None:
        """The first row of a query asked as `scope`: a transaction of its own in one round trip, for whoever
        has nothing else to ask. The query only reads, since it may be asked twice. Errors as `transaction`.
        """
        settings = require(scope).settings()
        statement = alone(query, tuple(settings), len(values))
        return await self._read(statement, *values, *settings.values())

    async def read_system(self, reason: str, query: str, *values: Any) -> Row | None:
        """The same without a scope. `reason` says why, and must not be empty."""
        require_reason(reason)
        return await self._read(query, *values)

    async def _read(self, statement: str, *values: Any) -> Row | None:
        pool = await self._opened()
        connection, row = await self._first(pool, lambda found: found.fetchrow(statement, *values))
        await pool.release(connection)
        return row

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncIterator[Connection]:
        pool = await self._opened()
        connection, _ = await self._first(pool, lambda found: found.execute(begin))
        try:
            yield connection
            await _finish(connection)
        except BaseException as error:
            # In one piece: a cancellation can come again, and must not find it half given back.
            await asyncio.shield(_leave(pool, connection, error))
            if is_connection_loss(error):
                raise away(error) from error
            raise
        await pool.release(connection)

    async def _first(
        self, pool: "asyncpg.Pool[Row]", ask: Callable[[Connection], Awaitable[_T]]
    ) -> tuple[Connection, _T]:
        """A connection and what it was first asked; one found dead is replaced once, since nothing happened
        on it.
        """
        for attempt in (1, 2):
            connection = await self._acquire(pool)
            try:
                return connection, await ask(connection)
            except BaseException as error:
                if not isinstance(error, asyncpg.PostgresError) or is_connection_loss(error):
                    _drop(connection)  # nobody knows what state it is in; a cancelled BEGIN may still begin
                await pool.release(connection)
                if not is_refusal(error):
                    raise
                if attempt == 2:
                    raise away(error) from error
        raise AssertionError("unreachable")

    async def _acquire(self, pool: "asyncpg.Pool[Row]") -> Connection:
        self._waiting += 1
        try:
            return await pool.acquire(timeout=self._timeout)
        except TimeoutError:
            if pool.get_idle_size() == 0 and pool.get_size() >= pool.get_max_size():
                raise busy() from None
            raise away(TimeoutError("connecting took too long")) from None
        except Exception as error:
            if is_refusal(error):
                raise away(error) from error
            raise
        finally:
            self._waiting -= 1

    async def _opened(self) -> "asyncpg.Pool[Row]":
        if self._pool is not None:
            return self._pool
        async with self._lock:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._dsn,
                    min_size=0,
                    max_size=self._size,
                    connection_class=_Stateless,
                    init=_codecs,
                    **self._connect,
                )
        return self._pool

    def pool_status(self) -> PoolStatus:
        """How the pool stands now."""
        if self._pool is None:
            return PoolStatus(self._size, 0, 0, 0, self._waiting)
        idle, opened = self._pool.get_idle_size(), self._pool.get_size()
        return PoolStatus(self._size, idle, opened - idle, 0, self._waiting)

    async def check_role(self, patience: float = START_PATIENCE) -> None:
        """Raise `UnsafeRole` when row-level security does not bind the role (or one that it may become).

        A database that is away is waited for, `patience` seconds at most.
        """
        await patiently(self._check_role, patience)

    async def _check_role(self) -> None:
        async with self.system("checks its own role at start") as connection:
            row = await connection.fetchrow(ROLE)
        refuse(row["rolname"] if row else None)

    async def close(self) -> None:
        """Close every connection, waiting for those in use."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None


async def _finish(connection: Connection) -> None:
    """COMMIT, and make sure that it was one: a failed transaction answers COMMIT with ROLLBACK."""
    if await connection.execute("COMMIT") != "COMMIT":
        raise TransactionAborted("a statement failed in this transaction and the error was swallowed")


async def _leave(pool: "asyncpg.Pool[Row]", connection: Connection, error: BaseException) -> None:
    """End the transaction of a block that raised, and give the connection back."""
    try:
        if isinstance(error, Recorded):
            await _finish(connection)
        else:
            await _roll_back(connection)
    except Exception as another:
        if is_connection_loss(another):
            raise away(another) from another
        raise
    finally:
        await pool.release(connection)


async def _roll_back(connection: Connection) -> None:
    try:
        if not connection.is_closed() and connection.is_in_transaction():
            await connection.execute("ROLLBACK")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
        _drop(connection)  # what loses its connection is rolled back


def _drop(connection: Connection) -> None:
    """Let go of a lost connection at once: it would be handed out again until its end is noticed."""
    with suppress(asyncpg.InterfaceError):  # the pool has noticed
        connection.terminate()


@asynccontextmanager
async def savepoint(connection: Connection) -> AsyncIterator[None]:
    """A unit within the door's transaction: an error undoes it alone, so that the transaction can go on."""
    name = f"s{uuid.uuid4().hex}"
    await connection.execute(f"SAVEPOINT {name}")
    try:
        yield
    except Exception:
        await connection.execute(f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")
        raise
    await connection.execute(f"RELEASE SAVEPOINT {name}")
