"""Fixtures of the test kit; the module's own `conftest.py` gives `module_under_test` and `module_dsn`.

In the `conftest.py` of the root: `pytest_plugins = ["tochka_sdk.testing.plugin"]`. In one further down, where
pytest takes no plugins: import the fixtures by name.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tochka_sdk import logs
from tochka_sdk.module import Module
from tochka_sdk.settings import ModuleSettings
from tochka_sdk.signing import FreshInstallation
from tochka_sdk.testing.client import ModuleClient, running_module
from tochka_sdk.testing.platform import PlatformDouble


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Logs as in production: rendering a trace for a terminal takes seconds."""
    logs.configure("tests", json=True)


@pytest.fixture(scope="session")
async def platform(module_under_test: Module, anyio_backend: object) -> AsyncIterator[PlatformDouble]:
    """The core that the module belongs to, behind a real socket. Plans grant what the manifest suggests."""
    granted = module_under_test.described.entitlements_of
    double = PlatformDouble(module_under_test.id, entitlements=granted)
    async with double.serve():
        yield double


@pytest.fixture(scope="session")
def module_settings(
    platform: PlatformDouble, module_dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> ModuleSettings:
    """The settings that the module runs with; uploads go to a temporary folder."""
    uploads: Path = tmp_path_factory.mktemp("uploads")
    return platform.settings(module_dsn, uploads_dir=uploads)


@pytest.fixture(scope="session")
async def running(
    module_under_test: Module, module_settings: ModuleSettings, platform: PlatformDouble
) -> AsyncIterator[ModuleClient]:
    """The running module."""
    async with running_module(module_under_test, module_settings, platform) as client:
        yield client


@pytest.fixture
async def installation(running: ModuleClient) -> FreshInstallation:
    """A fresh live installation of a fresh tenant."""
    return await running.install()


@pytest.fixture
async def stranger(running: ModuleClient) -> FreshInstallation:
    """Another live installation, of another tenant, that must see nothing of the first."""
    return await running.install()


@pytest.fixture
async def storefront(
    running: ModuleClient, installation: FreshInstallation
) -> AsyncIterator[httpx.AsyncClient]:
    """A buyer's browser at the installation."""
    async with running.storefront(installation) as browser:
        yield browser


@pytest.fixture
async def admin(running: ModuleClient, installation: FreshInstallation) -> AsyncIterator[httpx.AsyncClient]:
    """The owner's browser, signed in to the installation's admin."""
    async with running.admin(installation) as browser:
        yield browser
