"""The addresses by which the platform reaches a module: the one door, the manifest, the health check."""

from http import HTTPStatus

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tochka_sdk import logs, receiving
from tochka_sdk.errors import Unavailable
from tochka_sdk.middleware import DOOR, HEALTH, MANIFEST
from tochka_sdk.problems import Problem
from tochka_sdk.repository import Streams
from tochka_sdk.runtime import runtime_of

_log = logs.get_logger(__name__)


def _json(content: object, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


async def webhooks(request: Request) -> Response:
    """`POST /_tochka/webhooks`: verified before it is read, then its effect, then the answer."""
    runtime = runtime_of(request)
    body = await receiving.body_of(request)
    await runtime.keys.verify_webhook(request.headers, body)
    envelope = receiving.read(body, request.headers)
    outcome = await runtime.intake.process(envelope)
    _log.info("event", event_id=envelope.id, type=envelope.type, outcome=outcome.word)
    if outcome.status >= 400:
        return _refused_before(outcome.status)
    return _json({"status": outcome.word}, outcome.status)


def _refused_before(status: int) -> Response:
    """The final no that an earlier delivery of the same event got."""
    phrase = HTTPStatus(status).phrase
    return Problem(status, "events.refused_before", phrase, "This event was refused before.").response()


async def manifest(request: Request) -> Response:
    """`GET /.well-known/tochka-module.json`: the manifest, with the address at which this process is
    reached.
    """
    runtime = runtime_of(request)
    document = runtime.manifest.model_dump(mode="json")
    document["endpoints"]["base_url"] = runtime.settings.public_base
    return _json(document)


async def health(request: Request) -> Response:
    """`GET /_tochka/health`: 200 when the database answers, else 503; how many tenants' events have holes."""
    runtime = runtime_of(request)
    state = {"module": runtime.module_id, "version": runtime.manifest.version}
    try:
        async with runtime.database.system("shows that the database answers") as session:
            behind = await Streams(session).count_behind()
            pool = runtime.database.pool_status().as_dict()
    except Unavailable as error:
        return _json({"status": "unavailable", **state, "checks": {"database": error.code}}, 503)
    checks, events_behind = {"database": "ok"}, {"streams_behind": behind}
    return _json({"status": "ok", **state, "checks": checks, "pool": pool, "events": events_behind})


ROUTES = (
    Route(DOOR, webhooks, methods=["POST"]),
    Route(MANIFEST, manifest, methods=["GET"]),
    Route(HEALTH, health, methods=["GET"]),
)
