"""A migrated database, a running shop, and people who use it."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from tochka_sdk import migrations
from tochka_sdk.module import Module
from tochka_sdk.signing import FreshInstallation
from tochka_sdk.testing import ModuleClient
from tochka_sdk.testing.plugin import (  # noqa: F401  fixtures; pytest takes plugins in the root only
    admin,
    installation,
    module_settings,
    plain_logs,
    platform,
    running,
    storefront,
    stranger,
)
from tochka_shop.module import MIGRATIONS, module
from tochka_shop.tables import Model
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

from modules.shop.tests.driving import Buyer, Desk

APP_ROLE = "shop_app"


@pytest.fixture(scope="session")
def module_under_test() -> Module:
    """The shop."""
    return module


@pytest.fixture(scope="session")
async def database(postgres: ScratchPostgres, anyio_backend: str) -> AsyncIterator[ScratchDatabase]:
    """A database of the shop, brought up to date by its owner."""
    made = await postgres.create_database("shop", "shop_owner", APP_ROLE)
    await asyncio.to_thread(migrations.run, made.owner_dsn, MIGRATIONS, Model.metadata, app_role=APP_ROLE)
    yield made
    await postgres.drop_database(made.name)


@pytest.fixture(scope="session")
def module_dsn(database: ScratchDatabase) -> str:
    """How the shop signs in: as the role that row-level security binds."""
    return database.dsn(APP_ROLE)


@pytest.fixture
def desk(admin: httpx.AsyncClient) -> Desk:  # noqa: F811  the fixture, not the import
    """The owner at the desk."""
    return Desk(admin)


@pytest.fixture
def buyer(storefront: httpx.AsyncClient) -> Buyer:  # noqa: F811  the fixture, not the import
    """A buyer with an empty cart."""
    return Buyer(storefront)


@pytest.fixture
async def neighbour(
    running: ModuleClient,  # noqa: F811  the fixture, not the import
    stranger: FreshInstallation,  # noqa: F811  the fixture, not the import
) -> AsyncIterator[tuple[Desk, Buyer]]:
    """The owner of another shop, and a buyer in it."""
    async with running.admin(stranger) as their_admin, running.storefront(stranger) as their_storefront:
        yield Desk(their_admin), Buyer(their_storefront)
