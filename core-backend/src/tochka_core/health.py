"""The private listener: health, keys, metrics. The gateway never routes to it."""

from collections.abc import Awaitable, Callable
from functools import partial

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from tochka_sdk import logs, problems

from tochka_core.resources import Resources

Probe = Callable[[], Awaitable[object]]
_log = logs.get_logger(__name__)


async def _holds(name: str, probe: Probe) -> bool:
    """Whether `probe` answers; the reason is logged, not shown."""
    try:
        await probe()
    except Exception as error:
        _log.warning("health.failed", part=name, exc_info=error)
        return False
    return True


async def _reach(resources: Resources) -> None:
    """Open and end a transaction."""
    async with resources.connections.system("asks whether the database answers"):
        pass


def private_app(resources: Resources, routes: list[BaseRoute]) -> Starlette:
    """An application with `/health/*`, `/metrics` and `routes`, for loopback or the inner network only."""

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(_request: Request) -> Response:
        database = await _holds("database", partial(_reach, resources))
        redis = await _holds("redis", resources.redis.ping)
        status = ("ready" if redis else "degraded") if database else "unready"
        return JSONResponse(
            {"status": status, "database": database, "redis": redis}, 200 if database else 503
        )

    async def db(_request: Request) -> Response:
        return JSONResponse(
            {
                **resources.connections.pool_status().as_dict(),
                "everyday": resources.database.pool_status().as_dict(),
            }
        )

    async def keys(request: Request) -> Response:
        """Whether this process has taken the key file that has a key of this `name`."""
        is_taken = resources.keyring.publishes(request.query_params.get("name", ""))
        return JSONResponse({"status": "taken" if is_taken else "unknown"}, 200 if is_taken else 404)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = Starlette(
        routes=[
            Route("/health/live", live),
            Route("/health/ready", ready),
            Route("/health/db", db),
            Route("/health/keys", keys),
            Route("/metrics", metrics),
            *routes,
        ]
    )
    app.state.resources = resources
    problems.install(app)
    return app
