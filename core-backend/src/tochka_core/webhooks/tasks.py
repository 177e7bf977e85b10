"""The dispatcher: makes deliveries of events, sends them until they are answered, undoes what is overdue.

All state is in PostgreSQL. A dispatcher that dies at any point leaves either an uncommitted transaction or a
lease that runs out; another one, or the next, goes on from there. Any number of them may run.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from tochka_sdk import clock, logs
from tochka_sdk.db import Scope, is_rejection
from tochka_sdk.errors import Unavailable

from tochka_core.outbound.public import Gates, Sender
from tochka_core.resources import Resources
from tochka_core.webhooks import metrics, sending
from tochka_core.webhooks.admission import Admission, Places
from tochka_core.webhooks.schedules import REQUESTED, pause_after
from tochka_core.webhooks.schemas import Delivery
from tochka_core.webhooks.service import (
    digests,
    months,
    operations,
    outcomes,
    queue,
    replays,
    reports,
    routing,
)
from tochka_core.webhooks.service.outcomes import Outcome

FAN_OUT = 200
OVERDUE = 50
FAN_OUT_S, DELIVER_S, CONCLUDE_S, OVERDUE_S, REPLAYS_S = 0.03, 0.1, 0.02, 0.25, 0.25
# A lease ends soon after its holder died; whoever lives renews it, however long the request takes.
LEASE = timedelta(seconds=10)
HEARTBEAT_S = 2.5
WATCH_S = 5.0
DIGESTS_S = 60.0
MONTHS_S = 3600.0
DRAIN_S = 2.0
_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lane:
    """Commands and news queue apart. A claim takes at most `batch`, and a queue's `share` of it; a receiver
    has at most `cap` requests of a lane in flight in one process.
    """

    command: bool
    timeout_s: float
    batch: int
    share: int
    cap: int


LANES = (
    Lane(command=True, timeout_s=10.0, batch=16, share=4, cap=48),
    Lane(command=False, timeout_s=15.0, batch=128, share=16, cap=192),
)


async def run(resources: Resources, stop: asyncio.Event) -> None:
    """Dispatch until `stop`. `resources` are those of the jobs role."""
    await Dispatcher(resources, resources.sender, Gates(resources.redis), stop).run()


class Dispatcher:
    """One process's part in the queue."""

    def __init__(self, resources: Resources, sender: Sender, gates: Gates, stop: asyncio.Event) -> None:
        self._resources = resources
        self._sender = sender
        self._admission = Admission(gates)
        self._stop = stop
        self._wake = asyncio.Event()
        self._turn = routing.Turn()
        self._sending: dict[asyncio.Task[None], Delivery] = {}
        self._in_flight: dict[Lane, Counter[str]] = {lane: Counter() for lane in LANES}
        self._outcomes: list[Outcome] = []

    async def run(self) -> None:
        """Run the loops until told to stop; then let short requests end, and give the others back."""
        _log.info("dispatcher.started")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loop("fan_out", self._fan_out, FAN_OUT_S))
            group.create_task(self._loop("deliver", self._deliver, DELIVER_S, self._wake))
            group.create_task(self._loop("conclude", self._conclude, CONCLUDE_S))
            group.create_task(self._loop("deadlines", self._deadlines, OVERDUE_S))
            group.create_task(self._loop("heartbeat", self._heartbeat, HEARTBEAT_S))
            group.create_task(self._loop("replays", self._replays, REPLAYS_S))
            group.create_task(self._loop("watch", self._watch, WATCH_S))
            group.create_task(self._loop("digests", self._digests, DIGESTS_S))
            group.create_task(self._loop("months", self._months, MONTHS_S))
            await self._stop.wait()
            self._wake.set()
        await self._drain()
        _log.info("dispatcher.stopped")

    async def _loop(
        self,
        name: str,
        step: Callable[[], Awaitable[bool]],
        idle: float,
        wake: asyncio.Event | None = None,
    ) -> None:
        """Repeat `step` until told to stop: at once while it is busy, more and more slowly while it fails."""
        failures = 0
        while not self._stop.is_set():
            try:
                pause = 0.0 if await step() else idle
                failures = 0
            except Exception as error:
                failures += 1
                metrics.FAILURES.labels(name).inc()
                pause = pause_after(failures)
                _report("dispatcher.failed", error, loop=name, failures=failures)
            await self._rest(pause, wake)

    async def _rest(self, seconds: float, wake: asyncio.Event | None) -> None:
        """Sleep, unless woken or told to stop."""
        event = wake or self._stop
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
        if wake is not None:
            wake.clear()

    async def _fan_out(self) -> bool:
        async with self._resources.connections.system(
            "makes deliveries of all tenants' events"
        ) as connection:
            count = await routing.fan_out(connection, FAN_OUT, self._turn)
        if count:
            self._wake.set()
        return count > 0 or self._turn.is_midway

    async def _deliver(self) -> bool:
        """Claim what is due and start sending it; commands first."""
        claimed: list[Delivery] = []
        places = Places(self._resources.webhook_connections, self._sending.values())
        async with self._resources.connections.system("claims deliveries") as connection:
            for lane in LANES:
                flying = self._in_flight[lane]
                full = [name for name, count in flying.items() if count > lane.cap - lane.batch]
                claimed += await queue.claim(
                    connection,
                    command=lane.command,
                    share=lane.share,
                    limit=lane.batch,
                    without=[*full, *places.full],
                    lease=LEASE,
                )
        for delivery in claimed:
            if delivery.command:  # whoever waits for an activation does not wait for the gates of news
                self._start(delivery)
        await self._admit([delivery for delivery in claimed if not delivery.command], places)
        return bool(claimed)

    def _start(self, delivery: Delivery) -> None:
        lane = LANES[not delivery.command]
        self._in_flight[lane][delivery.receiver] += 1
        task = asyncio.create_task(self._send(lane, delivery))
        self._sending[task] = delivery
        task.add_done_callback(partial(self._landed, lane))

    async def _admit(self, deliveries: Sequence[Delivery], places: Places) -> None:
        """Start what may be sent now; put the others back where they stood: no attempt is counted."""
        admitted = await self._admission.admit(deliveries, places)
        for delivery in admitted.sent:  # first: nothing that fails below may keep them
            self._start(delivery)
        if admitted.kept:
            metrics.DEFERRED.inc(len(admitted.kept))
            async with self._resources.connections.system("gives deliveries back") as connection:
                await queue.give_back(connection, admitted.kept, admitted.waits)

    async def _heartbeat(self) -> bool:
        """Keep the leases of what is in flight."""
        flying = list(self._sending.values())
        if flying:
            async with self._resources.connections.system("keeps its leases") as connection:
                await queue.renew(connection, flying, LEASE)
        return False

    async def _watch(self) -> bool:
        """Say how late everything is, for whoever looks at the metrics."""
        async with self._resources.connections.system("looks how late all tenants' queues are") as connection:
            late = await operations.lateness(connection)
        metrics.OUTBOX_LAG.set(late.event_s)
        metrics.LATE.labels("commands").set(late.command_s)
        metrics.LATE.labels("news").set(late.news_s)
        return False

    async def _digests(self) -> bool:
        """Tell modules how many events there are for them."""
        async with self._resources.connections.system("writes all tenants' digests") as connection:
            return await digests.write(connection) > 0

    async def _months(self) -> bool:
        """Make partitions ahead, and forget what is older than what is kept."""
        kept = self._resources.deliveries_kept_months
        async with self._resources.connections.system("makes and drops months") as connection:
            dropped = await months.keep(connection, kept)
        if dropped:
            _log.info("webhooks.months_dropped", months=dropped)
        async with self._resources.connections.system("forgets all tenants' old events") as connection:
            return await months.forget_events(connection, kept) == months.PORTION

    async def _replays(self) -> bool:
        """Make the next portion of what is to be sent again due, of one job."""
        async with self._resources.connections.system("sends deliveries again") as connection:
            has_advanced = await replays.advance(connection)
        if has_advanced:
            self._wake.set()
        return has_advanced

    def _landed(self, lane: Lane, task: asyncio.Task[None]) -> None:
        delivery = self._sending.pop(task)
        self._admission.forget(delivery)
        flying = self._in_flight[lane]
        flying[delivery.receiver] -= 1
        if flying[delivery.receiver] == lane.cap - lane.batch:
            self._wake.set()  # it was full until now
        if not task.cancelled() and (error := task.exception()) is not None:
            # the lease runs out and the delivery is sent again: receivers know an event by its id
            _report("webhooks.unconcluded", error, delivery_id=str(delivery.id))

    async def _send(self, lane: Lane, delivery: Delivery) -> None:
        """One attempt, from the request to what became of it."""
        seconds = lane.timeout_s
        if delivery.deadline_at is not None:
            seconds = min(seconds, (delivery.deadline_at - clock.now()).total_seconds())
        if seconds <= 0:
            return  # overdue: the loop of deadlines undoes it
        keys = self._resources.keyring
        outcome = await sending.attempt(self._sender, keys, delivery, seconds)
        self._admission.note(delivery, outcome.answer)
        if delivery.command and delivery.type == REQUESTED:
            try:
                await self._write_requested(outcome)
            except Exception as error:
                if not is_rejection(error):
                    raise
                _report_unwritable(outcome, error)
                await self._write_requested(outcome.bare)
        else:
            self._outcomes.append(outcome)

    async def _write_requested(self, outcome: Outcome) -> None:
        scope = Scope(tenant_id=outcome.delivery.tenant_id)
        async with self._resources.connections.transaction(scope) as connection:
            await outcomes.conclude_requested(connection, outcome)

    async def _conclude(self) -> bool:
        """Write the outcomes that have gathered; the gates are told first."""
        await self._admission.tell()
        gathered, self._outcomes = self._outcomes, []
        if not gathered:
            return False
        try:
            await self._write(gathered)
        except BaseException:
            self._outcomes = gathered + self._outcomes
            raise
        if any(outcome.delivery.resource is not None for outcome in gathered):
            self._wake.set()  # where order matters, the next one may go now
        return True

    async def _write(self, gathered: Sequence[Outcome]) -> None:
        """Write outcomes in one transaction, or in halves if one of them is rejected: that one at last
        without what was answered, and if that is of no use, not at all.
        """
        try:
            async with self._resources.connections.system(
                "acknowledges all tenants' deliveries"
            ) as connection:
                await outcomes.conclude(connection, gathered)
        except Exception as error:
            if not is_rejection(error):
                raise
            middle = len(gathered) // 2
            if middle:
                await self._write(gathered[:middle])
                await self._write(gathered[middle:])
                return
            [outcome] = gathered
            _report_unwritable(outcome, error)
            if outcome != outcome.bare:
                await self._write([outcome.bare])

    async def _deadlines(self) -> bool:
        """Undo the activations whose deadline has passed, each in a transaction of its own."""
        async with self._resources.connections.system(
            "looks for all tenants' overdue commands"
        ) as connection:
            overdue = await reports.list_overdue(connection, OVERDUE)
        for late in overdue:
            scope = Scope(tenant_id=late.tenant_id)
            async with self._resources.connections.transaction(scope) as connection:
                undone = await reports.expire(connection, late)
            if undone:
                metrics.UNDONE.inc()
                _log.warning("activations.undone", installation_id=str(late.installation_id))
        return len(overdue) == OVERDUE

    async def _drain(self) -> None:
        """Wait a little for what is in flight, then give the rest back, so that nobody waits for a lease."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=DRAIN_S)
        given_back = list(self._sending.values())
        unfinished = list(self._sending)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        try:
            await self._conclude()
            if given_back:
                async with self._resources.connections.system(
                    "gives deliveries back at the end"
                ) as connection:
                    await queue.give_back(connection, given_back)
        except Exception as error:
            _report("dispatcher.unfinished", error)


def _report_unwritable(outcome: Outcome, error: BaseException) -> None:
    delivery = outcome.delivery
    _report("webhooks.unwritable", error, event_id=str(delivery.event_id), delivery_id=str(delivery.id))


def _report(event: str, error: BaseException, **facts: object) -> None:
    """Log a failure; the trace only where it tells something: a database that is away is away."""
    if isinstance(error, Unavailable):
        _log.warning(event, reason=error.code, **facts)
    else:
        _log.error(event, exc_info=error, **facts)
