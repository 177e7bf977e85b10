"""Whatever happens in whatever order, no delivery is lost, doubled, overtaken or held by two."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from core_kit.engine import GATES_OPEN, LEASE, Engine
from core_kit.machine import (
    BROKEN,
    BUSY,
    GONE,
    MANY,
    MISSING,
    SILENT,
    TAKEN,
    TRIED,
    TRIED_FEW,
    WORKERS,
    Dispatching,
)
from core_kit.running import core_settings
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test
from tochka_core.app import open_resources
from tochka_core.migrate import upgrade
from tochka_core.outbound.public import Answer
from tochka_core.resources import Resources
from tochka_core.webhooks.schedules import FEW, JITTER, NEWS_STEPS
from tochka_stack.testing import ScratchPostgres

RESOURCES = [None, uuid4(), uuid4()]
ENDPOINTS = ("plain", "ordered", "picky")
PICKS = st.integers(0, 99)
"""Which of those that are held; how many that are, the database says, so nothing is drawn by it."""
ANSWERS = st.sampled_from([TAKEN, TAKEN, BROKEN, BUSY, MISSING, GONE, SILENT])
SOME = st.sampled_from([1, 2, MANY])
TIMES = st.sampled_from([timedelta(seconds=2), GATES_OPEN, 2 * LEASE, timedelta(days=1)])
Begin = Callable[[], Dispatching]


class Steps(Dispatching):
    """The steps that Hypothesis may take."""

    has_been_silent = False

    @initialize()
    def begins(self) -> None:
        """There is something to tell."""
        for resource in RESOURCES:
            self.happens(resource, 2)
        self.fans_out(1, MANY)

    @rule(resource=st.sampled_from(RESOURCES), count=st.integers(1, 3))
    def happen(self, resource: UUID | None, count: int) -> None:
        self.happens(resource, count)

    @rule(at_once=st.integers(1, 2), limit=SOME)
    def fan_out(self, at_once: int, limit: int) -> None:
        self.fans_out(at_once, limit)

    @rule(worker=st.sampled_from(WORKERS), share=SOME, limit=SOME)
    def claim(self, worker: str, share: int, limit: int) -> None:
        self.claims([worker], share, limit)

    @rule()
    def claim_at_once(self) -> None:
        self.claims(WORKERS)

    @rule(worker=st.sampled_from(WORKERS))
    def oversleep(self, worker: str) -> None:
        """The other one takes what it had."""
        self.claims([worker])
        self.passes(2 * LEASE)
        self.claims([WORKERS[worker == WORKERS[0]]])

    @rule(pick=PICKS, answer=ANSWERS, whole=st.booleans(), twice=st.booleans())
    def conclude(self, pick: int, answer: Answer, whole: bool, twice: bool) -> None:
        if self.held:
            self.concludes(self.held[pick % len(self.held)], answer, whole=whole, twice=twice)

    @rule(pick=PICKS)
    def give_back(self, pick: int) -> None:
        if self.held:
            self.gives_back(self.held[pick % len(self.held)])

    @rule(worker=st.sampled_from(WORKERS))
    def beat(self, worker: str) -> None:
        self.beats(worker)

    @rule(time=TIMES)
    def pass_time(self, time: timedelta) -> None:
        self.passes(time)

    @rule(worker=st.sampled_from(WORKERS))
    def die(self, worker: str) -> None:
        """A worker is killed: nobody will tell what came of what it had."""
        self.held = [held for held in self.held if held.worker != worker]

    @rule(name=st.sampled_from(ENDPOINTS))
    def fall_silent(self, name: str) -> None:
        self.do(self.engine.fall_silent(getattr(self.engine, name)))

    @rule(name=st.sampled_from(ENDPOINTS), status=st.sampled_from(["enabled", "enabled", "disabled"]))
    def switch(self, name: str, status: str) -> None:
        self.do(self.engine.switch(getattr(self.engine, name), status))

    @rule(name=st.sampled_from(ENDPOINTS))
    def recover(self, name: str) -> None:
        self.do(self.engine.switch(getattr(self.engine, name), "enabled"))
        self.do(self.engine.recover(getattr(self.engine, name)))

    @rule(pick=PICKS)
    def send_again(self, pick: int) -> None:
        """One that somebody still has in hand although it is settled, one that is settled, or any."""
        settled = [row for row in self.rows.values() if row.status != "pending"]
        late = [row for row in settled if row.id in {held.delivery.id for held in self.held}]
        rows = late or settled or list(self.rows.values())
        if rows:
            self.sends_again(rows[pick % len(rows)])
            self.advances()

    @rule()
    def advance(self) -> None:
        self.advances()

    @precondition(lambda self: not self.has_been_silent)
    @rule(answer=st.sampled_from([SILENT, MISSING]))
    def take_nothing_for_days(self, answer: Answer) -> None:
        """Nobody takes anything until all is given up."""
        self.has_been_silent = True
        for step in (0, *NEWS_STEPS):
            self.passes(max(GATES_OPEN, timedelta(seconds=step * (1 + JITTER))))
            self.claims(["one"])
            for held in [held for held in self.held if held.worker == "one"][:1]:
                self.concludes(held, answer, whole=True)

    @invariant()
    def all_is_well(self) -> None:
        self.is_well()

    def teardown(self) -> None:
        try:
            self.ends()
        finally:
            self.do(self.engine.stop())


def test_the_schedule_is_what_the_machine_expects() -> None:
    assert (len(NEWS_STEPS) + 1, FEW + 1) == (TRIED, TRIED_FEW)


@pytest.fixture(scope="module")
def begin(postgres: ScratchPostgres, redis_url: str) -> Iterator[Begin]:
    """Begin an example, in a database and an event loop that nobody else uses."""
    with asyncio.Runner() as runner:
        database = runner.run(
            postgres.create_database("machine", "tochka_owner", "tochka_app", "tochka_jobs")
        )
        runner.run(upgrade(database.owner_dsn))
        stack = AsyncExitStack()
        told = core_settings(database, redis_url)

        async def opened() -> tuple[asyncpg.Connection, Resources, Resources]:
            superuser = await asyncpg.connect(database.superuser_dsn)
            stack.push_async_callback(superuser.close)
            app = open_resources(told, database_url=told.database_url, name="machine")
            jobs = open_resources(told, database_url=told.jobs_database_url, name="machine")
            return superuser, await stack.enter_async_context(app), await stack.enter_async_context(jobs)

        try:
            parts = runner.run(opened())
            yield lambda: Steps(runner, Engine(*parts))
        finally:
            runner.run(stack.aclose())
            runner.run(postgres.drop_database(database.name))


def _run(begin: Begin, examples: int, steps: int, *, again: bool) -> None:
    """`again`: the same examples every time."""
    run_state_machine_as_test(
        begin,  # type: ignore[arg-type]  # whatever makes a machine
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=again,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # a step takes milliseconds of a database: shrinking would take minutes
        ),
    )


def test_no_order_of_steps_loses_a_delivery(begin: Begin) -> None:
    _run(begin, examples=15, steps=30, again=True)


@pytest.mark.proof
def test_no_order_of_many_steps_loses_a_delivery(begin: Begin) -> None:
    _run(begin, examples=60, steps=60, again=False)


@pytest.fixture
def machine(begin: Begin) -> Iterator[Dispatching]:
    """One that the test leads; in the end, nothing is left."""
    led = begin()
    yield led
    led.teardown()


@pytest.mark.parametrize("late", [BROKEN, TAKEN, MISSING], ids=["broken", "taken", "missing"])
def test_an_answer_to_what_was_sent_before_says_nothing_of_a_replay(
    machine: Dispatching, late: Answer
) -> None:
    machine.happens(None, 1)
    machine.fans_out(1, MANY)
    machine.claims(["one"])
    sleeping = list(machine.held)
    machine.passes(2 * LEASE)
    machine.claims(["other"])
    machine.concludes(machine.held[-1], TAKEN, whole=True)
    for row in machine.rows.values():
        machine.sends_again(row)
    machine.advances()
    machine.claims(["other"])
    for held in sleeping:
        machine.concludes(held, late)
    machine.is_well()


def test_an_answer_that_settles_nothing_lets_nothing_go(machine: Dispatching) -> None:
    resource, ordered = RESOURCES[1], machine.engine.ordered
    machine.happens(resource, 1)
    machine.fans_out(1, MANY)
    machine.claims(["one"])
    sleeping = list(machine.held)
    machine.do(machine.engine.switch(ordered, "disabled"))
    machine.passes(2 * LEASE)
    machine.claims(["other"])  # the first of the ordered endpoint is kept
    machine.do(machine.engine.switch(ordered, "enabled"))
    machine.happens(resource, 1)
    machine.fans_out(1, MANY)
    machine.claims(["other"])  # the second is on its way
    machine.do(machine.engine.recover(ordered))
    machine.advances()  # the first waits for it
    for held in sleeping:
        machine.concludes(held, TAKEN)
    machine.is_well()


def test_what_is_learned_of_a_gate_before_a_new_beginning_blocks_nothing(machine: Dispatching) -> None:
    machine.happens(None, 1)
    machine.fans_out(1, MANY)
    machine.do(machine.engine.learn_too_late(MANY, MANY))
    machine.rows = machine.do(machine.engine.rows())
    assert all(row.is_due and row.deferrals == 1 for row in machine.rows.values())


def test_a_long_ordered_queue_is_kept_to_its_end_and_never_without_its_head(begin: Begin) -> None:
    machine = begin()
    machine.happens(RESOURCES[1], 1100)  # more than are put aside at once
    machine.fans_out(1, 2000)
    machine.do(machine.engine.switch(machine.engine.ordered, "disabled"))
    for waiting in (100, 0):
        machine.claims(["one"], limit=MANY - 1)
        machine.is_well()
        ordered = [row for row in machine.rows.values() if row.endpoint_id == machine.engine.ordered]
        assert len([row for row in ordered if row.status == "pending"]) == waiting
    machine.do(machine.engine.stop())
