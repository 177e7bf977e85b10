"""Which other origins may call the API from a browser, and how: what is listed, and nothing else."""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
HEADERS = ("Content-Type", "Authorization", "X-Request-ID", "X-Tenant-ID", "Idempotency-Key")
EXPOSED = ("X-Request-ID", "Retry-After", "RateLimit", "RateLimit-Policy", "Idempotency-Replayed")
KEPT_S = 600


class ExactCors(CORSMiddleware):
    """Starlette's, which would also list the headers that no browser ever asks about."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=tuple(origins),
            allow_credentials=True,
            allow_methods=METHODS,
            expose_headers=EXPOSED,
            max_age=KEPT_S,
        )
        self.allow_headers = [name.lower() for name in HEADERS]
        self.preflight_headers["Access-Control-Allow-Headers"] = ", ".join(HEADERS)
