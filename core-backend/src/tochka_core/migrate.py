"""Bring the core's database to the newest revision, as the owner of its tables."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

SCRIPTS = Path(__file__).parents[2] / "migrations"
LOCK_TIMEOUT = "10s"


class MigrationSettings(BaseSettings):
    """The owner's door; no process that serves requests knows it."""

    model_config = SettingsConfigDict(env_prefix="TOCHKA_CORE_", frozen=True, extra="ignore")

    owner_database_url: SecretStr


def _asyncpg(url: str) -> str:
    """The same address under SQLAlchemy's name for the driver."""
    return "postgresql+asyncpg://" + url.partition("://")[2]


def config_for(connection: Connection) -> Config:
    """Alembic's configuration for one open connection."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "os")
    config.set_main_option("prepend_sys_path", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config


async def upgrade(owner_url: str, revision: str = "head") -> None:
    """Run all revisions up to `revision`; a lock that cannot be had within 10 s stops it."""
    engine = create_async_engine(_asyncpg(owner_url))
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
            await connection.run_sync(lambda sync: command.upgrade(config_for(sync), revision))
    finally:
        await engine.dispose()
