"""Who hears an event, and by which number."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection
from tochka_sdk.events import COMMANDS
from tochka_sdk.ids import uuid7

from tochka_core.endpoints import public as endpoints
from tochka_core.outbox.events import FOR_ALL_MODULES
from tochka_core.webhooks.repository import routing as repository
from tochka_core.webhooks.schedules import REMOVED
from tochka_core.webhooks.schemas import NewDelivery

FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class _Route:
    """One event on its way to one receiver; `resource` is what its order is kept by, where it is kept."""

    event: Any
    receiver: str
    endpoint_id: UUID | None = None
    resource: str | None = None

    @property
    def queue(self) -> tuple[UUID, str]:
        return self.event["tenant_id"], self.receiver


@dataclass(slots=True)
class Turn:
    """Whose turn it is: the tenants with ids above `after`. A round takes at most `tenants` of them."""

    after: UUID = FIRST
    tenants: int = 100

    @property
    def is_midway(self) -> bool:
        """Whether some tenants have not been looked at since it began anew."""
        return self.after != FIRST

    def pass_on(self, events: Sequence[Any]) -> None:
        """To whoever comes after those of this round; to the first, after the last."""
        is_full = bool(events) and events[0]["tenants"] == self.tenants
        self.after = max(event["tenant_id"] for event in events) if is_full else FIRST


async def fan_out(connection: Connection, limit: int, turn: Turn | None = None) -> int:
    """Make deliveries of the oldest events that have none, as many of each tenant that waits; how many events
    there were. Without a `turn` it is always the first ones'.
    """
    turn = turn or Turn()
    events = await repository.claim_events(connection, limit, turn.tenants, turn.after)
    turn.pass_on(events)
    if not events:
        return 0
    routes = await _routes(connection, events)
    if routes:
        rows = await _counted(connection, routes)
        await repository.queue_up(connection, rows)
        await repository.add_deliveries(connection, rows)
    removed = [(e["tenant_id"], e["installation_id"]) for e in events if e["type"] == REMOVED]
    if removed:
        await repository.cancel_requested(connection, removed)
    await repository.mark_fanned_out(connection, [(event["tenant_id"], event["id"]) for event in events])
    return len(events)


async def _routes(connection: Connection, events: Sequence[Any]) -> list[_Route]:
    """The modules and the tenants' own endpoints that hear each event, in the order of the events."""
    tenants = {event["tenant_id"] for event in events}
    own = await endpoints.list_receivers(connection, sorted(tenants))
    routes = []
    for event in events:
        routes += [_Route(event, module) for module in await _modules(connection, event)]
        routes += [
            _Route(event, str(endpoint.id), endpoint.id, _resource(event) if endpoint.ordered else None)
            for endpoint in own.get(event["tenant_id"], ())
            if _hears(endpoint, event)
        ]
    return routes


async def _modules(connection: Connection, event: Any) -> Sequence[str]:
    if event["endpoint_id"] is not None:
        return []
    if event["module_id"] is not None:
        return [event["module_id"]]
    if event["type"] in FOR_ALL_MODULES:
        return await repository.receivers_of(connection, event["tenant_id"])
    return []


def _hears(endpoint: endpoints.Receiver, event: Any) -> bool:
    """What is meant for one endpoint is heard by that one alone, whatever it has asked for."""
    if event["endpoint_id"] is not None:
        return bool(event["endpoint_id"] == endpoint.id)
    return endpoint.wants(event["type"])


def _resource(event: Any) -> str:
    """What an event is about: an installation, or the tenant as a whole."""
    return str(event["installation_id"] or event["tenant_id"])


async def _counted(connection: Connection, routes: Sequence[_Route]) -> list[NewDelivery]:
    """Deliveries with their numbers: one after the other from where each receiver stands."""
    receivers = [route.receiver for route in routes]
    keys = [route.queue for route in routes]
    last_position = await repository.take_positions(connection, receivers)
    last_sequence = await repository.take_sequences(connection, [key[0] for key in keys], receivers)
    positions, sequences = Counter(receivers), Counter(keys)
    rows = []
    for route in routes:
        event, receiver = route.event, route.receiver
        positions[receiver] -= 1
        sequences[route.queue] -= 1
        rows.append(
            NewDelivery(
                tenant_id=event["tenant_id"],
                id=uuid7(),
                event_id=event["id"],
                receiver=receiver,
                endpoint_id=route.endpoint_id,
                position=last_position[receiver] - positions[receiver],
                sequence=last_sequence[route.queue] - sequences[route.queue],
                installation_id=event["installation_id"],
                type=event["type"],
                command=event["type"] in COMMANDS and route.endpoint_id is None,
                deadline_at=None if route.endpoint_id else event["deadline_at"],
                resource=route.resource,
            )
        )
    return rows
