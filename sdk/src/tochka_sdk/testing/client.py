"""`ModuleClient`: drives a running module as the core, a buyer and an owner would, over its real ASGI
application.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from tochka_sdk.events import Envelope, InstallationRemoved
from tochka_sdk.middleware import DOOR, SESSION
from tochka_sdk.module import Module
from tochka_sdk.runtime import Runtime
from tochka_sdk.settings import ModuleSettings
from tochka_sdk.signing import FreshInstallation
from tochka_sdk.testing.platform import PlatformDouble
from tochka_sdk.tickets import Role

INTERNAL = "http://module.internal"


class ModuleClient:
    """A module under test.

    Args:
        app: the module's application, its lifespan running.
        platform: the core that it belongs to.
        base_url: the address of a real socket; without it requests go straight into the application.
    """

    def __init__(self, app: FastAPI, platform: PlatformDouble, *, base_url: str | None = None) -> None:
        self.app = app
        self.platform = platform
        self._transport = None if base_url else httpx.ASGITransport(app=app)
        self._base_url = base_url
        self.core = self._client(INTERNAL)

    @property
    def runtime(self) -> Runtime:
        """The parts of the running module."""
        found: Runtime = self.app.state.tochka
        return found

    def _client(self, url: str, **options: Any) -> httpx.AsyncClient:
        if self._base_url is None:
            return httpx.AsyncClient(transport=self._transport, base_url=url, **options)
        headers = {**options.pop("headers", {}), "Host": url.partition("://")[2]}
        return httpx.AsyncClient(base_url=self._base_url, headers=headers, **options)

    async def deliver(self, envelope: Envelope, **headers: str) -> httpx.Response:
        """One delivery of an event, signed now; `headers` replace those of the request (`webhook_id` for
        `webhook-id`).
        """
        signed, body = self.platform.sign(envelope)
        signed.update({name.replace("_", "-"): value for name, value in headers.items()})
        return await self.core.post(DOOR, content=body, headers=signed)

    async def install(
        self, installation: FreshInstallation | None = None, **options: Any
    ) -> FreshInstallation:
        """A live installation; `options` go to `PlatformDouble.requested`."""
        fresh = installation or FreshInstallation()
        answer = await self.deliver(self.platform.requested(fresh, **options))
        assert answer.status_code == 200, answer.text
        return fresh

    async def remove(self, installation: FreshInstallation) -> None:
        """Tell the module that the installation is gone."""
        gone = self.platform.record("installation.removed", InstallationRemoved(), installation)
        answer = await self.deliver(gone)
        assert answer.status_code == 200, answer.text

    def storefront(self, installation: FreshInstallation, **options: Any) -> httpx.AsyncClient:
        """A buyer's browser at the installation's host: keeps cookies, follows nothing by itself."""
        return self._client(installation.url, **options)

    @asynccontextmanager
    async def admin(
        self, installation: FreshInstallation, *, role: Role = "owner"
    ) -> AsyncIterator[httpx.AsyncClient]:
        """The browser of somebody who entered the admin by a ticket."""
        ticket = self.platform.ticket(installation, role=role)
        async with self._client(installation.url, headers={"Sec-Fetch-Site": "same-origin"}) as browser:
            panel = {"Sec-Fetch-Site": "cross-site"}
            answer = await browser.post(SESSION, data={"ticket": ticket}, headers=panel)
            assert answer.status_code == 303, answer.text
            yield browser

    async def aclose(self) -> None:
        """Close the core's client."""
        await self.core.aclose()


@asynccontextmanager
async def running_module(
    module: Module, settings: ModuleSettings, platform: PlatformDouble
) -> AsyncIterator[ModuleClient]:
    """The module, started as in production (role check, background work), stopped when the block ends."""
    app = module.asgi(settings)
    async with app.router.lifespan_context(app):
        client = ModuleClient(app, platform)
        try:
            yield client
        finally:
            await client.aclose()
