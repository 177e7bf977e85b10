"""What operators ask of the queues: how they stand, whether they are empty, sending again."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from tochka_sdk import clock
from tochka_sdk.db import Connection

from tochka_core.webhooks.repository import operations as repository

BATCH = 500


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue: `oldest_s` is for how long its first delivery has been due; `to` is a module, or the host of
    an endpoint.
    """

    to: str
    receiver: str
    tenant_id: UUID
    lane: str
    pending: int
    due: int
    in_flight: int
    held: int
    oldest_s: float
    blocked_until: datetime | None
    failing_since: datetime | None


@dataclass(frozen=True, slots=True)
class State:
    """All of them, and the events that wait for their deliveries."""

    events: int
    oldest_event_s: float
    queues: list[QueueState]

    @property
    def oldest_s(self) -> float:
        """For how long the first of all has been waiting that could be sent."""
        return max([self.oldest_event_s, *(queue.oldest_s for queue in self.queues)])

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "oldest_s": self.oldest_s}


@dataclass(frozen=True, slots=True)
class Lateness:
    """For how many seconds the first event has waited for its deliveries, the first command and the first
    news for being sent; 0: none does.
    """

    event_s: float
    command_s: float
    news_s: float


async def lateness(connection: Connection) -> Lateness:
    """How late everything is, at the cost of three looks into indexes (jobs role)."""
    row = await repository.lateness(connection)
    return Lateness(_age(row["event"]), _age(row["command"]), _age(row["news"]))


async def look(connection: Connection) -> State:
    """How everything stands now (jobs role)."""
    waiting = await repository.waiting(connection)
    pending = await repository.pending(connection)
    held = {(row["tenant_id"], row["receiver"]): row for row in await repository.held(connection)}
    rows = (*pending, *held.values())
    keys = {(row["tenant_id"], row["endpoint_id"]) for row in rows if row["endpoint_id"] is not None}
    known = {str(row["id"]): row for row in await repository.endpoints(connection, sorted(keys))}
    queues = [_queue(row, held.pop((row["tenant_id"], row["receiver"]), None), known) for row in pending]
    queues += [_queue(None, row, known) for row in held.values()]
    return State(waiting["count"], _age(waiting["oldest"]), queues)


def _queue(pending: Any, held: Any, known: dict[str, Any]) -> QueueState:
    row = pending or held
    endpoint = known.get(row["receiver"])
    return QueueState(
        to=row["receiver"] if row["endpoint_id"] is None else _host(endpoint),
        receiver=row["receiver"],
        tenant_id=row["tenant_id"],
        lane="commands" if pending and pending["command"] else "news",
        pending=pending["pending"] if pending else 0,
        due=pending["due"] if pending else 0,
        in_flight=pending["in_flight"] if pending else 0,
        held=held["held"] if held else 0,
        oldest_s=_age(pending["oldest"]) if pending else 0.0,
        blocked_until=pending["blocked_until"] if pending else None,
        failing_since=endpoint["failing_since"] if endpoint else None,
    )


def _host(endpoint: Any) -> str:
    """Paths and queries of endpoints may be secrets."""
    return "(deleted)" if endpoint is None else urlsplit(endpoint["url"]).hostname or "?"


def _age(moment: datetime | None) -> float:
    return 0.0 if moment is None else max(0.0, (clock.now() - moment).total_seconds())


async def unsettled(connection: Connection) -> tuple[int, int]:
    """How many events wait, and how many deliveries are due or being sent; retries to come do not count."""
    return await repository.unsettled(connection)


async def tenant_of_endpoint(connection: Connection, endpoint_id: UUID) -> UUID | None:
    """Whose endpoint it is."""
    return await repository.tenant_of_endpoint(connection, endpoint_id)


async def count_news(
    connection: Connection, module_id: str, since: datetime, tenant_id: UUID | None, after: int = 0
) -> int:
    """How many news of a module would be sent again."""
    return await repository.count_news_of_module(connection, module_id, after, since, tenant_id)


async def send_news_again(
    connection: Connection, module_id: str, since: datetime, tenant_id: UUID | None, after: int
) -> tuple[int, int]:
    """Send the next news of a module again, under the same ids; how many, and the position reached."""
    return await repository.send_news_again(connection, module_id, after, since, tenant_id, BATCH)
