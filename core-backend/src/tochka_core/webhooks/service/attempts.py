"""The line of the log for one try: what came back, without what nobody may read there."""

import re
from collections.abc import Mapping
from datetime import datetime

from tochka_sdk.ids import uuid7

from tochka_core.outbound.public import Answer
from tochka_core.webhooks.schemas import Attempt, Delivery

LONGEST = 16384
REDACTED = "[redacted]"
# what opens something somewhere, in an answer that quotes too much
SECRETS = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|\bwh(?:sec|sk)_[\w+/=-]{16,}|(?i:\bbearer\s+[\w.~+/=-]{8,})"
)
KEPT_PRIVATE = frozenset(
    {"authorization", "cookie", "proxy-authorization", "set-cookie", "www-authenticate", "x-api-key"}
)


def attempt_of(delivery: Delivery, answer: Answer, started_at: datetime, duration: float) -> Attempt:
    """What is written down of one try."""
    return Attempt(
        tenant_id=delivery.tenant_id,
        id=uuid7(),
        delivery_id=delivery.id,
        number=delivery.attempts,
        started_at=started_at,
        duration_ms=round(duration * 1000),
        response_status=answer.status,
        error=answer.error,
        response_body=_text(answer.body),
        response_headers=_headers(answer.headers) or None,
        timings=answer.timings.as_dict() or None,
        address=answer.address,
    )


def _text(body: bytes) -> str | None:
    if not body:
        return None
    text = SECRETS.sub(REDACTED, body.decode("utf-8", "replace").replace("\x00", ""))
    return text.encode()[:LONGEST].decode("utf-8", "ignore") or None


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: REDACTED if name in KEPT_PRIVATE else SECRETS.sub(REDACTED, value).replace("\x00", "")
        for name, value in headers.items()
    }
