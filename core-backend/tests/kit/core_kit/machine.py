"""The dispatcher as a state machine: every step says which deliveries it changes and how, and nothing else
may change. Hypothesis chooses the steps, or a test takes them itself.

Two workers take the dispatcher's real steps on a real database. What a worker that died, slept or was cut off
would do is done late, or never.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, replace
from datetime import MAXYEAR, datetime, timedelta
from typing import Any, TypeVar
from unittest.mock import ANY
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine
from tochka_core.outbound.public import Answer
from tochka_core.webhooks.errors import DeliveryUnsettled, EndpointDisabled
from tochka_core.webhooks.schemas import Delivery

from core_kit.engine import Engine, Row

T = TypeVar("T")
WORKERS = ("one", "other")
MANY = 1000
TRIED, TRIED_FEW = 10, 5
"""How often a delivery is tried, and how often one that is refused."""
TAKEN, BROKEN, BUSY = Answer(200), Answer(503), Answer(429, headers={"retry-after": "600"})
MISSING, GONE, SILENT = Answer(404), Answer(410), Answer(None, error="timeout")
SETTLED = {"delivered", "refused", "expired", "held"}


class _Soon:
    """Equal to every moment that will come."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, datetime) and other.year < MAXYEAR

    __hash__ = None  # type: ignore[assignment]  # it stands for many


SOON = _Soon()
Changes = dict[UUID, dict[str, Any]]


@dataclass(eq=False)
class Held:
    """A delivery in a worker's hands, of its so-manieth replay."""

    worker: str
    delivery: Delivery
    round: int


class Dispatching(RuleBasedStateMachine):
    """One tenant's deliveries. `owners`: whose attempt counts; `lost`: attempts of which nobody told."""

    def __init__(self, runner: asyncio.Runner, engine: Engine) -> None:
        super().__init__()
        self.runner, self.engine = runner, engine
        self.rows: dict[UUID, Row] = {}
        self.held: list[Held] = []
        self.owners: dict[UUID, Held] = {}
        self.lost: defaultdict[UUID, int] = defaultdict(int)
        self.rounds: defaultdict[UUID, int] = defaultdict(int)
        self.jumped: set[tuple[UUID, str]] = set()
        self.do(engine.start())

    def do(self, step: Awaitable[T]) -> T:
        """Take a step to its end."""

        async def whole() -> T:
            return await step

        return self.runner.run(whole())

    def become(self, changes: Changes) -> None:
        """These deliveries have changed so, and no other has changed at all."""
        after = self.do(self.engine.rows())
        for id, before in self.rows.items():
            assert after[id] == replace(before, **changes.get(id, {})), f"was {before}"
        self.rows = after

    def happens(self, resource: UUID | None, count: int) -> None:
        """Something is to be told."""
        self.do(self.engine.happen(resource, count))

    def fans_out(self, at_once: int, limit: int) -> None:
        """Deliveries are made of it."""
        self.do(self.engine.fan_out(at_once, limit))
        self.become({})

    def claims(self, workers: Iterable[str], share: int = MANY, limit: int = MANY) -> None:
        """Workers take what is due: nothing that another holds, nothing of who takes nothing. What the gates
        keep back stands where it stood, and no attempt is counted.
        """
        disabled = self.do(self.engine.disabled())
        admitted = self.do(self.engine.claim(list(workers), share, limit))
        changes = self._put_aside(disabled)
        for worker, found in zip(workers, admitted, strict=True):
            for delivery in found.kept:
                row = self._claimable(delivery, disabled, changes)
                changes[row.id] = {"deferrals": row.deferrals + 1, "leased_until": None}
            for delivery in found.sent:
                row = self._claimable(delivery, disabled, changes)
                changes[row.id] = {"attempts": row.attempts + 1, "leased_until": SOON, "due_at": SOON}
                self.held.append(Held(worker, delivery, self.rounds[row.id]))
                self.owners[row.id] = self.held[-1]
        if share == limit == MANY:
            due = {row.id for row in self.rows.values() if row.is_due}
            assert due <= changes.keys(), "what is due was passed over"
        self.become(changes)

    def _claimable(self, delivery: Delivery, disabled: set[UUID], changes: Changes) -> Row:
        row = self.rows[delivery.id]
        assert row.id not in changes, "two have it"
        assert row.status == "pending"
        assert not row.is_held, "another one holds it"
        assert row.endpoint_id not in disabled
        assert delivery.attempts == row.attempts + 1
        if self.owners.pop(row.id, None):
            self.lost[row.id] += 1
        return row

    def _put_aside(self, disabled: set[UUID]) -> Changes:
        """What waits for who takes nothing is kept, all of it or nothing yet."""
        after = self.do(self.engine.rows())
        kept = [row for row in self.rows.values() if row.status != after[row.id].status]
        for row in kept:
            assert (row.status, row.is_held) == ("pending", False)
            assert row.endpoint_id in disabled
            if self.owners.pop(row.id, None):
                self.lost[row.id] += 1
        return {row.id: {"status": "held", "leased_until": None} for row in kept}

    def concludes(self, held: Held, answer: Answer, *, whole: bool = False, twice: bool = False) -> None:
        """An answer is written down, in time or after another one has taken over; or all of a worker's."""
        batch = {one.delivery.id: one for one in self.held if whole and one.worker == held.worker}
        batch[held.delivery.id] = held
        self.held = [one for one in self.held if one not in batch.values()]
        deliveries = [one.delivery for one in batch.values()]
        concluded = self.do(self.engine.conclude(held.worker, deliveries, answer))
        changes: Changes = {}
        for one, outcome in zip(batch.values(), concluded, strict=True):
            row, verdict = self.rows[one.delivery.id], outcome.verdict
            changes[row.id] = {"logged": row.logged + 1}
            if verdict.delay is not None:
                assert one.delivery.attempts < (TRIED_FEW if answer is MISSING else TRIED)
                if self._is_owner(one):
                    changes[row.id] |= {"due_at": SOON, "leased_until": None}
            elif row.status == "pending" and one.round == self.rounds[row.id]:
                changes[row.id] |= {"status": verdict.status, "leased_until": None, "finished_at": SOON}
            if row.status == "pending" and len(changes[row.id]) > 1:
                self.owners.pop(row.id, None)
        self._release(changes)
        self.become(changes)
        if twice:  # nobody told it that it was committed
            self.do(self.engine.write(concluded))
            self.become({})
        if answer is GONE:
            assert {one.endpoint_id for one in deliveries} <= self.do(self.engine.disabled())

    def _release(self, changes: Changes) -> None:
        """Where order matters, the next one may go after one that is settled."""
        for row in [self.rows[id] for id, change in changes.items() if "status" in change]:
            rest = [
                one for one in self._resource(row) if one.id not in changes or "status" not in changes[one.id]
            ]
            if row.resource and rest and rest[0].waits:
                changes.setdefault(rest[0].id, {})["due_at"] = SOON

    def _resource(self, row: Row) -> list[Row]:
        """What waits of the same, in its order."""
        key = (row.endpoint_id, row.resource, "pending")
        found = [one for one in self.rows.values() if (one.endpoint_id, one.resource, one.status) == key]
        return sorted(found, key=lambda one: one.sequence)

    def _is_owner(self, held: Held) -> bool:
        return self.owners.get(held.delivery.id) is held

    def gives_back(self, held: Held) -> None:
        """No attempt was made, and none is counted."""
        self.held.remove(held)
        row = self.rows[held.delivery.id]
        self.do(self.engine.give_back(held.worker, held.delivery))
        if not self._is_owner(held):
            return self.become({})
        del self.owners[row.id]
        stood = {"due_at": held.delivery.due_at, "leased_until": None}
        back = {"attempts": row.attempts - 1, "deferrals": row.deferrals + 1, **stood}
        return self.become({row.id: back})

    def beats(self, worker: str) -> None:
        """A worker keeps what it has; also what it has overslept, if nobody else has taken it."""
        mine = [held for held in self.held if held.worker == worker]
        if mine:
            self.do(self.engine.renew([held.delivery for held in mine]))
        kept = [held.delivery.id for held in mine if self._is_owner(held)]
        self.become({id: {"due_at": SOON, "leased_until": SOON} for id in kept})

    def passes(self, time: timedelta) -> None:
        """Leases run out, retries come due, gates open."""
        self.do(self.engine.pass_time(time))
        waiting = [row for row in self.rows.values() if row.status == "pending"]
        times: Changes = {
            row.id: {
                "due_at": row.due_at if row.waits else SOON,
                "leased_until": row.leased_until and SOON,
            }
            for row in waiting
        }
        self.become(times)
        for held in self.held:  # where it stood has moved, too
            held.delivery = replace(held.delivery, due_at=held.delivery.due_at - time)

    def sends_again(self, row: Row) -> None:
        """An owner asks for one delivery once more, or for its next try at once."""
        refused: tuple[type[Exception], ...] = ()
        if row.endpoint_id in self.do(self.engine.disabled()):
            refused = (EndpointDisabled,)
        elif row.status == "pending" and (row.attempts == 0 or row.waits):
            refused = (DeliveryUnsettled,)
        try:
            self.do(self.engine.send_again(row.id))
            assert not refused
        except refused:
            pass

    def advances(self) -> None:
        """Replays go on: what they ask for begins anew, and may wait for what is waiting already."""
        asked, disabled = self.do(self.engine.jobs_due()), self.do(self.engine.disabled())
        changes: Changes = {}
        for job in [job for job in asked if job["endpoint_id"] not in disabled]:
            for row in [row for row in self.rows.values() if self._is_asked_for(row, job)]:
                changes[row.id] = {"due_at": ANY}
                if row.status != "pending":
                    begun = {"status": "pending", "attempts": 0, "replays": row.replays + 1}
                    changes[row.id] |= {"leased_until": None, "finished_at": None, **begun}
                    if row.id == job["delivery_id"] and row.resource:
                        self.jumped.add((row.endpoint_id, row.resource))
        for id in [id for id, change in changes.items() if "replays" in change]:
            self.rounds[id] += 1
            self.lost.pop(id, None)
        self.do(self.engine.advance())
        self.become(changes)

    def _is_asked_for(self, row: Row, job: Any) -> bool:
        """What is settled, and what waits to be tried again."""
        is_tried = row.attempts > 0 and not row.waits and row.leased_until is None
        if row.endpoint_id != job["endpoint_id"] or (row.status == "pending" and not is_tried):
            return False
        if job["delivery_id"] is not None:
            return bool(row.id == job["delivery_id"])
        return row.status in job["statuses"] and job["last_sequence"] < row.sequence <= job["until_sequence"]

    def is_well(self) -> None:
        """Every event has one delivery for each endpoint that wants it, numbered in order; each is where it
        may be, none is forgotten, and none has been tried too often.
        """
        events = self.do(self.engine.events())
        told = [event["is_told"] for event in events]
        assert told == sorted(told, reverse=True), "a later event went first"
        for endpoint_id, types in self.engine.wanted.items():
            mine = [row for row in self.rows.values() if row.endpoint_id == endpoint_id]
            wanted = [event["id"] for event in events if event["is_told"] and event["type"] in types]
            assert [row.event_id for row in mine] == wanted
            assert [(row.sequence, row.position) for row in mine] == [
                (n + 1, n + 1) for n in range(len(mine))
            ]
        for row in self.rows.values():
            assert row.status in SETTLED | {"pending"}
            assert (row.finished_at is None) == (row.status in {"pending", "held"})
            assert row.status == "pending" or row.leased_until is None
            assert 0 <= row.attempts - self.lost[row.id] <= TRIED
            assert not row.is_forgotten, "it would be looked at too late, or never"
            if row.resource is not None:
                self._is_in_order(self._resource(row))

    def _is_in_order(self, waiting: list[Row]) -> None:
        """The first of a resource may be sent, and no other. Who asks for one again has it at once."""
        if not waiting:
            return
        key = (waiting[0].endpoint_id, waiting[0].resource or "")
        sent = [row for row in waiting if not row.waits]
        assert sent, "all of them wait for each other"
        first = next((row for row in waiting if not row.replays), None)
        if key not in self.jumped:
            assert len(sent) == 1
            assert sent[0].replays or sent[0] == first, "one was overtaken"
        elif not any(row.replays for row in waiting):
            self.jumped.discard(key)

    def ends(self) -> None:
        """In the end, everything that happened is delivered or was given up for a reason."""
        self.held.clear()
        while [event for event in self.do(self.engine.events()) if not event["is_told"]]:
            self.fans_out(1, MANY)
        for endpoint_id in self.engine.wanted:
            self.do(self.engine.switch(endpoint_id, "enabled"))
            self.do(self.engine.recover(endpoint_id))
        for _ in range(3 * len(self.rows) + 3):
            self.passes(timedelta(days=1, hours=1))
            self.advances()
            self.claims(["one"])
            for held in self.held[:1]:
                self.concludes(held, TAKEN, whole=True)
            self.is_well()
            if not [row for row in self.rows.values() if row.status in {"pending", "held"}]:
                return
        raise AssertionError("something is never sent")
