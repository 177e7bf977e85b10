"""The life of an order: its steps, its history, and the way back to the shelf."""

import pytest
from tochka_sdk.signing import FreshInstallation
from tochka_sdk.testing import ModuleClient
from tochka_shop.orders.schemas import Status

from modules.shop.tests.driving import Buyer, Desk

pytestmark = pytest.mark.anyio

WAYS = {"pickup": ["confirmed", "ready", "completed"], "delivery": ["confirmed", "shipped", "completed"]}


@pytest.mark.parametrize("method", WAYS)
async def test_an_order_goes_its_way_and_the_buyer_can_follow(desk: Desk, buyer: Buyer, method: str) -> None:
    await desk.settings()
    goods = await desk.add("Чай")
    await buyer.put(goods.variant)
    link = await buyer.order(method=method, address="Тверь, Волжский, 7")
    (order,) = await desk.order_ids()
    for step in WAYS[method]:
        assert (await desk.move(order, step, note=f"шаг {step}")).status_code == 303
    html = await desk.page(f"/admin/orders/{order}")
    for step in WAYS[method]:
        assert f"шаг {step}" in html
    assert "владелец" in html
    assert "покупатель" in html
    told = await buyer.page(link)
    assert ("Заказ получен" if method == "pickup" else "Заказ доставлен") in told
    assert "шаг confirmed" not in told
    assert await desk.order_ids("/admin/orders?status=completed") == [order]
    assert await desk.order_ids("/admin/orders?status=new") == []


async def test_a_cancelled_order_returns_its_goods_once(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай", stock=5)
    await buyer.put(goods.variant, 3)
    link = await buyer.order()
    (order,) = await desk.order_ids()
    await desk.move(order, "confirmed")
    for _ in range(2):
        assert (await desk.move(order, "cancelled")).status_code == 303
    assert await desk.stock(goods) == 5
    assert "Заказ отменён" in await buyer.page(link)


async def test_cancelling_survives_a_product_that_is_gone(desk: Desk, buyer: Buyer) -> None:
    goods, other = await desk.add("Чай"), await desk.add("Кружка", stock=4)
    await buyer.put(goods.variant)
    await buyer.put(other.variant)
    link = await buyer.order()
    await desk.done(f"/admin/products/{goods.id}/remove", {})
    (order,) = await desk.order_ids()
    assert (await desk.move(order, "cancelled")).status_code == 303
    assert await desk.stock(other) == 4
    assert "Чай" in await buyer.page(link)


def _illegal(method: str) -> list[tuple[str, str]]:
    legal = {(start, step) for start in Status for step in start.steps(method)}
    return sorted(
        (start.value, step.value)
        for start in Status
        for step in Status
        if start is not step and (start, step) not in legal
    )


@pytest.mark.parametrize("method", WAYS)
async def test_an_order_takes_no_other_way(desk: Desk, buyer: Buyer, method: str) -> None:
    await desk.settings()
    goods = await desk.add("Чай", stock=50)
    ways = {"new": [], **{step: WAYS[method][: at + 1] for at, step in enumerate(WAYS[method])}}
    ways["cancelled"] = ["cancelled"]
    for start, road in ways.items():
        await buyer.put(goods.variant)
        await buyer.order(method=method, address="Тверь")
        order = (await desk.order_ids())[0]
        for step in road:
            await desk.move(order, step)
        before = await desk.page(f"/admin/orders/{order}")
        for _, step in [pair for pair in _illegal(method) if pair[0] == start]:
            refused = await desk.move(order, step)
            assert refused.status_code == 409, (start, step)
        assert await desk.page(f"/admin/orders/{order}") == before


async def test_a_status_that_does_not_exist_changes_nothing(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай")
    await buyer.put(goods.variant)
    await buyer.order()
    (order,) = await desk.order_ids()
    await desk.move(order, "teleported")
    assert await desk.order_ids("/admin/orders?status=new") == [order]


async def test_staff_works_on_orders_and_not_on_settings(
    running: ModuleClient, installation: FreshInstallation, desk: Desk, buyer: Buyer
) -> None:
    goods = await desk.add("Чай")
    await buyer.put(goods.variant)
    await buyer.order()
    async with running.admin(installation, role="staff") as browser:
        staff = Desk(browser)
        (order,) = await staff.order_ids()
        assert (await staff.move(order, "confirmed")).status_code == 303
        assert "сотрудник" in await staff.page(f"/admin/orders/{order}")
        assert "может менять владелец" in await staff.page("/admin/settings")
        refused = await staff.post("/admin/settings", {"name": "Захвачено"})
    assert refused.status_code == 403
    assert "Захвачено" not in await desk.page("/admin/settings")


async def test_orders_are_found_by_number_and_by_telephone(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай", stock=9)
    for phone in ("+7 999 000-00-01", "+7 999 000-00-02"):
        await buyer.put(goods.variant)
        await buyer.order(phone=phone)
    second, first = await desk.order_ids()
    assert await desk.order_ids("/admin/orders?q=1001") == [first]
    assert await desk.order_ids("/admin/orders?q=8 999 000 00 02") == [second]
    assert await desk.order_ids("/admin/orders?q=77") == []
    assert await desk.order_ids("/admin/orders?q=%C2%B2") == []
