"""`Database`: the everyday door, SQLAlchemy 2.1 async over asyncpg."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import orjson
from sqlalchemy import TextClause, event, text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

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
from tochka_sdk.db.scope import Scope
from tochka_sdk.errors import Recorded

_ABORTED = "tochka_aborted"


class Database:
    """The everyday door: SQLAlchemy 2.1 async over asyncpg.

    Args:
        url: `postgresql://…` of an unprivileged role.
        pool_size: connections kept open; `max_overflow` more may be opened under load.
        pool_timeout: seconds to wait for a connection before `DatabaseBusy`.
        application_name: shown in `pg_stat_activity`.
        pgbouncer: behind PgBouncer in transaction mode: no statement caches.
        connect_timeout: seconds to wait for PostgreSQL itself.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 5,
        max_overflow: int = 5,
        pool_timeout: float = 5.0,
        application_name: str = "tochka",
        pgbouncer: bool = False,
        connect_timeout: float = 5.0,
    ) -> None:
        connect: dict[str, Any] = {
            "server_settings": server_settings(application_name, pgbouncer=pgbouncer),
            "timeout": connect_timeout,
        }
        if pgbouncer:
            connect |= {
                "statement_cache_size": 0,
                "prepared_statement_cache_size": 0,
                "prepared_statement_name_func": lambda: "",
            }
        self._engine = create_async_engine(
            with_scheme(url, "postgresql+asyncpg"),
            poolclass=AsyncAdaptedQueuePool,
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_timeout=pool_timeout,
            pool_use_lifo=True,
            connect_args=connect,
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
            hide_parameters=True,
        )
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        self._waiting = 0
        _watch_failures(self._engine.sync_engine)

    @asynccontextmanager
    async def session(self, scope: Scope) -> AsyncIterator[AsyncSession]:
        """One transaction as `scope`: committed when the block ends, rolled back when it raises.

        Raises:
            NoScope: no scope was given; the database was not touched.
            DatabaseBusy: no connection within the pool's timeout.
            DatabaseUnavailable: the database is away; nothing was stored.
        """
        async with self._transaction(require(scope).settings()) as session:
            yield session

    @asynccontextmanager
    async def system(self, reason: str) -> AsyncIterator[AsyncSession]:
        """One transaction without a scope. `reason` says why, and must not be empty."""
        require_reason(reason)
        async with self._transaction({}) as session:
            yield session

    @asynccontextmanager
    async def _transaction(self, settings: Mapping[str, str]) -> AsyncIterator[AsyncSession]:
        session = await self._open(settings)
        try:
            yield session
            await _commit(session)
        except Exception as error:
            if isinstance(error, Recorded):
                await _commit(session)
            if is_connection_loss(error):
                await session.invalidate()
                raise away(error) from error
            raise
        finally:
            await session.close()  # rolls back what was not committed, shielded from cancellation

    async def _open(self, settings: Mapping[str, str]) -> AsyncSession:
        """A session whose transaction has begun in its scope; a connection found dead is replaced once."""
        statement, values = _setting(settings)
        for attempt in (1, 2):
            session = self._sessions()
            self._waiting += 1
            try:
                await session.execute(statement, values)
                return session
            except PoolTimeout:
                await session.close()
                raise busy() from None
            except BaseException as error:
                # a lost connection would be handed out again until its end is noticed
                await (session.invalidate() if is_connection_loss(error) else session.close())
                if not is_refusal(error):
                    raise
                if attempt == 2:
                    raise away(error) from error
            finally:
                self._waiting -= 1
        raise AssertionError("unreachable")

    def pool_status(self) -> PoolStatus:
        """How the pool stands now; `wait` counts transactions that are being opened."""
        pool = cast("AsyncAdaptedQueuePool", self._engine.pool)
        return PoolStatus(
            size=pool.size(),
            checked_in=pool.checkedin(),
            checked_out=pool.checkedout(),
            overflow=max(0, pool.overflow()),
            wait=self._waiting,
        )

    async def check_role(self, patience: float = START_PATIENCE) -> None:
        """Raise `UnsafeRole` when row-level security does not bind the role (or one that it may become).

        A database that is away is waited for, `patience` seconds at most.
        """
        await patiently(self._check_role, patience)

    async def _check_role(self) -> None:
        async with self.system("checks its own role at start") as session:
            row = (await session.execute(text(ROLE))).first()
        refuse(row.rolname if row else None)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def _setting(settings: Mapping[str, str]) -> tuple[TextClause, dict[str, str]]:
    calls = [f"set_config('{name}', :p{index}, true)" for index, name in enumerate(settings)]
    values = {f"p{index}": value for index, value in enumerate(settings.values())}
    return text("SELECT " + (", ".join(calls) or "1")), values


async def narrow(session: AsyncSession, scope: Scope) -> None:
    """Set more of the scope within the transaction that a door opened, for example one installation of a
    tenant.

    What `scope` does not name stays as it was.
    """
    statement, values = _setting(require(scope).settings())
    await session.execute(statement, values)


def _watch_failures(engine: Any) -> None:
    """Remember on the connection that a statement failed, until a savepoint or the whole is rolled back.

    PostgreSQL answers COMMIT of a failed transaction with a silent ROLLBACK; the door must not.
    """

    @event.listens_for(engine, "handle_error")
    def failed(context: Any) -> None:
        if context.connection is not None and not context.connection.closed:
            context.connection.info[_ABORTED] = True

    @event.listens_for(engine, "rollback_savepoint")
    def forgiven(connection: Any, _name: str, _context: object) -> None:
        connection.info.pop(_ABORTED, None)

    @event.listens_for(engine, "begin")
    def fresh(connection: Any) -> None:
        connection.info.pop(_ABORTED, None)


async def _commit(session: AsyncSession) -> None:
    await session.flush()
    connection = await session.connection()
    if connection.info.get(_ABORTED):
        raise TransactionAborted("a statement failed in this transaction and the error was swallowed")
    await session.commit()
