"""A flood of orders ends before the shelves are empty; ordinary buyers never notice a limit."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest
from tochka_sdk.settings import ModuleSettings
from tochka_sdk.signing import FreshInstallation
from tochka_sdk.testing import ModuleClient, PlatformDouble, running_module
from tochka_shop.app import compose
from tochka_shop.orders.limits import RELAXED, STRICT, visitor_of
from tochka_shop.owners import Owner

from modules.shop.tests.driving import Buyer, Desk, Goods

pytestmark = pytest.mark.anyio

STOCK = 200


@pytest.fixture
async def strict(module_settings: ModuleSettings, platform: PlatformDouble) -> AsyncIterator[ModuleClient]:
    """The shop with the limits of production."""
    settings = module_settings.model_copy(update={"limits": "strict"})
    async with running_module(compose(), settings, platform) as client:
        yield client


@pytest.fixture
async def own_desk(strict: ModuleClient) -> AsyncIterator[tuple[Desk, FreshInstallation]]:
    """The owner of a shop with strict limits."""
    shop = await strict.install()
    async with strict.admin(shop) as browser:
        yield Desk(browser), shop


@asynccontextmanager
async def _visitor(strict: ModuleClient, shop: FreshInstallation, address: str) -> AsyncIterator[Buyer]:
    transport = httpx.ASGITransport(app=strict.app, client=(address, 4321))
    async with httpx.AsyncClient(transport=transport, base_url=shop.url) as browser:
        yield Buyer(browser)


async def _order(buyer: Buyer, goods: Goods, phone: str) -> httpx.Response:
    await buyer.put(goods.variant)
    return await buyer.submit(await buyer.form(phone=phone))


def _phone(number: int) -> str:
    return f"+7999123{number:04d}"


async def test_a_telephone_has_only_so_many_orders_that_wait_for_an_answer(
    strict: ModuleClient, own_desk: tuple[Desk, FreshInstallation]
) -> None:
    desk, shop = own_desk
    goods = await desk.add("Чай", stock=STOCK)
    for number in range(STRICT.unanswered + 1):
        async with _visitor(strict, shop, f"198.51.100.{number}") as buyer:
            refused = await _order(buyer, goods, _phone(1))
            assert refused.status_code == (303 if number < STRICT.unanswered else 429)
    assert "Слишком много заказов подряд" in refused.text
    assert "Retry-After" in refused.headers
    assert await desk.stock(goods) == STOCK - STRICT.unanswered
    assert len(await desk.order_ids()) == STRICT.unanswered

    await desk.move((await desk.order_ids())[0], "confirmed")
    async with _visitor(strict, shop, "198.51.100.99") as buyer:
        assert (await _order(buyer, goods, _phone(1))).status_code == 303


async def test_a_visitor_orders_only_so_often_an_hour_however_many_press_at_once(
    strict: ModuleClient, own_desk: tuple[Desk, FreshInstallation]
) -> None:
    desk, shop = own_desk
    goods = await desk.add("Чай", stock=STOCK)
    statuses: list[int] = []

    async def flood(number: int) -> None:
        async with _visitor(strict, shop, "2001:db8::" + str(number + 1)) as buyer:
            answer = await _order(buyer, goods, _phone(number))
            while answer.status_code == 503:
                answer = await _order(buyer, goods, _phone(number))
            statuses.append(answer.status_code)

    for start in range(0, STRICT.by_visitor + 6, 6):  # as many at once as there are connections
        async with anyio.create_task_group() as group:
            for number in range(start, start + 6):
                group.start_soon(flood, number)
    assert Counter(statuses) == {303: STRICT.by_visitor, 429: 6}
    assert await desk.stock(goods) == STOCK - STRICT.by_visitor
    async with _visitor(strict, shop, "203.0.113.5") as buyer:
        assert (await _order(buyer, goods, _phone(900))).status_code == 303


async def test_a_flood_in_one_shop_is_nothing_to_another(
    strict: ModuleClient, own_desk: tuple[Desk, FreshInstallation]
) -> None:
    desk, shop = own_desk
    goods = await desk.add("Чай", stock=STOCK)
    for _ in range(STRICT.unanswered):
        async with _visitor(strict, shop, "198.51.100.1") as buyer:
            assert (await _order(buyer, goods, _phone(1))).status_code == 303
    other = await strict.install()
    async with strict.admin(other) as browser, _visitor(strict, other, "198.51.100.1") as buyer:
        assert (await _order(buyer, await Desk(browser).add("Чай"), _phone(1))).status_code == 303


def test_a_visitor_is_a_network_and_cannot_be_read_back() -> None:
    shop, other = (Owner(new.tenant_id, new.id) for new in (FreshInstallation(), FreshInstallation()))

    def seen(address: str, owner: Owner = shop, secret: bytes = b"secret") -> str:
        return visitor_of(address, owner, secret)

    assert seen("198.51.100.1") == seen("::ffff:198.51.100.1")
    assert seen("2001:db8::1") == seen("2001:db8::ffff")
    assert seen("2001:db8::1") != seen("2001:db8:0:1::1")
    assert seen("198.51.100.1") != seen("198.51.100.1", other)
    assert seen("198.51.100.1") != seen("198.51.100.1", secret=b"another")
    assert seen("testclient") == seen("") == ""


def test_development_allows_a_hundred_times_as_many() -> None:
    assert (RELAXED.unanswered, RELAXED.by_visitor) == (100 * STRICT.unanswered, 100 * STRICT.by_visitor)
