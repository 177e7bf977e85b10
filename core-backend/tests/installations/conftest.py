"""A core whose every statement passes over a wire that tests can read and cut."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from core_kit.modules import ScriptedModule, registered_module
from core_kit.people import Owner, sign_up
from core_kit.running import RunningCore, core_settings, run_core
from core_kit.wire import Wire, wire_to
from tochka_stack.testing import ScratchDatabase


@dataclass(frozen=True)
class Wired:
    """An instance on the shared database whose requests go over `wire`."""

    core: RunningCore
    wire: Wire
    owner: Owner
    module: ScriptedModule


@pytest.fixture
async def wired(core_database: ScratchDatabase, redis_url: str) -> AsyncIterator[Wired]:
    """Somebody with a fresh tenant, on such a core."""
    dsn = core_database.dsn("tochka_app")
    async with wire_to(dsn) as wire:
        settings = core_settings(core_database, redis_url, database_url=wire.dsn(dsn))
        async with (
            run_core(settings) as core,
            registered_module(core.resources, core.jobs) as module,
        ):
            owner = await sign_up(core.url)
            yield Wired(core, wire, owner, module)
            await owner.client.aclose()
