"""Sentry: unknown errors, without what people typed."""

import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.types import Event, Hint
from tochka_sdk import context, logs

PRIVATE = ("query_string", "cookies", "data", "env")


def report_to(dsn: str, environment: str) -> None:
    """Let `report` send there from now on: neither bodies, queries nor variables of frames."""
    sentry_sdk.init(
        dsn,
        environment=environment,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        before_send=_discreet,
        integrations=[LoggingIntegration(event_level=None)],  # logs are text by then: `report` has the error
    )


def report(error: BaseException) -> None:
    """Send an error, if there is anywhere to send it to."""
    sentry_sdk.capture_exception(error)


def _discreet(event: Event, _hint: Hint) -> Event:
    """The event with the id of its request, and redacted as a line of the log is."""
    request = event.get("request", {})
    for name in PRIVATE:
        request.pop(name, None)
    event.setdefault("tags", {})["request_id"] = context.request_id()
    redacted: Event = logs.redact(event)
    return redacted
