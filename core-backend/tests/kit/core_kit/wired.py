"""A core whose every statement passes over a wire that tests can read and cut."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tochka_stack.testing import ScratchDatabase

from core_kit.modules import ScriptedModule, registered_module
from core_kit.people import Owner, sign_up
from core_kit.running import RunningCore, core_settings, run_core
from core_kit.wire import Wire, wire_to


@dataclass(frozen=True)
class Wired:
    """Such an instance, somebody with a fresh tenant on it, and a fresh module."""

    core: RunningCore
    wire: Wire
    owner: Owner
    module: ScriptedModule


@asynccontextmanager
async def wired_core(database: ScratchDatabase, redis_url: str, **overrides: object) -> AsyncIterator[Wired]:
    """One more instance on a database, both of its roles by way of one wire."""
    app, jobs = database.dsn("tochka_app"), database.dsn("tochka_jobs")
    async with wire_to(app) as wire:
        urls = {"database_url": wire.dsn(app), "jobs_database_url": wire.dsn(jobs)}
        settings = core_settings(database, redis_url, **urls, **overrides)
        async with run_core(settings) as core, registered_module(core.resources, core.jobs) as module:
            owner = await sign_up(core.url)
            yield Wired(core, wire, owner, module)
            await owner.client.aclose()
