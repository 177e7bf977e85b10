"""Whatever happens in whatever order, no delivery is lost, doubled, overtaken or held by two.

Two workers take the dispatcher's real steps on a real database, one after the other in an order that
Hypothesis chooses: what a worker that died, slept or was cut off would do is done late, or never.
"""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from core_kit.engine import Engine
from core_kit.running import core_settings
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from tochka_core.app import open_resources
from tochka_core.migrate import upgrade
from tochka_core.outbound.public import Answer
from tochka_core.resources import Resources
from tochka_core.webhooks.schedules import FEW, NEWS_STEPS
from tochka_core.webhooks.schemas import Delivery
from tochka_sdk import clock
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

T = TypeVar("T")
WORKERS = ("one", "other")
RESOURCES = [uuid4(), uuid4()]
TAKEN, BROKEN, BUSY = Answer(200), Answer(503), Answer(429, headers={"retry-after": "60"})
MISSING, GONE, SILENT = Answer(404), Answer(410), Answer(None, error="timeout")
PICKS = st.integers(0, 99)
"""Which of those that are held; how many that are, the database says, so nothing is drawn by it."""
SETTLED = {"delivered", "refused", "expired", "held"}
MOST_ROUNDS = 200


@dataclass
class Held:
    """A delivery in a worker's hands. `is_good`: its lease has not run out."""

    worker: str
    delivery: Delivery
    is_good: bool = True


@dataclass(frozen=True)
class Stand:
    """What the examples share."""

    runner: asyncio.Runner
    database: ScratchDatabase
    app: Resources
    jobs: Resources


class Dispatching(RuleBasedStateMachine):
    """One example: a tenant of its own."""

    stand: Stand

    def __init__(self) -> None:
        super().__init__()
        self.engine: Engine
        self.events: list[UUID] = []
        self.fanned_out = 0
        self.held: list[Held] = []
        self.counts: dict[UUID, int] = {}
        self.settled: dict[UUID, str] = {}
        self.disabled: set[UUID] = set()

    def do(self, step: Awaitable[T]) -> T:
        """Take a step to its end."""

        async def whole() -> T:
            return await step

        return self.stand.runner.run(whole())

    @initialize()
    def begin(self) -> None:
        """Somebody has two endpoints, and there is something to tell."""
        stand = self.stand
        self.engine = self.do(Engine.start(stand.database, stand.app, stand.jobs))
        for resource in RESOURCES:
            self.happen(resource, 2)
        self.fan_out()

    @rule(resource=st.sampled_from(RESOURCES), count=st.integers(1, 4))
    def happen(self, resource: UUID, count: int) -> None:
        """Something is to be told."""
        self.events += [self.do(self.engine.happen(resource)) for _ in range(count)]

    @rule()
    def fan_out(self) -> None:
        """Deliveries are made of it."""
        self.do(self.engine.fan_out())
        self.fanned_out = len(self.events)

    @rule(worker=st.sampled_from(WORKERS), share=st.integers(1, 4), limit=st.integers(1, 8))
    def claim(self, worker: str, share: int, limit: int) -> None:
        """A worker takes what is due: nothing that another holds, nothing out of its order."""
        before = {row["id"]: row for row in self.do(self.engine.rows())}
        for delivery in self.do(self.engine.claim(share, limit)):
            assert not [held for held in self.held if held.is_good and held.delivery.id == delivery.id]
            assert delivery.endpoint_id not in self.disabled
            self.counts[delivery.id] = self.counts.get(delivery.id, 0) + 1
            assert delivery.attempts == self.counts[delivery.id]
            if delivery.resource is not None:
                earlier = [row for row in before.values() if _comes_before(row, delivery)]
                assert {row["status"] for row in earlier} <= SETTLED
            self.held.append(Held(worker, delivery))

    @rule(worker=st.sampled_from(WORKERS))
    def oversleep(self, worker: str) -> None:
        """A worker sleeps over its leases, and the other one takes what it had."""
        self.claim(worker, 4, 8)
        self.pass_time()
        self.claim(WORKERS[worker == WORKERS[0]], 4, 8)

    @rule(pick=PICKS, answer=st.sampled_from([TAKEN, TAKEN, BROKEN, BUSY, MISSING, GONE, SILENT]))
    def answer(self, pick: int, answer: Answer) -> None:
        """An answer comes, in time or long after the lease has run out, and is written down twice: the first
        time nobody heard that it was committed.
        """
        if not self.held:
            return
        held = self.held.pop(pick % len(self.held))
        before = self._row(held.delivery.id)
        outcome = self.do(self.engine.answer(held.delivery, answer))
        after = self._row(held.delivery.id)
        assert after["logged"] == before["logged"] + 1
        self.do(self.engine.conclude(outcome))
        after = self._row(held.delivery.id)
        assert after["logged"] == before["logged"] + 1
        if answer is GONE:
            self.disabled.add(before["endpoint_id"])
        if before["status"] != "pending":
            assert after["status"] == before["status"]
        elif outcome.verdict.delay is None:
            assert after["status"] == outcome.verdict.status
        elif not held.is_good or before["attempts"] != held.delivery.attempts:
            wanted = ("status", "attempts", "due_at", "leased_until")
            assert before["attempts"] == held.delivery.attempts or _of(after, wanted) == _of(before, wanted)
        if after["status"] in SETTLED:
            self.settled[held.delivery.id] = after["status"]

    @rule(pick=PICKS)
    def give_back(self, pick: int) -> None:
        """The gate is shut: no attempt was made, and none is counted."""
        if not self.held:
            return
        held = self.held.pop(pick % len(self.held))
        before = self._row(held.delivery.id)
        self.do(self.engine.give_back([held.delivery]))
        after = self._row(held.delivery.id)
        is_ours = before["status"] == "pending" and before["attempts"] == held.delivery.attempts
        if is_ours and before["leased_until"] is not None:
            self.counts[held.delivery.id] -= 1
            assert after["deferrals"] == before["deferrals"] + 1
        assert (after["attempts"], after["status"]) == (self.counts[held.delivery.id], before["status"])
        assert after["logged"] == before["logged"]

    @rule(worker=st.sampled_from(WORKERS))
    def beat(self, worker: str) -> None:
        """A worker keeps what it has; also what it has lost, if nobody else has taken it."""
        mine = [held for held in self.held if held.worker == worker]
        before = {row["id"]: row for row in self.do(self.engine.rows())}
        if mine:
            self.do(self.engine.renew([held.delivery for held in mine]))
        for held in mine:
            row = self._row(held.delivery.id)
            if (row["id"], row["attempts"]) not in {(one.delivery.id, one.delivery.attempts) for one in mine}:
                assert row["due_at"] == before[row["id"]]["due_at"], "it keeps what another one has"
            is_pending = row["status"] == "pending" and row["leased_until"] is not None
            held.is_good = is_pending and row["attempts"] == held.delivery.attempts

    @rule()
    def pass_time(self) -> None:
        """Leases run out."""
        self.do(self.engine.pass_time())
        for held in self.held:
            held.is_good = False

    @rule(worker=st.sampled_from(WORKERS))
    def die(self, worker: str) -> None:
        """A worker is killed, and time passes."""
        self.held = [held for held in self.held if held.worker != worker]
        self.pass_time()

    @rule(is_ordered=st.booleans())
    def disable(self, is_ordered: bool) -> None:
        """An owner disables an endpoint."""
        endpoint_id = self.engine.ordered if is_ordered else self.engine.plain
        self.do(self.engine.switch(endpoint_id, "disabled"))
        self.disabled.add(endpoint_id)

    @rule(is_ordered=st.booleans())
    def recover(self, is_ordered: bool) -> None:
        """An owner enables an endpoint and has sent again what it missed."""
        endpoint_id = self.engine.ordered if is_ordered else self.engine.plain
        self.do(self.engine.switch(endpoint_id, "enabled"))
        self.disabled.discard(endpoint_id)
        self.do(self.engine.recover(endpoint_id))

    @rule()
    def advance(self) -> None:
        """A replay goes on."""
        self.do(self.engine.advance())
        for row in self.do(self.engine.rows()):
            if row["status"] == "pending" and row["id"] in self.settled:
                del self.settled[row["id"]]
                self.counts[row["id"]] = 0
                assert (row["replayed"], row["attempts"]) == (True, 0)

    @invariant()
    def all_is_well(self) -> None:
        """Every event has one delivery for each endpoint, numbered in order; each is where it may be."""
        if not hasattr(self, "engine"):
            return
        rows = self.do(self.engine.rows())
        for endpoint_id in (self.engine.plain, self.engine.ordered):
            mine = [row for row in rows if row["endpoint_id"] == endpoint_id]
            told = [row["event_id"] for row in mine if row["type"] == "installation.live"]
            assert told == self.events[: self.fanned_out]
            assert [row["sequence"] for row in mine] == list(range(1, len(mine) + 1))
        for row in rows:
            self._is_well(row)

    def _is_well(self, row: dict[str, Any]) -> None:
        assert row["status"] in SETTLED | {"pending"}
        assert (row["finished_at"] is None) == (row["status"] in {"pending", "held"})
        assert row["status"] == "pending" or row["leased_until"] is None
        assert row["attempts"] == self.counts.get(row["id"], 0)
        if row["id"] in self.settled:
            assert row["status"] == self.settled[row["id"]]
        elif row["status"] == "held":
            self.settled[row["id"]] = "held"
        if row["status"] == "pending" and row["due_at"].year < 9999:
            assert row["queue_due_at"] is not None, "nobody would ever look"
            now = clock.now()
            assert row["queue_due_at"] <= max(row["due_at"], now), "it would be looked at too late"

    def teardown(self) -> None:
        """In the end, everything that happened is delivered or was given up for a reason."""
        if not hasattr(self, "engine"):
            return
        try:
            self.fan_out()
            for is_ordered in (False, True):
                self.recover(is_ordered)
            for _ in range(MOST_ROUNDS):
                self.all_is_well()
                self.held.clear()
                self.pass_time()
                self.advance()
                self.claim("one", 4, 8)
                for held in self.held:
                    self.do(self.engine.answer(held.delivery, TAKEN))
                    self.settled[held.delivery.id] = "delivered"
                if not self._is_anything_left():
                    break
            self.all_is_well()
            assert not self._is_anything_left()
        finally:
            self.do(self.engine.stop())

    def _is_anything_left(self) -> bool:
        rows = self.do(self.engine.rows())
        return any(row["status"] in {"pending", "held"} for row in rows)

    def _row(self, delivery_id: UUID) -> dict[str, Any]:
        [row] = [row for row in self.do(self.engine.rows()) if row["id"] == delivery_id]
        return row


def _comes_before(row: dict[str, Any], delivery: Delivery) -> bool:
    """Whether strict order lets this one go first. What is sent again stands behind what waits already."""
    return bool(
        row["receiver"] == delivery.receiver
        and row["resource"] == delivery.resource
        and row["sequence"] < delivery.sequence
        and not row["replayed"]
    )


def _of(row: dict[str, Any], names: tuple[str, ...]) -> list[Any]:
    return [row[name] for name in names]


def test_the_schedule_is_what_the_machine_expects() -> None:
    assert (len(NEWS_STEPS), FEW) == (9, 4)


@pytest.fixture
def stand(postgres: ScratchPostgres, redis_url: str) -> Iterator[Stand]:
    """A database and an event loop that nobody else uses."""
    with asyncio.Runner() as runner:
        database = runner.run(
            postgres.create_database("machine", "tochka_owner", "tochka_app", "tochka_jobs")
        )
        runner.run(upgrade(database.owner_dsn))
        stack = AsyncExitStack()
        told = core_settings(database, redis_url)

        async def opened() -> tuple[Resources, Resources]:
            app = open_resources(told, database_url=told.database_url, name="machine")
            jobs = open_resources(told, database_url=told.jobs_database_url, name="machine")
            return await stack.enter_async_context(app), await stack.enter_async_context(jobs)

        try:
            yield Stand(runner, database, *runner.run(opened()))
        finally:
            runner.run(stack.aclose())
            runner.run(postgres.drop_database(database.name))


def _run(stand: Stand, examples: int, steps: int) -> None:
    machine = type("Machine", (Dispatching,), {"stand": stand})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # a step takes milliseconds of a database: shrinking would take minutes
        ),
    )


def test_no_order_of_steps_loses_a_delivery(stand: Stand) -> None:
    _run(stand, examples=12, steps=30)


@pytest.mark.proof
def test_no_order_of_many_steps_loses_a_delivery(stand: Stand) -> None:
    _run(stand, examples=30, steps=50)
