"""Everybody is renamed over and over while workers, engines and receivers are killed with -9, receivers
misbehave in every way, and requests come twice and overtake each other: at the end each event has taken
effect exactly once wherever it was meant to.
"""

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.proof import books, hooks
from tests.proof.hooks import Reaper, System, systems
from tests.proof.journal import Journal
from tests.proof.killing import BACKEND, Killer
from tests.proof.options import SEED
from tests.proof.people import Owner, owners
from tests.proof.running import CORE, SHOP, Stack, running

pytestmark = [pytest.mark.proof, pytest.mark.anyio]

OWNERS = 8
CHAOS_S = 60.0
PAUSE_S = 0.1
# the worker dies most often: it is the one that delivers
VICTIMS = ("core-worker", "core-worker", "core-worker", "core-web", "postgres", "redis", BACKEND)


@dataclass
class Aftermath:
    """The stack and the systems when nothing waits any more."""

    stack: Stack
    killer: Killer
    systems: Sequence[System]
    journal: Journal
    names: dict[str, str]


async def _rename(owner: Owner, chance: random.Random, over: asyncio.Event, names: dict[str, str]) -> None:
    """Again and again; what was answered last is what the tenant is called."""
    number = 0
    while not over.is_set():
        number += 1
        name = f"Лавка {number}"
        seen = await owner.call("PATCH", f"/tenants/{owner.tenant_id}", {"name": name})
        if seen.is_good:
            names[owner.tenant_id] = name
        await asyncio.sleep(chance.uniform(0, 2 * PAUSE_S))


@pytest.fixture(scope="module")
async def aftermath(anyio_backend: str, findings: list[str]) -> AsyncIterator[Aftermath]:
    """A minute of chaos, then as long as it takes until everything is delivered."""
    journal, chance, over = Journal(), random.Random(SEED), asyncio.Event()
    names: dict[str, str] = {}
    with running() as stack, tempfile.TemporaryDirectory() as folder:
        async with owners(stack.url, journal, OWNERS) as people, systems(people, Path(folder)) as found:
            for number, owner in enumerate(people):
                wish = await owner.activate(f"hooked-{number}")
                await owner.outcome(next(iter(wish.answered)))
            killer = Killer(stack, chance, VICTIMS)
            async with asyncio.TaskGroup() as group:
                for owner in people:
                    group.create_task(_rename(owner, chance, over, names))
                group.create_task(Reaper(found, chance, over).run())
                await killer.run(CHAOS_S)
                over.set()
            for system in found:
                await system.calm()
            await hooks.settled(stack)
            after = Aftermath(stack, killer, found, journal, names)
            findings.append(await _told(after))
            yield after


async def _told(found: Aftermath) -> str:
    requests: Counter[str] = Counter()
    ways: Counter[str] = Counter()
    for system in found.systems:
        requests += system.requests()
        ways += system.ways()
    effects = sum(len(system.effects()) for system in found.systems)
    deaths = sum(system.deaths for system in found.systems)
    repeated = sum(system.repeated() for system in found.systems)
    overtaken = sum(system.overtaken() for system in found.systems)
    (events,) = await books.rows(found.stack, CORE, "SELECT count(*) AS count FROM events")
    (attempts,) = await books.rows(found.stack, CORE, "SELECT count(*) AS count FROM attempts")
    killed, answers = dict(found.killer.killed), dict(requests)
    return (
        f"webhooks: killed {killed} and receivers {deaths} times; {events['count']} events, "
        f"{attempts['count']} attempts written down; at endpoints {requests.total()} requests, "
        f"{effects} effects; {ways['twice']} requests doubled and {ways['late']} held back on the way, "
        f"in all {repeated} repetitions of what had taken effect and {overtaken} events out of sequence; "
        f"answers {answers}"
    )


async def test_every_event_took_effect_exactly_once_at_every_endpoint(aftermath: Aftermath) -> None:
    given: dict[str, set[str]] = {}
    for row in await books.rows(aftermath.stack, CORE, hooks.GIVEN):
        given.setdefault(row["tenant_id"], set()).add(row["event_id"])
    took = {system.owner.tenant_id: system.effects() for system in aftermath.systems}
    assert {tenant: took[tenant] ^ given[tenant] for tenant in given} == {tenant: set() for tenant in given}
    assert sum(map(len, took.values())) > OWNERS * 50


async def test_requests_came_twice_everywhere_and_overtook_each_other_where_no_order_is_kept(
    aftermath: Aftermath,
) -> None:
    for system in aftermath.systems:
        ways = system.ways()
        assert 0 < ways["twice"] <= system.repeated()
        if not system.is_ordered:
            assert ways["late"] > 0
            assert system.overtaken() > 0


async def test_where_order_is_kept_what_is_about_the_tenant_took_effect_in_order(
    aftermath: Aftermath,
) -> None:
    for system in aftermath.systems:
        if system.is_ordered:
            sequences = system.sequences("tenant.updated")
            assert sequences == sorted(sequences)
            assert len(sequences) > 10


async def test_every_event_of_a_tenant_was_meant_for_its_endpoint(aftermath: Aftermath) -> None:
    heard = """
        SELECT e.id FROM events e WHERE e.type = 'tenant.updated' AND 1 <> (
          SELECT count(*) FROM deliveries d WHERE d.event_id = e.id AND d.endpoint_id IS NOT NULL)
    """
    assert await books.rows(aftermath.stack, CORE, heard) == []


async def test_every_delivery_was_delivered(aftermath: Aftermath) -> None:
    rows = await books.rows(aftermath.stack, CORE, hooks.GIVEN)
    assert Counter(row["status"] for row in rows) == {"delivered": len(rows)}


async def test_the_counts_have_no_holes(aftermath: Aftermath) -> None:
    assert await books.faults_of_core(aftermath.stack) == {}


async def test_the_module_knows_the_last_name(aftermath: Aftermath) -> None:
    current = {
        str(r["id"]): r["name"]
        for r in await books.rows(aftermath.stack, CORE, "SELECT id, name FROM tenants")
    }
    known = await books.rows(
        aftermath.stack, SHOP, "SELECT tenant_id, tenant_name FROM tochka_sequences WHERE tenant_name <> ''"
    )
    assert {str(row["tenant_id"]): row["tenant_name"] for row in known}.items() <= current.items()
    assert len(known) == OWNERS


async def test_everybody_was_killed(aftermath: Aftermath) -> None:
    assert set(aftermath.killer.killed) == set(VICTIMS), f"seed {SEED}"
    assert all(system.deaths for system in aftermath.systems) or sum(s.deaths for s in aftermath.systems) > 10


async def test_what_was_sent_to_an_address_without_tls_and_by_a_wrong_clock_was_refused_at_first(
    aftermath: Aftermath,
) -> None:
    deaf, _, late, *others = aftermath.systems
    words = await books.rows(aftermath.stack, CORE, WORDS)
    assert deaf.owner.tenant_id in {row["tenant_id"] for row in words}
    assert late.requests()["refused"] > 10
    assert [system.requests()["refused"] for system in others] == [0] * len(others)


WORDS = "SELECT DISTINCT tenant_id::text AS tenant_id FROM attempts WHERE error = 'tls'"


async def test_no_answer_was_a_wrong_one(aftermath: Aftermath) -> None:
    assert aftermath.journal.wrong == []
