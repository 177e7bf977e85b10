"""The migrations make exactly the tables that the models describe, and can be undone."""

import asyncio

import alembic.command
import pytest
from tochka_sdk import migrations
from tochka_shop.module import MIGRATIONS
from tochka_shop.tables import Model
from tochka_stack.testing import ScratchPostgres

from modules.shop.tests.conftest import APP_ROLE

pytestmark = pytest.mark.anyio


async def test_up_down_and_up_again_agrees_with_the_models(postgres: ScratchPostgres) -> None:
    made = await postgres.create_database("shop_migrations", "shop_owner", APP_ROLE)
    config = migrations.config(made.owner_dsn, MIGRATIONS, Model.metadata, app_role=APP_ROLE)

    def go() -> None:
        migrations.run(made.owner_dsn, MIGRATIONS, Model.metadata, app_role=APP_ROLE)
        migrations.downgrade(made.owner_dsn, MIGRATIONS, app_role=APP_ROLE)
        migrations.run(made.owner_dsn, MIGRATIONS, Model.metadata, app_role=APP_ROLE)
        alembic.command.check(config)

    try:
        await asyncio.to_thread(go)
    finally:
        await postgres.drop_database(made.name)


def test_relations_are_never_loaded_behind_ones_back() -> None:
    for mapper in Model.registry.mappers:
        assert not mapper.relationships
