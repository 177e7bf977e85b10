"""What an operator watches: attempts by what became of them, how long answers take, how late things are."""

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter(
    "tochka_webhook_attempts", "Attempts to deliver an event, by what became of it.", ("receiver", "result")
)
SECONDS = Histogram(
    "tochka_webhook_seconds",
    "From sending to the end of the answer.",
    ("receiver",),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)
UNDONE = Counter("tochka_activations_undone", "Activations undone because their deadline passed.")
FAILURES = Counter("tochka_dispatcher_failures", "Rounds of the dispatcher that failed.", ("loop",))
DEFERRED = Counter(
    "tochka_webhook_deferrals",
    "Deliveries put back because their receiver's gate was shut, or their tenant had no place left.",
)
LATE = Gauge("tochka_webhook_late_seconds", "For how long the first of all queues has been due.", ("lane",))
OUTBOX_LAG = Gauge("tochka_outbox_lag_seconds", "For how long the first event has waited for its deliveries.")
