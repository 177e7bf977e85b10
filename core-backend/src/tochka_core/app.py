"""Composition root: the only file that knows all slices."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import Depends, FastAPI
from pydantic import SecretStr
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from tochka_sdk import problems
from tochka_sdk.db import Connections, Database
from tochka_sdk.requests import BodyLimit, RequestContext, SecurityHeaders, require_json
from tochka_sdk.webhooks import public_key_of

from tochka_core import docs, faults
from tochka_core.accounts import api as accounts
from tochka_core.catalogue import api as catalogue
from tochka_core.domains import api as domains
from tochka_core.health import private_app
from tochka_core.installations import api as installations
from tochka_core.keyring import Keyring
from tochka_core.openapi import DescribedApi
from tochka_core.resources import Addresses, Resources
from tochka_core.settings import Settings
from tochka_core.signup import api as signup
from tochka_core.subscriptions import api as subscriptions
from tochka_core.tenants import api as tenants
from tochka_core.webhooks import api as webhooks

PREFIX = "/api/v1"
MAX_BODY_BYTES = 256 * 1024
API_CSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
ALLOWED_HEADERS = ("Content-Type", "Authorization", "X-Request-ID", "X-Tenant-ID", "Idempotency-Key")


@asynccontextmanager
async def open_resources(
    settings: Settings, *, database_url: SecretStr, name: str
) -> AsyncIterator[Resources]:
    """Open what a process holds for its whole life, as the role in `database_url`, and close it at the end.

    Raises if that role could bypass row-level security.
    """
    url = database_url.get_secret_value()
    database = Database(url, pool_size=settings.pool_size, application_name=name)
    connections = Connections(url, size=settings.pool_size, application_name=name)
    redis: Redis = Redis.from_url(
        settings.redis_url.get_secret_value(),
        decode_responses=True,
        socket_timeout=2.0,
        socket_connect_timeout=2.0,
        health_check_interval=15,
    )
    webhook_key = settings.webhook_key.get_secret_value()
    try:
        await connections.check_role()
        yield Resources(
            database=database,
            connections=connections,
            redis=redis,
            keyring=Keyring.of(settings, webhook_public=public_key_of(webhook_key)),
            addresses=_addresses(settings),
            limits=settings.limits,
            dev_inbox=settings.dev_inbox,
            activation_deadline=timedelta(seconds=settings.activation_deadline_s),
        )
    finally:
        await redis.aclose()
        await connections.close()
        await database.close()


def _addresses(settings: Settings) -> Addresses:
    return Addresses(
        public_url=settings.public_url.rstrip("/"),
        issuer=settings.token_issuer.rstrip("/"),
        storefront_domain=settings.storefront_domain,
        storefront_scheme=settings.storefront_scheme,
        storefront_port_suffix=settings.storefront_port_suffix,
    )


def create_app(settings: Settings, resources: Resources | None = None) -> FastAPI:
    """The public application: `/api/v1`, `/.well-known`, `/docs`, and `/dev` where it is switched on.

    Without `resources` it can describe itself (OpenAPI) but serve nothing.
    """
    app = DescribedApi(
        title="Tochka Rosta",
        version="1",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(require_json)],
    )
    app.state.resources = resources
    if resources is not None:
        accounts.warn_without_channels(resources)
    for slice_api in (signup, accounts, tenants, catalogue, domains, subscriptions, installations, webhooks):
        app.include_router(slice_api.router, prefix=PREFIX)
    if settings.dev_inbox:
        app.include_router(accounts.dev_router)
    app.router.routes.extend((*accounts.jwks_routes, *docs.ROUTES))
    problems.install(app)
    faults.install(app)
    _wrap(app, settings)
    return app


def _wrap(app: FastAPI, settings: Settings) -> None:
    """Put the middleware on, innermost first."""
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=list(ALLOWED_HEADERS),
            expose_headers=["X-Request-ID", "Retry-After"],
            max_age=600,
        )
    app.add_middleware(SecurityHeaders, csp=API_CSP)
    app.add_middleware(RequestContext)


def create_private_app(resources: Resources) -> Starlette:
    """The private application of the web process: health, metrics, the gateway's questions."""
    return private_app(resources, [*domains.private_routes])
