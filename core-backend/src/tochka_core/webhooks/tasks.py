"""The dispatcher: makes deliveries of events, sends them until they are answered, undoes what is overdue.

All state is in PostgreSQL. A dispatcher that dies at any point leaves either an uncommitted transaction or a
lease that runs out; another one, or the next, goes on from there. Any number of them may run.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from tochka_sdk import clock, logs
from tochka_sdk import webhooks as standard_webhooks
from tochka_sdk.db import Scope
from tochka_sdk.errors import Unavailable

from tochka_core.resources import Resources
from tochka_core.webhooks import metrics, service
from tochka_core.webhooks.adapters import Sender, open_sender
from tochka_core.webhooks.schedules import REQUESTED, judge, pause_after
from tochka_core.webhooks.schemas import Delivery
from tochka_core.webhooks.service import Outcome

DOOR = "/_tochka/webhooks"
FAN_OUT = 200
OVERDUE = 50
FAN_OUT_S, DELIVER_S, CONCLUDE_S, OVERDUE_S = 0.05, 0.1, 0.02, 0.25
DRAIN_S = 2.0
_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lane:
    """Commands and news queue apart. A claim takes at most `batch`, and a queue's `share` of it; a receiver
    has at most `cap` requests of a lane in flight.
    """

    command: bool
    timeout_s: float
    lease: timedelta
    batch: int
    share: int
    cap: int


# A lease outlives the request, or a slow answer would be asked for twice; not by much, or the death of a
# dispatcher would cost an activation its deadline.
LANES = (
    Lane(command=True, timeout_s=10.0, lease=timedelta(seconds=13), batch=16, share=4, cap=48),
    Lane(command=False, timeout_s=15.0, lease=timedelta(seconds=20), batch=64, share=16, cap=128),
)


async def run(resources: Resources, stop: asyncio.Event) -> None:
    """Dispatch until `stop`. `resources` are those of the jobs role."""
    async with open_sender() as sender:
        await Dispatcher(resources, sender, stop).run()


class Dispatcher:
    """One process's part in the queue."""

    def __init__(self, resources: Resources, sender: Sender, stop: asyncio.Event) -> None:
        self._resources = resources
        self._sender = sender
        self._stop = stop
        self._wake = asyncio.Event()
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
            count = await service.fan_out(connection, FAN_OUT)
        if count:
            self._wake.set()
        return count > 0

    async def _deliver(self) -> bool:
        """Claim what is due and start sending it; commands first."""
        claimed: list[tuple[Lane, Delivery]] = []
        async with self._resources.connections.system("claims deliveries") as connection:
            for lane in LANES:
                flying = self._in_flight[lane]
                full = [name for name, count in flying.items() if count > lane.cap - lane.batch]
                found = await service.claim(
                    connection,
                    command=lane.command,
                    share=lane.share,
                    limit=lane.batch,
                    without=full,
                    lease=lane.lease,
                )
                claimed += ((lane, delivery) for delivery in found)
        for lane, delivery in claimed:
            self._in_flight[lane][delivery.receiver] += 1
            task = asyncio.create_task(self._send(lane, delivery))
            self._sending[task] = delivery
            task.add_done_callback(partial(self._landed, lane))
        return bool(claimed)

    def _landed(self, lane: Lane, task: asyncio.Task[None]) -> None:
        delivery = self._sending.pop(task)
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
        outcome = await self._attempt(delivery, seconds)
        if delivery.type == REQUESTED:
            scope = Scope(tenant_id=delivery.tenant_id)
            async with self._resources.connections.transaction(scope) as connection:
                await service.conclude_requested(connection, outcome)
        else:
            self._outcomes.append(outcome)

    async def _attempt(self, delivery: Delivery, seconds: float) -> Outcome:
        started_at, started = clock.now(), time.perf_counter()
        body = service.payload(delivery)
        keys = self._resources.keyring
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "X-Request-ID": str(delivery.id),
            **standard_webhooks.sign(
                str(delivery.event_id),
                int(started_at.timestamp()),
                body,
                secret=keys.receiver_secret(delivery.receiver),
                private_key=keys.webhook,
            ),
        }
        answer = await self._sender.post(delivery.base_url + DOOR, headers, body, seconds)
        duration = time.perf_counter() - started
        verdict = judge(delivery.type, delivery.attempts, answer, clock.now())
        metrics.SECONDS.labels(delivery.receiver).observe(duration)
        metrics.ATTEMPTS.labels(delivery.receiver, verdict.status).inc()
        _log.info(
            "webhooks.attempt",
            type=delivery.type,
            event_id=str(delivery.event_id),
            delivery_id=str(delivery.id),
            tenant_id=str(delivery.tenant_id),
            receiver=delivery.receiver,
            number=delivery.attempts,
            status=answer.status,
            error=answer.error,
            result=verdict.status,
            ms=round(duration * 1000),
        )
        return Outcome(delivery, service.attempt_of(delivery, answer, started_at, duration), answer, verdict)

    async def _conclude(self) -> bool:
        """Write the outcomes that have gathered, all in one transaction."""
        gathered, self._outcomes = self._outcomes, []
        if not gathered:
            return False
        try:
            async with self._resources.connections.system(
                "acknowledges all tenants' deliveries"
            ) as connection:
                await service.conclude(connection, gathered)
        except BaseException:
            self._outcomes = gathered + self._outcomes
            raise
        return True

    async def _deadlines(self) -> bool:
        """Undo the activations whose deadline has passed, each in a transaction of its own."""
        async with self._resources.connections.system(
            "looks for all tenants' overdue commands"
        ) as connection:
            overdue = await service.list_overdue(connection, OVERDUE)
        for late in overdue:
            scope = Scope(tenant_id=late.tenant_id)
            async with self._resources.connections.transaction(scope) as connection:
                undone = await service.expire(connection, late)
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
                    await service.release(connection, given_back)
        except Exception as error:
            _report("dispatcher.unfinished", error)


def _report(event: str, error: BaseException, **facts: object) -> None:
    """Log a failure; the trace only where it tells something: a database that is away is away."""
    if isinstance(error, Unavailable):
        _log.warning(event, reason=error.code, **facts)
    else:
        _log.error(event, exc_info=error, **facts)
