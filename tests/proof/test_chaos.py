"""Ten owners activate shops without a pause while each part of the stack is killed with -9 over and over."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from tests.proof import books
from tests.proof.books import Installation
from tests.proof.journal import Journal
from tests.proof.killing import VICTIMS, Killer
from tests.proof.options import SEED
from tests.proof.people import API, Owner, Wish, browser, fresh_phone, owners, sign_in
from tests.proof.running import OURS, Stack, running

pytestmark = [pytest.mark.proof, pytest.mark.anyio]

OWNERS = 10
CHAOS_S = 60.0
PAUSE_S = 0.3
# shorter than a minute, and than the lease of a worker that dies: so some activations are undone, too
SETTINGS = {"TOCHKA_CORE_ACTIVATION_DEADLINE_S": "10"}
ENDS = ("live", "failed")
# Redis may forget a second when it is killed, and a code is used up before the database is asked
LOST_CODE = ("accounts.challenge_unknown", "accounts.code_wrong", "accounts.code_used")


@dataclass
class Aftermath:
    """The stack when the dust has settled, and what people were told meanwhile."""

    stack: Stack
    journal: Journal
    killer: Killer
    wishes: Sequence[Wish]
    installations: dict[str, Installation]
    watched: dict[str, str]
    newcomers: list[str]

    def ended(self, status: str) -> list[Installation]:
        """The installations that ended in a status."""
        return [one for one in self.installations.values() if one.status == status]


@dataclass
class Town:
    """Who is about while parts die."""

    stack: Stack
    journal: Journal
    chance: random.Random
    over: asyncio.Event
    watched: dict[str, str] = field(default_factory=dict)
    newcomers: list[str] = field(default_factory=list)
    open_shops: list[str] = field(default_factory=list)

    async def activate(self, owner: Owner, name: str) -> None:
        """One shop after the other; sometimes pressed twice, sometimes watched to its end."""
        for number in itertools.count():
            wish = await owner.activate(f"{name}-{number}")
            if self.chance.random() < 0.3:
                await owner.press(wish)
            if self.chance.random() < 0.5 and wish.answered:
                (installation_id,) = wish.answered
                self.watched[installation_id] = status = await owner.watch(installation_id)
                self.open_shops += [wish.label] if status == "live" else []
            if await self._is_over():
                return

    async def arrive(self) -> None:
        """New people sign up all the time; whom something breaks off begins anew, as a stranger."""
        while not await self._is_over():
            phone = fresh_phone()
            async with browser(self.stack.url, self.journal) as visitor:
                if await sign_in(visitor, phone, expected=LOST_CODE):
                    self.newcomers.append(phone)

    async def visit(self) -> None:
        """A shop that was open once stays open: a page, an honest «later», and never «nobody lives here»."""
        async with browser(self.stack.url, self.journal) as visitor:
            while not await self._is_over():
                await visitor.send("GET", "/", page=True)
                if self.open_shops:
                    host = f"{self.chance.choice(self.open_shops)}.localhost:{self.stack.port}"
                    await visitor.send("GET", "/", page=True, headers={"Host": host})

    async def _is_over(self) -> bool:
        try:
            await asyncio.wait_for(self.over.wait(), PAUSE_S)
        except TimeoutError:
            return False
        return True


@pytest.fixture(scope="module")
async def aftermath(anyio_backend: str, findings: list[str]) -> AsyncIterator[Aftermath]:
    """A minute of chaos, then as long as it takes until nothing is under way any more."""
    journal, chance = Journal(), random.Random(SEED)
    with running(SETTINGS) as stack:
        town = Town(stack, journal, chance, asyncio.Event())
        killer = Killer(stack, chance)
        async with owners(stack.url, journal, OWNERS) as people:
            async with asyncio.TaskGroup() as group:
                for number, owner in enumerate(people):
                    group.create_task(town.activate(owner, f"chaos-{number}"))
                group.create_task(town.arrive())
                group.create_task(town.visit())
                await killer.run(CHAOS_S)
                town.over.set()
            await books.settled(stack)
            wishes = [wish for owner in people for wish in owner.wishes]
            installations = {one.id: one for one in await books.installations(stack)}
            found = Aftermath(stack, journal, killer, wishes, installations, town.watched, town.newcomers)
            findings.append(_told(found))
            yield found


def _told(found: Aftermath) -> str:
    ends = Counter(one.failure_code or one.status for one in found.installations.values())
    killed, answers = dict(found.killer.killed), dict(found.journal.counts)
    return f"chaos: killed {killed}; ended {dict(ends)}; answers {answers}"


def test_every_part_was_killed_and_activations_still_became_live(aftermath: Aftermath) -> None:
    assert set(aftermath.killer.killed) == set(VICTIMS), f"seed {SEED}"
    assert len(aftermath.ended("live")) > OWNERS


def test_every_activation_is_live_or_has_failed_with_a_code(aftermath: Aftermath) -> None:
    odd = [one for one in aftermath.installations.values() if one.status not in ENDS]
    assert odd == []


def test_no_key_ever_made_two_installations(aftermath: Aftermath) -> None:
    by_host = Counter(one.label for one in aftermath.installations.values())
    assert [wish for wish in aftermath.wishes if len(wish.answered) != 1] == []
    assert [wish for wish in aftermath.wishes if by_host[wish.label] != 1] == []
    assert len(aftermath.installations) == len(aftermath.wishes)


def test_an_answer_names_the_installation_that_there_is(aftermath: Aftermath) -> None:
    told = {next(iter(wish.answered)): wish for wish in aftermath.wishes}
    made = {one.id: (one.label, one.tenant_id) for one in aftermath.installations.values()}
    assert {id: (wish.label, wish.tenant_id) for id, wish in told.items()} == made


def test_whoever_watched_was_told_the_truth(aftermath: Aftermath) -> None:
    assert aftermath.watched
    assert {id: aftermath.installations[id].status for id in aftermath.watched} == aftermath.watched


def test_every_answer_was_a_good_one_a_code_or_an_honest_later(aftermath: Aftermath) -> None:
    assert aftermath.journal.wrong == []


async def test_the_core_has_nothing_half_done(aftermath: Aftermath) -> None:
    assert await books.faults_of_core(aftermath.stack) == {}


async def test_the_shop_has_what_the_core_has(aftermath: Aftermath) -> None:
    assert await books.faults_of_shop(aftermath.stack) == []


async def test_every_live_storefront_answers(aftermath: Aftermath) -> None:
    calm = Journal(is_calm=True)
    live = aftermath.ended("live")
    async with browser(aftermath.stack.url, calm) as visitor:
        for one in live:
            headers = {"Host": f"{one.host}:{aftermath.stack.port}"}
            await visitor.send("GET", "/", page=True, headers=headers)
    assert (calm.wrong, calm.counts["200"]) == ([], len(live))


async def test_every_failed_name_is_free_again(aftermath: Aftermath) -> None:
    calm = Journal(is_calm=True)
    failed = aftermath.ended("failed")
    async with browser(aftermath.stack.url, calm) as visitor:
        answers = [await visitor.send("GET", f"{API}/subdomains/{one.label}") for one in failed]
    assert [seen for seen in answers if not seen.body["available"]] == []
    assert calm.wrong == []


async def test_everybody_who_was_let_in_is_known(aftermath: Aftermath) -> None:
    query = "SELECT phone FROM users"
    known = {row["phone"] for row in await books.rows(aftermath.stack, "tochka", query)}
    assert aftermath.newcomers
    assert set(aftermath.newcomers) <= known


async def test_all_parts_answer_again_and_nobody_logged_an_unknown_error(aftermath: Aftermath) -> None:
    calm = Journal(is_calm=True)
    async with (
        browser(aftermath.stack.url, calm) as visitor,
        owners(aftermath.stack.url, calm, 1) as (newcomer,),
    ):
        await visitor.send("GET", "/", page=True)
        wish = await newcomer.activate("chaos-is-over")
        (installation_id,) = wish.answered
        assert (await newcomer.outcome(installation_id))["status"] == "live"
    assert calm.wrong == []
    assert [line for part in OURS for line in aftermath.stack.errors(part)] == []
