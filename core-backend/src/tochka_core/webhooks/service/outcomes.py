"""What an answer means for a delivery, for its installation and for its endpoint."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import orjson
from tochka_sdk.db import Connection

from tochka_core.endpoints import public as endpoints
from tochka_core.installations import public as installations
from tochka_core.outbound.public import Answer
from tochka_core.webhooks.repository import outcomes as repository
from tochka_core.webhooks.repository import queue
from tochka_core.webhooks.schedules import Verdict
from tochka_core.webhooks.schemas import Attempt, Delivery, FailureReport

CODE = re.compile(r"[a-z][a-z0-9_.\-]{0,99}")
GONE = 410
REFUSED = FailureReport(code="installations.refused", detail="The module refused the installation.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt and what became of the delivery by it."""

    delivery: Delivery
    attempt: Attempt
    answer: Answer
    verdict: Verdict

    @property
    def bare(self) -> "Outcome":
        """The same without what the other side said: it must not keep from being known what became of the
        delivery.
        """
        attempt = replace(
            self.attempt,
            error="internal",
            response_body=None,
            response_headers=None,
            timings=None,
            address=None,
        )
        return replace(self, attempt=attempt, answer=Answer(self.answer.status, error="internal"))


async def conclude(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Write what became of several deliveries, and the attempts behind it. Twice is as good as once."""
    settled = [(o.delivery, o.verdict.status) for o in outcomes if o.verdict.delay is None]
    retried = [(o.delivery, o.verdict.delay) for o in outcomes if o.verdict.delay is not None]
    released = [delivery for delivery, _ in settled if delivery.resource is not None]
    later, delays = [delivery for delivery, _ in retried], [delay for _, delay in retried]
    if later or released:  # first: it holds queues
        await queue.lower(connection, [*later, *released], [*delays, *[timedelta()] * len(released)])
    if later:
        await queue.retry(connection, later, delays)
    changed = await repository.settle(connection, settled) if settled else set()
    if free := [delivery for delivery in released if delivery.id in changed]:
        await repository.release_next(connection, free)
    added = await repository.add_attempts(connection, [o.attempt for o in outcomes])
    await _tell_endpoints(connection, [o for o in outcomes if o.attempt.id in added])


async def _tell_endpoints(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """An endpoint that fails for days is disabled, after warnings; one that says it is gone, at once. A fault
    of ours says nothing of it.
    """
    results = [
        endpoints.Result(
            o.delivery.tenant_id,
            o.delivery.endpoint_id,
            delivered=o.verdict.status == "delivered",
            gone=o.answer.status == GONE,
        )
        for o in outcomes
        if o.delivery.endpoint_id is not None and not o.answer.is_own_fault
    ]
    if results:
        await endpoints.note_results(connection, results)


async def conclude_requested(connection: Connection, outcome: Outcome) -> None:
    """What the answer to `installation.requested` means for the installation, in the same transaction.

    Runs in the tenant's scope. An answer that comes after the deadline changes nothing: the delivery stays
    for whoever undoes the activation.
    """
    tenant_id, installation_id = _subject(outcome.delivery)
    match outcome.verdict.status:
        case "delivered":
            if not await installations.mark_live(connection, tenant_id, installation_id):
                await repository.add_attempts(connection, [outcome.attempt])
                return
        case "accepted":
            await installations.note_step(connection, tenant_id, installation_id, "accepted")
        case "pending":
            await installations.note_step(connection, tenant_id, installation_id, "retrying")
        case "refused":
            why = reason_of(outcome.answer)
            await installations.undo(connection, tenant_id, installation_id, code=why.code, detail=why.detail)
    await conclude(connection, [outcome])


def reason_of(answer: Answer) -> FailureReport:
    """Why a module refused, in its own words if they are words: `code` and `detail` of a problem document."""
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return REFUSED
    if not isinstance(body, dict):
        return REFUSED
    code, detail = body.get("code"), body.get("detail")
    return FailureReport(
        code=code if isinstance(code, str) and CODE.fullmatch(code) else REFUSED.code,
        detail=detail[:500] if isinstance(detail, str) and detail.strip() else REFUSED.detail,
    )


def _subject(delivery: Delivery) -> tuple[UUID, UUID]:
    """Whose installation a command is about."""
    if delivery.installation_id is None:
        raise LookupError(f"{delivery.type} {delivery.event_id} names no installation")
    return delivery.tenant_id, delivery.installation_id
