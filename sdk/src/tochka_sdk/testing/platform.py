"""`PlatformDouble`: a core of real keys behind a real socket, whose events and licenses the test decides."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import uvicorn
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tochka_sdk import clock, core_client, problems, tokens
from tochka_sdk.errors import NotFound
from tochka_sdk.events import Envelope, InstallationRequested
from tochka_sdk.license import Entitlement
from tochka_sdk.settings import ModuleSettings
from tochka_sdk.signing import FreshInstallation, PlatformSigner

ISSUER = "http://localhost:8080"
NOWHERE = "http://127.0.0.1:1"


class _Announcing(uvicorn.Server):
    """uvicorn that says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI application, whose lifespan is the caller's, on a free port of loopback; gives its
    address.
    """
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        server = _Announcing(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        task = asyncio.create_task(server.serve(sockets=[port]))
        await server.is_up.wait()
        try:
            yield f"http://127.0.0.1:{port.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


class PlatformDouble(PlatformSigner):
    """The core as a module sees it.

    `history` are the events that `/module/events` knows, `licenses` the tokens that `/module/licenses`
    hands out, `reports` what the module said by `ready` and `failed`, `calls` every request as (method,
    path). While `is_away`, every call is answered 503. A page of `/module/events` has `page` events.
    """

    def __init__(
        self,
        module_id: str,
        *,
        issuer: str = ISSUER,
        entitlements: Callable[[str], Mapping[str, Entitlement]] | None = None,
    ) -> None:
        super().__init__(module_id, issuer=issuer, entitlements=entitlements)
        self.module_key = tokens.generate_key()
        self.core_url = NOWHERE
        self.history: list[Envelope] = []
        self.licenses: dict[UUID, str] = {}
        self.reports: list[tuple[str, UUID, dict[str, Any]]] = []
        self.calls: list[tuple[str, str]] = []
        self.is_away = False
        self.page = 2  # short pages, so that tests turn them
        self.app = self._application()

    def settings(
        self, database_url: str, *, uploads_dir: Path | None = None, **changes: Any
    ) -> ModuleSettings:
        """Settings for a module that belongs to this core."""
        given: dict[str, Any] = {
            "environment": "test",
            "database_url": database_url,
            "core_url": self.core_url,
            "issuer": self.issuer,
            "core_jwks": orjson.dumps(self.jwks()).decode(),
            "private_key": orjson.dumps(self.module_key.as_dict(private=True)).decode(),
            "log_json": False,
        }
        if uploads_dir is not None:
            given["uploads_dir"] = uploads_dir
        return ModuleSettings(**{**given, **changes})

    def record(self, type: str, body: BaseModel, installation: FreshInstallation, **options: Any) -> Envelope:
        """An event that happened: it can be delivered, and `/module/events` knows it."""
        envelope = self.event(type, body, installation, **options)
        self.history.append(envelope)
        return envelope

    def requested(self, installation: FreshInstallation, **options: Any) -> Envelope:
        """The event `installation.requested`; `license` among the options replaces the usual one."""
        token = options.pop("license", None) or self.license(installation)
        body = InstallationRequested(
            module=self.module_id,
            host=installation.host,
            url=installation.url,
            tenant_name=installation.tenant_name,
            locale=installation.locale,
            plan=installation.plan,
            license=token,
            deadline=clock.now() + timedelta(minutes=1),
        )
        return self.record("installation.requested", body, installation, **options)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Listen on a free port of loopback; the address is `core_url` until the block ends."""
        async with listening(self.app) as url:
            self.core_url = url
            try:
                yield url
            finally:
                self.core_url = NOWHERE

    def _application(self) -> Starlette:
        app = Starlette(
            routes=[
                Route("/.well-known/jwks.json", self._jwks),
                Route("/api/v1/module/licenses/{installation_id:uuid}", self._license),
                Route("/api/v1/module/events", self._events),
                Route(
                    "/api/v1/module/installations/{installation_id:uuid}/{word}",
                    self._report,
                    methods=["POST"],
                ),
            ]
        )
        problems.install(app)
        return app

    def _seen(self, request: Request) -> Response | None:
        self.calls.append((request.method, request.url.path))
        return JSONResponse({"status": 503, "code": "request.unavailable"}, 503) if self.is_away else None

    def _signed_by_module(self, request: Request) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        jwks = {"keys": [tokens.public_jwk(self.module_key)]}
        tokens.decode(token, jwks, typ=core_client.TYP, issuer=self.module_id, audience=self.issuer)

    async def _jwks(self, request: Request) -> Response:
        return self._seen(request) or JSONResponse(self.jwks())

    async def _license(self, request: Request) -> Response:
        away = self._seen(request)
        self._signed_by_module(request)
        token = self.licenses.get(request.path_params["installation_id"])
        if token is None:
            raise NotFound("There is no such installation.")
        return away or JSONResponse({"license": token})

    async def _events(self, request: Request) -> Response:
        away = self._seen(request)
        self._signed_by_module(request)
        tenant, after = request.query_params.get("tenant_id"), int(request.query_params["after"])
        if tenant is not None:
            numbered = [(item.sequence, item) for item in self.history if item.tenant_id == UUID(tenant)]
        else:
            numbered = list(enumerate(self.history, 1))
        later = sorted((one for one in numbered if one[0] > after), key=lambda one: one[0])
        page = later[: self.page]
        cursor = str(page[-1][0]) if page else str(after)
        items = [orjson.loads(item.to_bytes()) for _, item in page]
        following = cursor if len(later) > len(page) else None
        return away or JSONResponse({"items": items, "next_cursor": following, "cursor": cursor})

    async def _report(self, request: Request) -> Response:
        away = self._seen(request)
        self._signed_by_module(request)
        word, installation_id = request.path_params["word"], request.path_params["installation_id"]
        self.reports.append((word, installation_id, await request.json()))
        return away or Response(status_code=204)
