"""One attempt: sign, send, judge what came back, and say so in the log."""

import time
from datetime import datetime

from tochka_sdk import clock, logs
from tochka_sdk import webhooks as standard_webhooks

from tochka_core.endpoints import public as endpoints
from tochka_core.keyring import Keyring
from tochka_core.outbound.public import Answer, Sender
from tochka_core.outbox.errors import EventMisshapen
from tochka_core.webhooks import metrics
from tochka_core.webhooks.schedules import Verdict, judge
from tochka_core.webhooks.schemas import Delivery
from tochka_core.webhooks.service.attempts import attempt_of
from tochka_core.webhooks.service.bodies import payload
from tochka_core.webhooks.service.outcomes import Outcome

DOOR = "/_tochka/webhooks"
_log = logs.get_logger(__name__)


async def attempt(sender: Sender, keys: Keyring, delivery: Delivery, seconds: float) -> Outcome:
    """Send a delivery once, within so many seconds; not at all if its body is not what is published. Whatever
    fails here has an outcome, too: without one, it would be tried again at once and for ever.
    """
    started_at, started = clock.now(), time.perf_counter()
    try:
        answer = await _send(sender, keys, delivery, started_at, seconds)
        return _outcome(delivery, answer, started_at, started)
    except EventMisshapen as error:
        _log.error("webhooks.misshapen", delivery_id=str(delivery.id), reason=str(error))
        return _outcome(delivery, Answer(None, error="misshapen"), started_at, started)
    except Exception as error:
        _log.error(
            "webhooks.internal",
            event_id=str(delivery.event_id),
            delivery_id=str(delivery.id),
            tenant_id=str(delivery.tenant_id),
            exc_info=error,
        )
        return _outcome(delivery, Answer(None, error="internal"), started_at, started)


async def _send(
    sender: Sender, keys: Keyring, delivery: Delivery, started_at: datetime, seconds: float
) -> Answer:
    body = payload(delivery)
    headers = {
        "Content-Type": "application/json",
        "X-Request-ID": str(delivery.id),
        **standard_webhooks.sign(
            str(delivery.event_id),
            int(started_at.timestamp()),
            body,
            secret=_secrets(keys, delivery),
            private_key=keys.webhook,
        ),
    }
    if delivery.replays:
        headers["webhook-replay"] = "1"
    is_module = delivery.url is None
    url = f"{delivery.base_url}{DOOR}" if delivery.url is None else delivery.url
    return await sender.post(url, headers, body, seconds, trusted=is_module)


def _outcome(delivery: Delivery, answer: Answer, started_at: datetime, started: float) -> Outcome:
    duration = time.perf_counter() - started
    attempt = attempt_of(delivery, answer, started_at, duration)
    command = delivery.type if delivery.command else None
    verdict = judge(command, delivery.attempts, answer, clock.now())
    _tell(delivery, answer, verdict, duration)
    return Outcome(delivery, attempt, answer, verdict)


def _secrets(keys: Keyring, delivery: Delivery) -> list[str]:
    """A module's secret is derived; an endpoint's are its own, two of them during a rotation."""
    if delivery.secret is None or delivery.endpoint_id is None:
        return [keys.receiver_secret(delivery.receiver)]
    sealed = endpoints.Sealed(delivery.secret, delivery.previous_secret, delivery.previous_until)
    return endpoints.open_secrets(keys.master, delivery.tenant_id, delivery.endpoint_id, sealed)


def _tell(delivery: Delivery, answer: Answer, verdict: Verdict, duration: float) -> None:
    label = delivery.receiver if delivery.endpoint_id is None else "endpoints"
    metrics.SECONDS.labels(label).observe(duration)
    metrics.ATTEMPTS.labels(label, verdict.status).inc()
    # what went well is in the log of attempts, and would drown everything else here
    tell = _log.debug if verdict.status == "delivered" and not delivery.command else _log.info
    tell(
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
