"""Every process is killed at once in the middle of activations; a second `tochka up` goes on from there."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from tests.proof import books
from tests.proof.journal import Journal
from tests.proof.people import Owner, Wish, browser, owners
from tests.proof.running import CORE, OURS, Stack, running
from tests.proof.waiting import until

pytestmark = [pytest.mark.proof, pytest.mark.anyio]

BEFORE_THE_CUT, AFTER_IT = 20, 10
SENT = "SELECT id FROM deliveries WHERE type = 'installation.requested' AND attempts > 0"
PATIENCE_S = 60.0
# shorter than the lease of a command that was on its way: it is overdue before it can be sent again
SETTINGS = {"TOCHKA_CORE_ACTIVATION_DEADLINE_S": "5"}


async def _keep_activating(owner: Owner, name: str, enough: asyncio.Event) -> None:
    while not enough.is_set():
        await owner.activate(f"{name}-{len(owner.wishes)}")


def _answered(people: Sequence[Owner]) -> int:
    return sum(bool(wish.answered) for owner in people for wish in owner.wishes)


async def _activate_against_a_wall(stack: Stack, people: Sequence[Owner]) -> list[Wish]:
    """Activations that cannot be finished: the shop is there, takes connections, and does nothing."""
    shop = stack.part("shop")
    assert shop is not None
    shop.suspend()
    wishes = await asyncio.gather(*(one.activate(f"wall-{index}") for index, one in enumerate(people)))

    async def are_sent() -> bool:
        return len(await books.rows(stack, CORE, SENT)) == len(people)

    await until(are_sent, "every command is on its way", PATIENCE_S)
    return wishes


async def _assert_nothing_is_half(stack: Stack) -> None:
    await books.settled(stack)
    assert await books.faults_of_core(stack) == {}
    assert await books.faults_of_shop(stack) == []
    assert [line for part in OURS for line in stack.errors(part)] == []


async def test_whoever_kept_asking_through_the_cut_got_what_was_asked_for_once() -> None:
    journal, enough = Journal(), asyncio.Event()
    with running() as stack:
        async with owners(stack.url, journal, 5) as people, asyncio.TaskGroup() as group:
            for number, owner in enumerate(people):
                group.create_task(_keep_activating(owner, f"cut-{number}", enough))
            await until(_more_than(people, BEFORE_THE_CUT), "activations are under way", PATIENCE_S)
            await asyncio.to_thread(_cut, stack)
            so_far = _answered(people)
            await until(_more_than(people, so_far + AFTER_IT), "they go on", PATIENCE_S)
            enough.set()
        await _assert_nothing_is_half(stack)
        made = {(one.label, one.id) for one in await books.installations(stack)}
        told = [(wish.label, id) for owner in people for wish in owner.wishes for id in wish.answered]
        assert sorted(told) == sorted(made)
        calm = Journal(is_calm=True)
        async with browser(stack.url, calm) as visitor:
            for label, _ in told:
                headers = {"Host": f"{label}.localhost:{stack.port}"}
                await visitor.send("GET", "/", page=True, headers=headers)
    assert (journal.wrong, calm.wrong, calm.counts["200"]) == ([], [], len(told))


def _more_than(people: Sequence[Owner], count: int) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return _answered(people) > count

    return holds


def _cut(stack: Stack) -> None:
    stack.kill()
    stack.start()


async def test_what_was_pending_at_the_cut_becomes_live_after_the_second_start() -> None:
    journal = Journal()
    with running() as stack:
        async with owners(stack.url, journal, 6) as people:
            wishes = await _activate_against_a_wall(stack, people)
            await asyncio.to_thread(_cut, stack)
            ends = [
                await owner.outcome(next(iter(wish.answered)))
                for owner, wish in zip(people, wishes, strict=True)
            ]
        await _assert_nothing_is_half(stack)
    assert [one["status"] for one in ends] == ["live"] * len(people)
    assert journal.wrong == []


async def test_what_became_overdue_while_all_was_dark_is_undone_and_its_name_free() -> None:
    journal = Journal()
    with running(SETTINGS) as stack:
        async with owners(stack.url, journal, 6) as people:
            wishes = await _activate_against_a_wall(stack, people)
            await asyncio.to_thread(_cut, stack)
            ends = [
                await owner.outcome(next(iter(wish.answered)))
                for owner, wish in zip(people, wishes, strict=True)
            ]
            free = [await people[0].call("GET", f"/subdomains/{wish.label}") for wish in wishes]
        await _assert_nothing_is_half(stack)
    told = [(one["status"], one["failure"]["code"], one["subscription"]["status"]) for one in ends]
    assert told == [("failed", "installations.deadline", "void")] * len(people)
    assert [seen.body["available"] for seen in free] == [True] * len(people)
    assert journal.wrong == []
