"""Many buyers at once, over real PostgreSQL: nothing is sold twice, nothing is lost."""

import re
from collections import Counter
from contextlib import AsyncExitStack

import anyio
import httpx
import pytest
from tochka_sdk.signing import FreshInstallation
from tochka_sdk.testing import ModuleClient

from modules.shop.tests.driving import Buyer, Desk, Goods

pytestmark = pytest.mark.anyio


async def _submit_all(forms: list[tuple[Buyer, dict[str, str]]]) -> list[httpx.Response]:
    """Everybody presses the button in the same moment; who is asked to come later presses again."""
    answers: list[httpx.Response] = []

    async def press(buyer: Buyer, form: dict[str, str]) -> None:
        answer = await buyer.submit(form)
        while answer.status_code == 503:  # a busy machine: nobody got a connection within five seconds
            answer = await buyer.submit(form)
        answers.append(answer)

    async with anyio.create_task_group() as group:
        for buyer, form in forms:
            group.start_soon(press, buyer, form)
    return answers


async def _crowd(
    stack: AsyncExitStack, running: ModuleClient, installation: FreshInstallation, carts: list[list[Goods]]
) -> list[tuple[Buyer, dict[str, str]]]:
    """A buyer for every cart, each before the filled-in form."""
    forms = []
    for number, goods in enumerate(carts):
        buyer = Buyer(await stack.enter_async_context(running.storefront(installation)))
        for one in goods:
            await buyer.put(one.variant)
        forms.append((buyer, await buyer.form(phone=f"+7999123{number:04d}")))
    return forms


@pytest.mark.proof
async def test_of_fifty_buyers_five_get_the_last_five(
    running: ModuleClient, installation: FreshInstallation, desk: Desk
) -> None:
    goods = await desk.add("Последние пять", stock=5)
    async with AsyncExitStack() as stack:
        forms = await _crowd(stack, running, installation, [[goods]] * 50)
        answers = await _submit_all(forms)
    assert Counter(answer.status_code for answer in answers) == {303: 5, 409: 45}
    assert await desk.stock(goods) == 0
    assert len(await desk.order_ids()) == 5
    numbers = re.findall(r"Заказ № (\d+)", await desk.page("/admin/orders"))
    assert sorted(set(numbers)) == ["1001", "1002", "1003", "1004", "1005"]


async def test_orders_of_the_same_things_in_another_order_do_not_block_each_other(
    running: ModuleClient, installation: FreshInstallation, desk: Desk
) -> None:
    one, other = await desk.add("Один", stock=30), await desk.add("Другой", stock=30)
    async with AsyncExitStack() as stack:
        carts = [[one, other] if number % 2 else [other, one] for number in range(20)]
        answers = await _submit_all(await _crowd(stack, running, installation, carts))
    assert {answer.status_code for answer in answers} == {303}
    assert (await desk.stock(one), await desk.stock(other)) == (10, 10)


async def test_an_order_gets_everything_or_nothing(
    running: ModuleClient, installation: FreshInstallation, desk: Desk
) -> None:
    plenty, few = await desk.add("Много", stock=50), await desk.add("Мало", stock=3)
    async with AsyncExitStack() as stack:
        answers = await _submit_all(await _crowd(stack, running, installation, [[plenty, few]] * 15))
    assert Counter(answer.status_code for answer in answers) == {303: 3, 409: 12}
    assert (await desk.stock(plenty), await desk.stock(few)) == (47, 0)


async def test_a_form_submitted_five_times_at_once_is_one_order(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай", stock=10)
    await buyer.put(goods.variant, 2)
    form = await buyer.form()
    answers = await _submit_all([(buyer, form)] * 5)
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert await desk.stock(goods) == 8
    assert len(await desk.order_ids()) == 1

    late = await buyer.submit(form)
    assert late.headers["location"] == answers[0].headers["location"]
    assert len(await desk.order_ids()) == 1


async def test_two_tabs_of_one_cart_are_one_order(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай", stock=10)
    await buyer.put(goods.variant, 2)
    answers = await _submit_all([(buyer, await buyer.form()), (buyer, await buyer.form())])
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert await desk.stock(goods) == 8


async def test_saving_a_product_keeps_what_buyers_took_meanwhile(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай", stock=5)
    await buyer.put(goods.variant, 2)
    stale = {
        "title": "Чай",
        "is_published": "1",
        "variants-0-id": str(goods.variant),
        "variants-0-title": "",
        "variants-0-price": "100",
        "variants-0-seen": "5",
    }
    await buyer.order()
    await desk.done(f"/admin/products/{goods.id}", {**stale, "variants-0-stock": "5"})
    assert await desk.stock(goods) == 3
    await desk.done(f"/admin/products/{goods.id}", {**stale, "variants-0-stock": "15"})
    assert await desk.stock(goods) == 13


async def test_a_product_limit_holds_against_parallel_creation(
    running: ModuleClient,
) -> None:
    small = FreshInstallation()
    license = running.platform.license(small, entitlements={"products": 3})
    await running.install(small, license=license)
    async with running.admin(small) as browser:
        desk = Desk(browser)
        answers: list[httpx.Response] = []

        async def create(number: int) -> None:
            data = {"title": f"Товар {number}", "variants-0-price": "10", "variants-0-stock": "1"}
            answers.append(await desk.post("/admin/products/new", data))

        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(create, number)
        assert Counter(answer.status_code for answer in answers) == {303: 3, 403: 5}
        refused = next(answer for answer in answers if answer.status_code == 403)
        assert "по вашему тарифу: 3." in refused.text
        assert (await desk.page("/admin/products")).count("with-tile") == 3


async def test_twins_created_at_once_get_addresses_of_their_own(desk: Desk) -> None:
    goods: list[Goods] = []

    async def create() -> None:
        goods.append(await desk.add("Чай"))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(create)
    assert sorted(one.slug for one in goods) == ["chay", "chay-2", "chay-3", "chay-4", "chay-5"]
