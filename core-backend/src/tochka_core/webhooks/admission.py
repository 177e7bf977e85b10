"""Which news may be sent now: as many as there are places for, and their receivers' gates let through.

Commands go past both: modules are the platform's own, and their client has no end of connections.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tochka_sdk import clock

from tochka_core.outbound.public import Answer, Gates, Limits, Report, Want, report_of
from tochka_core.webhooks.schemas import Delivery

NO_PLACE = timedelta(seconds=0.5)
"""How long a queue waits whose tenant has no place left."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Deliveries to send, and those to put back with how long their receivers take nothing."""

    sent: list[Delivery]
    kept: list[Delivery]
    waits: list[timedelta]

    def keep(self, delivery: Delivery, wait: timedelta) -> None:
        """Put one back for so long."""
        self.kept.append(delivery)
        self.waits.append(wait)


class Places:
    """A process's `total` places for exchanges with tenants' endpoints, as those in flight leave them.

    A tenant may hold as many as are still free: alone, half of them; where n tenants take all they can, each
    holds one part of n + 1, and the last part is free for whoever comes next.
    """

    def __init__(self, total: int, flying: Iterable[Delivery]) -> None:
        endpoints = [delivery for delivery in flying if delivery.endpoint_id is not None]
        self._held = Counter(delivery.tenant_id for delivery in endpoints)
        self._free = total - len(endpoints)
        self.full = {delivery.receiver for delivery in endpoints if not self._is_free(delivery.tenant_id)}
        """Receivers that need not be looked at: their tenants have no place left."""

    def take(self, delivery: Delivery) -> bool:
        """Whether there is a place for this one, which then is held. Modules need none."""
        if delivery.endpoint_id is None:
            return True
        if not self._is_free(delivery.tenant_id):
            return False
        self._held[delivery.tenant_id] += 1
        self._free -= 1
        return True

    def _is_free(self, tenant_id: UUID) -> bool:
        return self._held[tenant_id] < self._free


class Admission:
    """Asks the gates for a batch at a time, and tells them for a batch at a time what came of it."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates
        self._grants: dict[UUID, str] = {}
        self._reports: dict[str, list[Report]] = {}

    async def admit(self, deliveries: Sequence[Delivery], places: Places) -> Admitted:
        """Ask for all of these that find a place, in one round trip."""
        admitted, placed = Admitted([], [], []), list[Delivery]()
        for delivery in deliveries:
            if places.take(delivery):
                placed.append(delivery)
            else:
                admitted.keep(delivery, NO_PLACE)
        wanted = Counter(_gate(delivery) for delivery in placed)
        limits = {_gate(delivery): _limits(delivery) for delivery in placed}
        wants = [Want(gate, count, limits[gate]) for gate, count in wanted.items()]
        grants = dict(zip(wanted, await self._gates.take(wants), strict=True))
        left = {gate: list(grant.ids) for gate, grant in grants.items()}
        for delivery in placed:
            gate = _gate(delivery)
            if left[gate]:
                self._grants[delivery.id] = left[gate].pop()
                admitted.sent.append(delivery)
            else:
                admitted.keep(delivery, timedelta(seconds=grants[gate].wait_s))
        return admitted

    def note(self, delivery: Delivery, answer: Answer) -> None:
        """What came of a delivery that was admitted. Commands have no gate, and tell nothing of one."""
        grant = self._grants.pop(delivery.id, None)
        if grant is not None:
            self._gather(report_of(_gate(delivery), [grant], answer, clock.now()))

    def forget(self, delivery: Delivery) -> None:
        """Nothing came of it: its grant is given back."""
        grant = self._grants.pop(delivery.id, None)
        if grant is not None:
            self._gather(Report(_gate(delivery), (grant,)))

    async def tell(self) -> None:
        """Tell the gates what has gathered."""
        told, self._reports = self._reports, {}
        if told:
            await self._gates.report([report for reports in told.values() for report in reports])

    def _gather(self, report: Report) -> None:
        """One call of a script for a receiver's answers, as long as they are alike."""
        before = self._reports.setdefault(report.name, [])
        both = before[-1].followed_by(report) if before else None
        if both is None:
            before.append(report)
        else:
            before[-1] = both


def _gate(delivery: Delivery) -> str:
    """Each new beginning that an owner wants has a gate of its own: nothing is known of it yet."""
    return f"webhooks:{delivery.receiver}:{delivery.epoch}"


def _limits(delivery: Delivery) -> Limits:
    """What an endpoint's owner has set; modules are the platform's own and have a breaker only."""
    if delivery.endpoint_id is None:
        return Limits()
    return Limits(delivery.rate_per_second, delivery.concurrency)
