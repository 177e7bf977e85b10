"""More buyers than goods, all at the checkout in the same moment: what there is is sold, and nothing else."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.proof import books
from tests.proof.journal import Journal
from tests.proof.options import SEED
from tests.proof.people import owners
from tests.proof.running import OURS, SHOP, Stack, running
from tests.proof.shopping import Buyer, Desk, Goods, buyer, desk_of

pytestmark = [pytest.mark.proof, pytest.mark.anyio]

LABEL = "crowded"
STOCK, BUYERS = 20, 60
FEW, GREEDY, DOUBLE = 15, 24, 12

SOLD = """
    SELECT l.variant_id::text AS variant, sum(l.quantity)::int AS sold, v.stock
    FROM order_lines l JOIN variants v ON v.id = l.variant_id GROUP BY l.variant_id, v.stock
"""
WRONG_ORDERS = """
    SELECT o.number FROM orders o
    CROSS JOIN LATERAL (SELECT sum(l.quantity) AS pieces, sum(l.quantity * l.price) AS goods
                        FROM order_lines l WHERE l.order_id = o.id) lines
    WHERE (o.pieces, o.goods_total) IS DISTINCT FROM (lines.pieces, lines.goods)
       OR 1 <> (SELECT count(*) FROM order_changes c WHERE c.order_id = o.id)
"""
NUMBERS = "SELECT count(*) AS count, min(number) AS first, max(number) AS last FROM orders"


@dataclass
class Market:
    """A live shop, its owner at the desk, and what people in it saw."""

    stack: Stack
    journal: Journal
    desk: Desk

    @asynccontextmanager
    async def crowd(self, count: int) -> AsyncIterator[list[Buyer]]:
        """So many buyers."""
        async with AsyncExitStack() as several:
            yield [
                await several.enter_async_context(buyer(self.stack.url, LABEL, self.journal))
                for _ in range(count)
            ]

    async def sold(self, goods: Goods) -> tuple[int, int]:
        """How many the orders say were sold, and how many are left."""
        rows = {row["variant"]: row for row in await books.rows(self.stack, SHOP, SOLD)}
        row = rows[goods.variant]
        return row["sold"], row["stock"]


@pytest.fixture(scope="module")
async def market(anyio_backend: str) -> AsyncIterator[Market]:
    """One shop for all."""
    journal = Journal(is_calm=True)
    with running() as stack:
        async with owners(stack.url, journal, 1) as (owner,):
            wish = await owner.activate(LABEL)
            (installation_id,) = wish.answered
            assert (await owner.outcome(installation_id))["status"] == "live"
            async with desk_of(owner, installation_id, LABEL, journal) as desk:
                yield Market(stack, journal, desk)


async def _all_order(crowd: Sequence[Buyer]) -> list[str]:
    """Everybody presses «order» in the same moment."""
    barrier = asyncio.Barrier(len(crowd))

    async def run(one: Buyer) -> str:
        await barrier.wait()
        return await one.order()

    return await asyncio.gather(*(run(one) for one in crowd))


async def test_twenty_pieces_go_to_twenty_of_sixty_buyers(market: Market) -> None:
    goods = await market.desk.put_on_shelf("Каравай", STOCK)
    async with market.crowd(BUYERS) as crowd:
        await asyncio.gather(*(one.put(goods) for one in crowd))
        assert all(await asyncio.gather(*(one.fill_in() for one in crowd)))
        orders = await _all_order(crowd)
    links = [link for link in orders if link]
    assert (len(links), len(set(links))) == (STOCK, STOCK)
    assert await market.sold(goods) == (STOCK, 0)


async def test_greedy_buyers_of_two_things_take_all_there_is_and_no_more(market: Market) -> None:
    shelf = [await market.desk.put_on_shelf(title, FEW) for title in ("Соль", "Спички")]
    chance = random.Random(SEED)

    async def shop_until_nothing_is_left(one: Buyer) -> None:
        for goods in chance.sample(shelf, 2):  # in either order: whoever locks in his own waits for ever
            await one.put(goods, chance.randint(1, 3))
        while await one.fill_in() and not await one.order():
            pass

    async with market.crowd(GREEDY) as crowd:
        await asyncio.gather(*(shop_until_nothing_is_left(one) for one in crowd))
    assert [await market.sold(goods) for goods in shelf] == [(FEW, 0), (FEW, 0)]


async def test_a_form_that_is_sent_twice_at_once_is_one_order(market: Market) -> None:
    goods = await market.desk.put_on_shelf("Чай", 3 * DOUBLE)
    async with market.crowd(DOUBLE) as crowd:
        await asyncio.gather(*(one.put(goods) for one in crowd))
        assert all(await asyncio.gather(*(one.fill_in() for one in crowd)))
        orders = await _all_order([one for one in crowd for _ in range(2)])
    assert all(orders)
    assert len(set(orders)) == DOUBLE
    assert await market.sold(goods) == (DOUBLE, 2 * DOUBLE)


async def test_orders_are_whole_and_numbered_without_a_gap(market: Market) -> None:
    goods = await market.desk.put_on_shelf("Последнее", 1)
    async with market.crowd(1) as (last,):
        await last.put(goods)
        assert await last.fill_in()
        assert await last.order()
    (numbers,) = await books.rows(market.stack, SHOP, NUMBERS)
    assert numbers["last"] - numbers["first"] + 1 == numbers["count"]
    assert await books.rows(market.stack, SHOP, WRONG_ORDERS) == []
    assert market.journal.wrong == []
    assert [line for part in OURS for line in market.stack.errors(part)] == []
