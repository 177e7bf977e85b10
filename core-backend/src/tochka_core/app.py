"""Composition root: the only file that knows all slices."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from fastapi import Depends, FastAPI
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.applications import Starlette
from tochka_sdk import problems
from tochka_sdk.db import Connections, Database
from tochka_sdk.requests import BodyLimit, RequestContext, SaidOnce, SecurityHeaders, require_json
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tochka_core import docs, faults
from tochka_core.accounts import api as accounts
from tochka_core.catalogue import api as catalogue
from tochka_core.channels.public import BotToken, ChannelPlan, GatewayToken, SmsRequest, open_channels
from tochka_core.cors import ExactCors
from tochka_core.domains import api as domains
from tochka_core.endpoints import api as endpoints
from tochka_core.gathering import GatheringRedis
from tochka_core.hashing import Hasher
from tochka_core.health import private_app
from tochka_core.installations import api as installations
from tochka_core.keyring import Keys
from tochka_core.limits import Limiter, RateLimits
from tochka_core.openapi import DescribedApi
from tochka_core.outbound.public import Gates, Policy, open_sender
from tochka_core.resources import Addresses, Resources
from tochka_core.settings import ChannelSettings, Settings
from tochka_core.signup import api as signup
from tochka_core.subscriptions import api as subscriptions
from tochka_core.tenants import api as tenants
from tochka_core.webhooks import api as webhooks

PREFIX = "/api/v1"
HSTS_S = 365 * 24 * 3600
API_CSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


@asynccontextmanager
async def open_resources(
    settings: Settings, *, database_url: SecretStr, name: str
) -> AsyncIterator[Resources]:
    """Open what a process holds for its whole life, as the role in `database_url`, and close it at the end.

    Raises if that role could bypass row-level security, or if the keys must not be used.
    """
    keys = Keys(settings)
    url = database_url.get_secret_value()
    database = Database(url, pool_size=settings.pool_size, application_name=name)
    connections = Connections(url, size=settings.pool_size, application_name=name)
    redis = _open_redis(settings)
    hasher = Hasher(settings.passwords)
    following = asyncio.create_task(keys.follow())
    try:
        await connections.check_role()
        policy = _outbound_policy(settings)
        async with (
            open_channels(
                channel_plan(settings), redis if settings.dev_inbox else None, Gates(redis)
            ) as channels,
            open_sender(policy) as sender,
        ):
            yield Resources(
                database=database,
                connections=connections,
                redis=redis,
                keys=keys,
                addresses=_addresses(settings),
                channels=channels,
                limiter=Limiter(redis, settings.quotas, relaxed=settings.limits == "relaxed"),
                quotas=settings.quotas,
                hasher=hasher,
                sender=sender,
                outbound_policy=policy,
                activation_deadline=timedelta(seconds=settings.activation_deadline_s),
                webhook_connections=settings.webhook_connections,
                deliveries_kept_months=settings.deliveries_kept_months,
            )
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        hasher.close()
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
        trusted_origins=frozenset(settings.cors_origins),
    )


def _open_redis(settings: Settings) -> "Redis":
    return GatheringRedis.from_url(
        settings.redis_url.get_secret_value(),
        decode_responses=True,
        socket_timeout=2.0,
        socket_connect_timeout=2.0,
        health_check_interval=15,
        # for a connection that broke meanwhile; else say at once that Redis is away
        retry=Retry(NoBackoff(), 1),
    )


def _outbound_policy(settings: Settings) -> Policy:
    return Policy(
        ports=frozenset(settings.webhook_ports),
        private_addresses=settings.webhook_private_addresses,
        denied_networks=settings.webhook_denied_networks,
    )


def channel_plan(settings: ChannelSettings) -> ChannelPlan:
    """What the settings say of channels."""
    gateway, sms = settings.telegram_gateway_token, None
    if settings.sms_url:
        sms = SmsRequest(
            url=settings.sms_url,
            headers={name: value.get_secret_value() for name, value in settings.sms_headers.items()},
            body=settings.sms_body,
            encoding=settings.sms_encoding,
            success=settings.sms_success,
        )
    return ChannelPlan(
        max_bot=_bot(
            settings.max_bot_token, settings.max_bot_name, settings.max_api_url, settings.max_webhook_secret
        ),
        telegram_bot=_bot(
            settings.telegram_bot_token,
            settings.telegram_bot_name,
            settings.telegram_api_url,
            settings.telegram_webhook_secret,
        ),
        telegram_gateway=GatewayToken(
            gateway.get_secret_value(), settings.telegram_gateway_url, settings.telegram_gateway_sender
        )
        if gateway
        else None,
        sms=sms,
    )


def _bot(token: SecretStr | None, name: str, api_url: str, secret: SecretStr | None) -> BotToken | None:
    if not token:
        return None
    return BotToken(
        token.get_secret_value(),
        name,
        api_url.rstrip("/"),
        secret.get_secret_value().encode() if secret else None,
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
        accounts.tell_of_channels(resources)
    for hot in (accounts.hot_router, tenants.hot_router):  # first: routes are looked through in their order
        app.include_router(hot, prefix=PREFIX)
    business = (catalogue, domains, subscriptions, installations, endpoints, webhooks)
    for slice_api in (signup, accounts, tenants, *business):
        app.include_router(slice_api.router, prefix=PREFIX)
    app.include_router(endpoints.types_router, prefix=PREFIX)
    if settings.dev_inbox:
        app.include_router(accounts.dev_router)
    app.router.routes.extend((*accounts.jwks_routes, *accounts.bot_routes, *docs.ROUTES))
    problems.install(app)
    faults.install(app)
    _wrap(app, settings, resources)
    return app


def _wrap(app: FastAPI, settings: Settings, resources: Resources | None) -> None:
    """Put the middleware on, innermost first."""
    quotas = settings.quotas
    app.add_middleware(BodyLimit, max_bytes=quotas.body_bytes, max_seconds=quotas.body_seconds)
    app.add_middleware(SaidOnce)
    if resources is not None:
        app.add_middleware(RateLimits, limiter=resources.limiter, prefix=PREFIX)
    if settings.cors_origins:
        app.add_middleware(ExactCors, origins=settings.cors_origins)
    hsts = HSTS_S if settings.is_secure else 0
    app.add_middleware(SecurityHeaders, csp=API_CSP, hsts=hsts, cache="no-store")
    app.add_middleware(RequestContext)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))


def create_private_app(resources: Resources) -> Starlette:
    """The private application of the web process: health, metrics, the gateway's questions."""
    return private_app(resources, [*domains.private_routes])
