"""What the platform commands: a shop begins, once; a shop ends, wholly."""

import asyncpg
import pytest
from tochka_sdk.settings import ModuleSettings
from tochka_sdk.signing import FreshInstallation
from tochka_sdk.testing import ModuleClient
from tochka_shop.tables import Model
from tochka_stack.testing import ScratchDatabase

from modules.shop.tests.driving import Buyer, Desk
from modules.shop.tests.pictures import files

pytestmark = pytest.mark.anyio


async def _rows(database: ScratchDatabase, installation: FreshInstallation) -> dict[str, int]:
    """How many rows an installation has in each table of the shop."""
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        return {
            table: await connection.fetchval(
                "SELECT count(*) FROM %t WHERE installation_id = $1".replace("%t", table), installation.id
            )
            for table in Model.metadata.tables
        }
    finally:
        await connection.close()


async def test_a_new_shop_has_its_name_its_category_and_its_counter(
    database: ScratchDatabase, desk: Desk, installation: FreshInstallation
) -> None:
    rows = await _rows(database, installation)
    made = {"shop_settings": 1, "categories": 1, "order_counters": 1}
    assert rows == {**dict.fromkeys(rows, 0), **made}
    page = await desk.page("/admin")
    assert installation.tenant_name in page
    assert "Первые шаги" in page


async def test_an_english_tenant_gets_an_english_shop(running: ModuleClient) -> None:
    fresh = await running.install(FreshInstallation(tenant_name="Warm Bread", locale="en"))
    async with running.storefront(fresh) as browser:
        page = (await browser.get("/")).text
    assert '<html lang="en"' in page
    assert "Opening soon" in page


async def test_a_repeated_command_changes_nothing(
    database: ScratchDatabase,
    running: ModuleClient,
    desk: Desk,
    buyer: Buyer,
    installation: FreshInstallation,
) -> None:
    await desk.settings(name="Своё имя")
    goods = await desk.add("Чай")
    await buyer.put(goods.variant)
    await buyer.order()
    before = await _rows(database, installation)
    again = running.platform.requested(installation)
    for _ in range(2):
        assert (await running.deliver(again)).status_code == 200
    assert await _rows(database, installation) == before
    assert "Своё имя" in await buyer.page("/")
    await buyer.put(goods.variant)
    assert "1002" in await buyer.page(await buyer.order())


async def test_a_removed_shop_leaves_nothing_behind_and_its_neighbour_alone(
    database: ScratchDatabase,
    running: ModuleClient,
    module_settings: ModuleSettings,
    desk: Desk,
    buyer: Buyer,
    neighbour: tuple[Desk, Buyer],
    installation: FreshInstallation,
    stranger: FreshInstallation,
) -> None:
    picture = files.encode(files.photo(64, 64), "PNG")
    for one_desk, one_buyer in ((desk, buyer), neighbour):
        goods = await one_desk.add("Чай", pictures=[("a.png", picture)])
        await one_buyer.put(goods.variant)
        await one_buyer.order()
        await one_buyer.put(goods.variant)
    kept = await _rows(database, stranger)
    shelf = module_settings.uploads_dir / str(installation.tenant_id) / str(installation.id)
    assert shelf.exists()

    await running.remove(installation)
    rows = await _rows(database, installation)
    assert rows == dict.fromkeys(rows, 0)
    assert not shelf.exists()
    assert (await buyer.get("/")).status_code == 404
    assert await _rows(database, stranger) == kept
    their_shelf = module_settings.uploads_dir / str(stranger.tenant_id) / str(stranger.id)
    assert their_shelf.exists()


async def test_a_shop_that_never_was_can_be_removed(running: ModuleClient) -> None:
    await running.remove(FreshInstallation())
