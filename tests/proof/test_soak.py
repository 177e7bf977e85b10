"""A light load of everything at once, without an end: nothing grows, nothing leaks, nothing is left lying."""

import asyncio
import io
import itertools
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from PIL import Image

from tests.proof import books
from tests.proof.gauges import Gauges
from tests.proof.journal import Journal
from tests.proof.people import API, Browser, Owner, browser, fresh_phone, owners, sign_in
from tests.proof.running import SERVICES, Stack, running
from tests.proof.shopping import Desk, Goods, buyer, desk_of

pytestmark = [pytest.mark.proof, pytest.mark.anyio]

SOAK_S, WARM_UP_S, WINDOW_S = 75.0, 25.0, 10.0
LABEL = "soaked"
# Caches fill and allocators round up; what leaks by request would be many times this, at this load.
MAY_GROW_MB = {"core-web": 4.0, "core-worker": 4.0, "shop": 8.0, "gateway": 10.0}
MAY_OPEN = 16
# two pools of eight and five more for the core; five and five for the shop, and one that listens
MAY_CONNECT = {"core-web": 21, "core-worker": 21, "tochka-shop": 10, "tochka-listener": 1}
SETTLE_S = 150.0
PROVOKED = ("accounts.code_wrong", "accounts.unauthenticated", "domains.taken", "domains.unknown")


@dataclass
class Soak:
    """The stack after the load, and what was measured during it."""

    stack: Stack
    journal: Journal
    gauges: Gauges


@dataclass
class Load:
    """Everything that goes on in a stack, each at its own pace, until it is over."""

    stack: Stack
    journal: Journal
    over: asyncio.Event
    owner: Owner
    desk: Desk
    goods: Goods
    names: Iterator[int] = field(default_factory=itertools.count)
    old: deque[str] = field(default_factory=deque)

    async def every(self, seconds: float, work: Callable[[], Awaitable[Any]]) -> None:
        """Do something again and again."""
        while not self.over.is_set():
            await work()
            try:
                await asyncio.wait_for(self.over.wait(), seconds)
            except TimeoutError:
                continue

    async def browse(self, visitor: Browser) -> None:
        """Look around in the shop."""
        paths = ("/", f"/p/{self.goods.slug}", "/search?q=хлеб", "/cart", "/about", "/sitemap.xml")
        for path in paths:
            await visitor.send("GET", path, page=True)

    async def order(self) -> None:
        """Buy one thing."""
        async with buyer(self.stack.url, LABEL, self.journal) as one:
            await one.put(self.goods)
            if await one.fill_in():
                link = await one.order()
                await one.browser.send("GET", link, page=True)

    async def manage(self) -> None:
        """What the panel asks for."""
        for path in ("/me", "/installations", "/subscriptions", "/modules", "/tenants", "/subdomains/soaked"):
            await self.owner.call("GET", path)

    async def open_and_close(self) -> None:
        """Activate one more shop and watch it; remove one that is a while old."""
        wish = await self.owner.activate(f"{LABEL}-{next(self.names)}")
        (installation_id,) = wish.answered
        assert await self.owner.watch(installation_id) == "live"
        self.old.append(installation_id)
        if len(self.old) > 3:
            await self.owner.call("DELETE", f"/installations/{self.old.popleft()}")

    async def arrive(self) -> None:
        """Sign up."""
        async with browser(self.stack.url, self.journal) as stranger:
            assert await sign_in(stranger, fresh_phone()) is not None

    async def blunder(self) -> None:
        """What people do wrong."""
        async with browser(self.stack.url, self.journal) as stranger:
            body = {"phone": fresh_phone(), "channel": "telegram"}
            challenge = await stranger.send("POST", f"{API}/auth/challenges", json=body)
            path = f"{API}/auth/challenges/{challenge.body['challenge_id']}/confirm"
            await stranger.send("POST", path, json={"code": "000000"}, expected=PROVOKED)
            await stranger.send("GET", f"{API}/me", expected=PROVOKED)
            nowhere = {"Host": f"nowhere.localhost:{self.stack.port}"}
            await stranger.send("GET", "/", page=True, headers=nowhere, expected=(404,))
        await self.owner.press(self.owner.wish("taken"), expected=PROVOKED)

    async def shelve(self) -> None:
        """One more product, with a picture."""
        title = f"Хлеб № {next(self.names)}"
        await self.desk.put_on_shelf(title, 100, [("bread.jpg", _photo())])


def _photo() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((1200, 900)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture(scope="module")
async def soak(anyio_backend: str, findings: list[str]) -> AsyncIterator[Soak]:
    """The load, from beginning to end."""
    journal = Journal(is_calm=True)
    with running() as stack:
        gauges = Gauges(stack)
        async with owners(stack.url, journal, 2) as (owner, other):
            await other.activate("taken")
            wish = await owner.activate(LABEL)
            (installation_id,) = wish.answered
            assert await owner.watch(installation_id) == "live"
            async with (
                desk_of(owner, installation_id, LABEL, journal) as desk,
                browser(stack.url, journal, f"{LABEL}.localhost") as visitor,
            ):
                goods = await desk.put_on_shelf("Хлеб", 100_000)
                load = Load(stack, journal, asyncio.Event(), owner, desk, goods)
                await _carry(load, gauges, visitor)
            await books.settled(stack, SETTLE_S)
        findings += _told(gauges, journal)
        yield Soak(stack, journal, gauges)


async def _carry(load: Load, gauges: Gauges, visitor: Browser) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(gauges.run(load.over))
        group.create_task(load.every(0.5, lambda: load.browse(visitor)))
        group.create_task(load.every(1.0, load.order))
        group.create_task(load.every(1.0, load.manage))
        group.create_task(load.every(2.0, load.open_and_close))
        group.create_task(load.every(2.0, load.arrive))
        group.create_task(load.every(1.0, load.blunder))
        group.create_task(load.every(3.0, load.shelve))
        await asyncio.sleep(SOAK_S)
        load.over.set()


def _told(gauges: Gauges, journal: Journal) -> list[str]:
    memory = {
        name: f"{gauges.memory[name][-1]:.0f} MB ({gauges.grown(name, WARM_UP_S, WINDOW_S):+.1f})"
        for name in SERVICES
    }
    return [
        f"soak: {sum(journal.counts.values())} answers; memory {memory}",
        f"soak: connections at most {dict(gauges.connections)}",
    ]


@pytest.mark.parametrize("part", SERVICES)
def test_memory_does_not_keep_growing(soak: Soak, part: str) -> None:
    samples = [round(value, 1) for value in soak.gauges.memory[part]]
    assert soak.gauges.grown(part, WARM_UP_S, WINDOW_S) <= MAY_GROW_MB[part], samples


@pytest.mark.parametrize("part", SERVICES)
def test_no_files_and_sockets_are_left_open(soak: Soak, part: str) -> None:
    assert soak.gauges.opened(part, WARM_UP_S, WINDOW_S) <= MAY_OPEN, soak.gauges.files[part]


def test_connections_of_postgresql_stay_within_the_pools(soak: Soak) -> None:
    found = soak.gauges.connections
    assert {name: count for name, count in found.items() if count > MAY_CONNECT.get(name, 0)} == {}
    assert soak.gauges.forgotten == []


async def test_no_delivery_is_stuck_and_nothing_is_half(soak: Soak) -> None:
    assert await books.faults_of_core(soak.stack) == {}
    assert await books.faults_of_shop(soak.stack) == []


def test_every_answer_was_what_was_asked_for(soak: Soak) -> None:
    assert soak.journal.wrong == []


def test_no_part_logged_an_error(soak: Soak) -> None:
    assert [line for part in (*SERVICES, "redis") for line in soak.stack.errors(part)] == []
