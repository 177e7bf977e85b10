"""Redis away: a 503 that says when to come back. (The doors to PostgreSQL say the same of themselves.)"""

from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from tochka_sdk import logs
from tochka_sdk.errors import Unavailable
from tochka_sdk.problems import render

_log = logs.get_logger(__name__)


class RedisUnavailable(Unavailable):
    """503: Redis does not answer. What needs it fails closed."""

    code = "redis.unavailable"


def install(app: Starlette) -> None:
    """Answer faults of Redis as problems."""

    async def redis(_request: Request, error: Exception) -> Response:
        _log.warning("redis.unavailable", reason=type(error).__name__)
        return render(RedisUnavailable("A part of the platform is away for a moment.", retry_after=2))

    app.add_exception_handler(RedisError, redis)
