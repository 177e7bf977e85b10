"""The test kit: plays the core with real keys, and drives a module as the core, a buyer and an owner would.

In a module's `conftest.py`::

    pytest_plugins = ["tochka_sdk.testing.plugin"]

    @pytest.fixture(scope="session")
    def module_under_test() -> Module: ...

    @pytest.fixture(scope="session")
    async def module_dsn(postgres) -> AsyncIterator[str]: ...  # a migrated database, as its app role

and tests get `platform`, `running`, `installation`, `stranger`, `storefront`, `admin`.
"""

from tochka_sdk.signing import FreshInstallation, PlatformSigner
from tochka_sdk.testing.client import ModuleClient, running_module
from tochka_sdk.testing.platform import PlatformDouble, listening

__all__ = [
    "FreshInstallation",
    "ModuleClient",
    "PlatformDouble",
    "PlatformSigner",
    "listening",
    "running_module",
]
