"""Buyers order while the shop and what it stands on are killed with -9: no order is lost or made twice."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.proof import books
from tests.proof.journal import Journal
from tests.proof.killing import BACKEND, Killer
from tests.proof.options import SEED
from tests.proof.people import browser, owners
from tests.proof.running import OURS, SHOP, Stack, running
from tests.proof.shopping import Goods, buyer, desk_of

pytestmark = [pytest.mark.proof, pytest.mark.anyio]

LABEL, STOCK, BUYERS, CHAOS_S = "stormy", 5000, 8, 25.0
VICTIMS = ("shop", "gateway", "core-web", "postgres", BACKEND)
ORDERS = "SELECT link FROM orders"
GONE = """
    SELECT (SELECT coalesce(sum(quantity), 0)::int FROM order_lines) AS sold,
           (SELECT stock FROM variants) AS stock
"""


@dataclass
class Storm:
    """The shop afterwards, and the pages of the orders that buyers were led to."""

    stack: Stack
    journal: Journal
    links: list[str]


async def _buy(stack: Stack, journal: Journal, goods: Goods, links: list[str], over: asyncio.Event) -> None:
    """One order after the other, each as a fresh visitor who presses until there is an answer."""
    while not over.is_set():
        async with buyer(stack.url, LABEL, journal) as one:
            await one.put(goods, quantity=2)
            assert await one.fill_in()
            links.append(await one.order())


@pytest.fixture(scope="module")
async def storm(anyio_backend: str, findings: list[str]) -> AsyncIterator[Storm]:
    """Half a minute of it, until the last buyer has an answer."""
    links, over = list[str](), asyncio.Event()
    with running() as stack:
        journal = Journal()
        async with owners(stack.url, journal, 1) as (owner,):
            wish = await owner.activate(LABEL)
            (installation_id,) = wish.answered
            assert (await owner.outcome(installation_id))["status"] == "live"
            async with desk_of(owner, installation_id, LABEL, journal) as desk:
                goods = await desk.put_on_shelf("Зонт", STOCK)
        killer = Killer(stack, random.Random(SEED), VICTIMS)
        async with asyncio.TaskGroup() as group:
            for _ in range(BUYERS):
                group.create_task(_buy(stack, journal, goods, links, over))
            await killer.run(CHAOS_S)
            over.set()
        findings.append(f"storm: killed {dict(killer.killed)}; {len(links)} orders {dict(journal.counts)}")
        yield Storm(stack, journal, links)


async def test_every_order_that_was_told_is_there_and_no_other(storm: Storm) -> None:
    there = [row["link"] for row in await books.rows(storm.stack, SHOP, ORDERS)]
    assert storm.links
    assert sorted(storm.links) == sorted(f"/orders/{link}" for link in there)


async def test_what_is_left_on_the_shelf_is_what_was_not_sold(storm: Storm) -> None:
    (gone,) = await books.rows(storm.stack, SHOP, GONE)
    assert gone["sold"] == 2 * len(storm.links)
    assert gone["sold"] + gone["stock"] == STOCK


async def test_every_buyer_can_look_at_the_order(storm: Storm) -> None:
    calm = Journal(is_calm=True)
    async with browser(storm.stack.url, calm, f"{LABEL}.localhost") as visitor:
        for link in storm.links:
            await visitor.send("GET", link, page=True)
    assert (calm.wrong, calm.counts["200"]) == ([], len(storm.links))


def test_every_answer_was_a_page_or_an_honest_later(storm: Storm) -> None:
    assert storm.journal.wrong == []
    assert [line for part in OURS for line in storm.stack.errors(part)] == []
