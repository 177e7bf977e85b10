"""`Module`: one value that says what a module is; `asgi(settings)` makes a running application of it.

module = Module(id="shop", manifest=Path(__file__).parent / "tochka-module.json", routers=[storefront, admin])

@module.on("installation.requested")
async def provision(event: Event[InstallationRequested], session: AsyncSession) -> None:
await service.open_shop(session, event.data)
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from fastapi import APIRouter, FastAPI

from tochka_sdk import admin, door, pages, problems
from tochka_sdk import manifest as manifests
from tochka_sdk.admin import AdminUser, SignedInAdmin
from tochka_sdk.background import Background, Rhythm
from tochka_sdk.core_client import CoreClient
from tochka_sdk.db import Database
from tochka_sdk.dependencies import CurrentInstallation, InstallationSession
from tochka_sdk.events import EVENTS
from tochka_sdk.handlers import Accepted, Event, Handler
from tochka_sdk.hosts import HostMap
from tochka_sdk.installations import HeldLicense, Installation, current_installation, serving
from tochka_sdk.intake import Intake
from tochka_sdk.keys import PlatformKeys
from tochka_sdk.manifest import Manifest
from tochka_sdk.middleware import HEALTH, InstallationMiddleware
from tochka_sdk.problems import Page
from tochka_sdk.repository import check_tables
from tochka_sdk.requests import MEBIBYTE, BodyLimit, RequestContext, SecurityHeaders
from tochka_sdk.runtime import Runtime
from tochka_sdk.settings import ModuleSettings

__all__ = [
    "Accepted",
    "AdminUser",
    "CurrentInstallation",
    "Event",
    "HeldLicense",
    "Installation",
    "InstallationSession",
    "Module",
    "SignedInAdmin",
    "current_installation",
    "serving",
]

CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
_HandlerT = TypeVar("_HandlerT", bound=Callable[..., Any])


@dataclass(frozen=True)
class Module:
    """What a module is.

    Args:
        id: the module's id, the same as in the manifest.
        manifest: the manifest as a mapping, or the path of its JSON file.
        routers: FastAPI routers, mounted under `public_prefix`.
        build: called with the application for whatever routers cannot say (static files, exception pages).
        public_prefix: where the routers are mounted; empty is the root of the host.
        admin_path: where a session begins; the manifest's when empty.
        page: what a browser sees instead of problem+json; the SDK's own small page when it returns None.
        csp: the Content-Security-Policy of answers that set none.
        max_body: the largest request body in bytes; `body_limits` gives others by path prefix.
        rhythm: how often background work is looked for.

    Raises:
        tochka_sdk.manifest.ManifestInvalid: the manifest does not keep the contract.
        ValueError: the manifest is another module's.
    """

    id: str
    manifest: Mapping[str, Any] | Path
    routers: Sequence[APIRouter] = ()
    build: Callable[[FastAPI], None] | None = None
    public_prefix: str = ""
    admin_path: str = ""
    page: Page | None = None
    csp: str | None = CSP
    max_body: int = MEBIBYTE
    body_limits: Mapping[str, int] = field(default_factory=dict)
    rhythm: Rhythm = field(default_factory=Rhythm)
    _handlers: dict[str, Handler] = field(default_factory=dict, init=False, repr=False)
    _parsed: list[Manifest] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        document = self.manifest
        if isinstance(document, Path):
            document = json.loads(document.read_text("utf-8"))
        parsed = manifests.parse(document)
        if parsed.id != self.id:
            raise ValueError(f"the manifest is that of {parsed.id}, not of {self.id}")
        self._parsed.append(parsed)

    @property
    def described(self) -> Manifest:
        """The manifest, parsed."""
        return self._parsed[0]

    def on(self, event_type: str) -> Callable[[_HandlerT], _HandlerT]:
        """Register the handler of an event type; see `tochka_sdk.handlers.Handler` for what it gets.

        A handler that raises a 409 or 422 `DomainError` gives the platform a final no; any other exception
        stores nothing and the event comes again. Returning `Accepted()` means «working on it».

        Raises:
            ValueError: there is no such event, or it has a handler already.
        """
        if event_type not in EVENTS:
            raise ValueError(f"no such event: {event_type}")
        if event_type in self._handlers:
            raise ValueError(f"{event_type} has a handler already")

        def register(handler: _HandlerT) -> _HandlerT:
            self._handlers[event_type] = handler
            return handler

        return register

    def asgi(self, settings: ModuleSettings) -> FastAPI:
        """The application: routers, the platform's addresses, middleware, and a lifespan that does the rest.

        `app.state.tochka` is its `Runtime` from the start of the lifespan to its end. The start fails when
        the database is away, its role can bypass row-level security, or the SDK's tables are outdated.
        """
        page: Page = partial(_page, self.page, settings.issuer)
        app = FastAPI(
            title=self.described.name.en,
            version=self.described.version,
            openapi_url=None,
            lifespan=partial(_lifespan, self, settings),
            routes=[*door.ROUTES, *admin.ROUTES],
        )
        for router in self.routers:
            app.include_router(router, prefix=self.public_prefix)
        if self.build is not None:
            self.build(app)
        problems.install(app, page=page)
        app.add_middleware(InstallationMiddleware, page=page)
        app.add_middleware(BodyLimit, max_bytes=self.max_body, overrides=self.body_limits)
        app.add_middleware(SecurityHeaders, csp=self.csp)
        app.add_middleware(RequestContext, quiet=frozenset({HEALTH}))
        return app


def _page(own: Page | None, panel_url: str, request: Any, problem: Any) -> Any:
    """The module's own page for a problem, else the SDK's."""
    shown = own(request, problem) if own is not None else None
    return shown or pages.problem_page(request, problem, panel_url=panel_url)


@asynccontextmanager
async def _lifespan(module: Module, settings: ModuleSettings, app: FastAPI) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        runtime = await _start(module, settings, stack)
        app.state.tochka = runtime
        work = asyncio.create_task(Background(runtime, module.rhythm).run(), name=f"{module.id}-background")
        stack.push_async_callback(_stop, work)
        yield


async def _start(module: Module, settings: ModuleSettings, stack: AsyncExitStack) -> Runtime:
    dsn = settings.database_url.get_secret_value()
    database = Database(
        dsn,
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        application_name=f"tochka-{module.id}",
        pgbouncer=settings.pgbouncer,
    )
    stack.push_async_callback(database.close)
    await database.check_role()
    async with database.system("looks whether the SDK's tables are up to date") as session:
        await check_tables(session)
    core = CoreClient(settings.core_url, module_id=module.id, key=settings.key, issuer=settings.issuer)
    stack.push_async_callback(core.close)
    keys = PlatformKeys(core, module_id=module.id, issuer=settings.issuer, jwks=settings.jwks)
    hosts = HostMap(database, dsn, listens=not settings.pgbouncer)
    handlers = dict(module._handlers)
    intake = Intake(
        module_id=module.id, database=database, core=core, keys=keys, hosts=hosts, handlers=handlers
    )
    return Runtime(
        module_id=module.id,
        manifest=module.described,
        admin_path=module.admin_path or module.described.admin_path,
        settings=settings,
        database=database,
        core=core,
        keys=keys,
        hosts=hosts,
        intake=intake,
    )


async def _stop(work: asyncio.Task[None]) -> None:
    """End background work and wait until it has ended."""
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
