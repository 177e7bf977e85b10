"""Many want the same thing in the same moment: one gets it, the others are told, and nobody gets it twice."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

import pytest

from tests.proof import books
from tests.proof.journal import Journal, Seen
from tests.proof.people import Owner, Wish, owners
from tests.proof.running import CORE, OURS, Stack, running

pytestmark = [pytest.mark.proof, pytest.mark.anyio]

OWNERS, NAMES, DOUBLE_PRESSES = 20, 10, 50
TAKEN = ("domains.taken",)
# 200 at once on eight connections: who is told «busy» may press again, as the answer says
BUSY = "database.busy"


@dataclass
class Field:
    """A stack and the people who run against each other on it."""

    stack: Stack
    journal: Journal
    people: list[Owner]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """One for all races."""
    with running() as found:
        yield found


@pytest.fixture(scope="module")
async def field(anyio_backend: str, stack: Stack) -> AsyncIterator[Field]:
    """Its owners are signed in beforehand, so that nothing but the race takes time."""
    journal = Journal(is_calm=True)
    async with owners(stack.url, journal, OWNERS) as people:
        yield Field(stack, journal, people)


async def _at_once(pressed: Sequence[tuple[Owner, Wish]]) -> list[Seen]:
    """All press in the same moment, and again as long as they are told to come back later."""
    barrier = asyncio.Barrier(len(pressed))

    async def run(owner: Owner, wish: Wish) -> Seen:
        await barrier.wait()
        while True:
            seen = await owner.press(wish, expected=(*TAKEN, BUSY))
            if seen.code != BUSY:
                return seen

    return await asyncio.gather(*(run(owner, wish) for owner, wish in pressed))


async def test_of_twenty_owners_who_want_a_name_at_once_one_gets_it(field: Field) -> None:
    names = [f"race-{number}" for number in range(NAMES)]
    pressed = [(owner, owner.wish(name)) for name, owner in itertools.product(names, field.people)]
    answers = await _at_once(pressed)
    won = Counter(wish.label for (_, wish), seen in zip(pressed, answers, strict=True) if seen.status == 201)
    lost = Counter((seen.status, seen.code) for seen in answers if seen.status != 201)
    assert won == dict.fromkeys(names, 1)
    assert lost == {(409, "domains.taken"): NAMES * (OWNERS - 1)}
    made = [one for one in await books.installations(field.stack) if one.label in names]
    assert sorted(one.label for one in made) == sorted(names)


async def test_a_double_press_with_one_key_is_one_activation(field: Field) -> None:
    everybody = enumerate(itertools.islice(itertools.cycle(field.people), DOUBLE_PRESSES))
    wishes = [(owner, owner.wish(f"double-{number}")) for number, owner in everybody]
    answers = await _at_once([pair for pair in wishes for _ in range(2)])
    assert Counter(seen.status for seen in answers) == {201: 2 * DOUBLE_PRESSES}
    assert [wish for _, wish in wishes if len(wish.answered) != 1] == []
    made = {one.label: one.id for one in await books.installations(field.stack)}
    assert {wish.label: made.get(wish.label) for _, wish in wishes} == {
        wish.label: next(iter(wish.answered)) for _, wish in wishes
    }


async def test_an_owner_who_forgot_the_key_gets_the_same_activation_again(field: Field) -> None:
    wishes = [
        (owner, owner.wish(f"same-{number}")) for number, owner in enumerate(field.people) for _ in "ab"
    ]
    answers = await _at_once(wishes)
    assert Counter(seen.status for seen in answers) == {201: OWNERS, 200: OWNERS}
    by_label: dict[str, set[str]] = {}
    for _, wish in wishes:
        by_label.setdefault(wish.label, set()).update(wish.answered)
    assert {label: len(ids) for label, ids in by_label.items()} == {f"same-{n}": 1 for n in range(OWNERS)}


async def test_after_all_races_everything_is_live_and_nothing_is_half(field: Field) -> None:
    await books.settled(field.stack)
    wanted = {wish.label for owner in field.people for wish in owner.wishes}
    ends = [(one.label, one.status) for one in await books.installations(field.stack)]
    assert sorted(ends) == sorted((label, "live") for label in wanted)
    assert await books.faults_of_core(field.stack) == {}
    assert await books.faults_of_shop(field.stack) == []
    keys = await books.rows(
        field.stack, CORE, "SELECT key FROM idempotency_keys WHERE status NOT IN (200, 201)"
    )
    assert keys == []  # a refusal is not remembered: the same press may succeed another time
    assert field.journal.wrong == []
    assert [line for part in OURS for line in field.stack.errors(part)] == []
