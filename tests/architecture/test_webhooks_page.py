"""`docs/webhooks.md` says what is so: its events, its schedule, and its example, which is run."""

import re
import time
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import WebhookVerificationError
from tochka_core.outbox.events import BODIES, FOR_TENANTS, ON_REQUEST
from tochka_core.webhooks.schedules import FEW, NEWS_STEPS
from tochka_sdk import webhooks
from tochka_sdk.events import Envelope, Ping
from tochka_sdk.ids import uuid7

from tests.architecture.sources import ROOT

PAGE = (ROOT / "docs/webhooks.md").read_text("utf-8")
ROW = re.compile(r"^\| `([a-z_.]+)` \| ([a-z_, ]*) ?\|", re.MULTILINE)


def test_it_lists_every_event_that_endpoints_can_hear_with_its_fields() -> None:
    listed = {type: re.findall(r"[a-z_]+", fields) for type, fields in ROW.findall(PAGE)}
    assert listed == {type: list(BODIES[type].model_fields) for type in FOR_TENANTS | ON_REQUEST}


def _spelt(seconds: int) -> str:
    step = timedelta(seconds=seconds)
    for unit, name in ((timedelta(hours=1), "h"), (timedelta(minutes=1), "min")):
        if step >= unit:
            return f"{step // unit} {name}"
    return f"{seconds} s"


def test_its_schedule_is_the_dispatchers() -> None:
    assert f"after {', '.join(map(_spelt, NEWS_STEPS))}, each" in PAGE
    assert f"five attempts in all: after {', '.join(map(_spelt, NEWS_STEPS[:FEW]))} |" in PAGE
    assert (len(NEWS_STEPS) + 1, FEW + 1) == (10, 5)


def test_its_example_takes_what_the_platform_signs_once_and_nothing_else() -> None:
    [example] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    place: dict[str, object] = {}
    exec(compile(example, "docs/webhooks.md", "exec"), place)  # noqa: S102  it is our own page
    receive = place["receive"]
    assert callable(receive)
    secret, (key, _) = webhooks.generate_secret(), webhooks.generate_keypair()
    event = Envelope.of("ping", Ping(), tenant_id=uuid7(), sequence=1)
    body = event.to_bytes()
    headers = webhooks.sign(event.id, int(time.time()), body, secret=secret, private_key=key)
    seen: set[str] = set()
    handled: list[str] = []

    def is_seen(id: str) -> bool:
        before = id in seen
        seen.add(id)
        return before

    for _ in range(2):
        receive(secret, headers, body, is_seen, lambda event: handled.append(event["type"]))
    assert handled == ["ping"]
    with pytest.raises(WebhookVerificationError):
        receive(webhooks.generate_secret(), headers, body, is_seen, handled.append)
