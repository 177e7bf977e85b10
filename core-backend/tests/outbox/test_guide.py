"""The guide for owners' developers knows every event that endpoints can be told."""

from pathlib import Path

from tochka_core.outbox.events import FOR_TENANTS

GUIDE = Path(__file__).parents[3] / "docs/webhooks.md"


def test_every_event_of_endpoints_is_in_the_guide() -> None:
    text = GUIDE.read_text("utf-8")
    assert {name for name in FOR_TENANTS if f"`{name}`" not in text} == set()
