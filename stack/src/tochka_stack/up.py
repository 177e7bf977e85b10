"""`tochka up`: everything on one machine, from an empty directory to printed addresses, and down again."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from tochka_stack.console import Progress
from tochka_stack.data_dir import STARTED_WITH, DataDir
from tochka_stack.engine_room import POSTGRES, REDIS, EngineRoom, clear_leftovers
from tochka_stack.ports import require
from tochka_stack.refusals import ChildFailed, PortTaken, Refusal
from tochka_stack.revisions import Migrated
from tochka_stack.settings import StackSettings
from tochka_stack.supervisor import Supervisor
from tochka_stack.wiring import Migration, Wiring

ATTEMPTS = 3
HARDLY_ANY_MB = 32  # PostgreSQL writes its log 16 MB at a time
REGISTERED = "registered.json"
STOP_ORDER = (["gateway"], ["core-web", "core-worker", "shop"], [REDIS, POSTGRES])


@dataclass(frozen=True)
class Stack:
    """One start of the stack, from the lock on."""

    settings: StackSettings
    data_dir: DataDir
    progress: Progress
    supervisor: Supervisor
    engines: EngineRoom
    wiring: Wiring

    async def start_engines(self) -> bool:
        """PostgreSQL and Redis at the same time, then databases and roles; whether any were missing."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.engines.check_external())
            for part in (self.engines.postgres_part(), self.engines.redis_part()):
                if part is not None:
                    group.create_task(self.supervisor.start(part))
        return await self.engines.make_databases(self.wiring)

    async def migrate(self, *, only_if_needed: bool = False) -> None:
        """Bring both databases to their newest revision."""
        async with asyncio.TaskGroup() as group:
            for migration in self.wiring.migrations():
                group.create_task(self._migrate(migration, only_if_needed))

    async def seed(self, *, quiet: bool = False) -> None:
        """Enter the modules that come with the stack in the catalogue."""
        command = await asyncio.to_thread(self.wiring.register_shop)
        await self.supervisor.run_once("core-register", "Catalogue", command, quiet=quiet)
        self.data_dir.write(REGISTERED, {"shop": self.wiring.shop_url})

    @property
    def is_seeded(self) -> bool:
        """Whether the catalogue already leads to our modules."""
        return self.data_dir.read(REGISTERED) == {"shop": self.wiring.shop_url}

    async def start_services(self, *, seed: bool) -> None:
        """Core, worker, shop and gateway at the same time; the catalogue as soon as the shop answers."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._start_shop(seed))
            for part in (self.wiring.core_web(), self.wiring.core_worker(), self.wiring.gateway()):
                group.create_task(self.supervisor.start(part))

    async def stop(self) -> None:
        """Everything down, the door first and the engines last."""
        await self.supervisor.stop(*STOP_ORDER)

    async def _migrate(self, migration: Migration, only_if_needed: bool) -> None:
        migrated = Migrated(self.data_dir, migration.database, migration.folders)
        if only_if_needed and await migrated.is_current(migration.owner_dsn):
            return
        await migrated.require_known(migration.owner_dsn)
        await self.supervisor.run_once(migration.name, migration.title, migration.command)
        await migrated.write_down(migration.owner_dsn)

    async def _start_shop(self, seed: bool) -> None:
        await self.supervisor.start(self.wiring.shop())
        if seed:
            await self.seed()


def run(settings: StackSettings, progress: Progress) -> None:
    """Start everything and keep it running until SIGINT, SIGTERM or SIGHUP. Raises a Refusal."""
    with prepared(settings) as data_dir:
        require(settings.port, settings.host)  # only now: what a killed start left behind is gone
        asyncio.run(_serve(settings, data_dir, progress))


def run_migrations(settings: StackSettings, progress: Progress) -> None:
    """`tochka migrate`: engines up, both databases brought up to date, engines down."""
    with prepared(settings) as data_dir:
        asyncio.run(_migrate(settings, data_dir, progress))


async def _migrate(settings: StackSettings, data_dir: DataDir, progress: Progress) -> None:
    async with _stack(settings, data_dir, progress) as stack, progress:
        await stack.start_engines()
        await stack.migrate()


async def _serve(settings: StackSettings, data_dir: DataDir, progress: Progress) -> None:
    """Serve until a signal comes. Internal ports that were lost to somebody else are chosen anew."""
    stop = asyncio.Event()
    for attempts_left in reversed(range(ATTEMPTS)):
        try:
            await _serve_once(settings, data_dir, progress, stop)
        except PortTaken as taken:
            if taken.port == settings.port or not attempts_left:
                raise
            progress.say(f"{taken} Starting again with another one.", style="yellow")
        else:
            break
    progress.say("Stopped.")


async def _serve_once(
    settings: StackSettings, data_dir: DataDir, progress: Progress, stop: asyncio.Event
) -> None:
    async with _stack(settings, data_dir, progress) as stack:
        _on_signals(stop, stack.supervisor)
        boot = asyncio.create_task(_boot(stack))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({boot, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not boot.done():
            boot.cancel()
            await asyncio.wait({boot})
        elif error := boot.exception():
            stopped.cancel()
            raise error
        await stopped
        progress.say("Stopping …")


async def _boot(stack: Stack) -> None:
    began = asyncio.get_running_loop().time()
    async with stack.progress:
        is_new = await stack.start_engines()
        await stack.migrate(only_if_needed=not is_new)
        is_new = is_new or not stack.is_seeded
        await stack.start_services(seed=is_new)
    seconds = asyncio.get_running_loop().time() - began
    stack.progress.say(f"Ready after {seconds:.1f} s. Ctrl-C stops everything.", style="bold green")
    stack.progress.addresses(addresses(stack.settings))
    if not is_new:
        await _refresh_catalogue(stack)


async def _refresh_catalogue(stack: Stack) -> None:
    """Let the catalogue know what a newer version of a module says about itself; nobody waits for that."""
    try:
        await stack.seed(quiet=True)
    except Refusal as refusal:
        stack.progress.say(f"The catalogue was not brought up to date. {refusal}", style="yellow")


def addresses(settings: StackSettings) -> Iterator[tuple[str, str]]:
    """What can be opened in a browser now."""
    yield "Panel", f"{settings.public_url}/"
    yield "API", f"{settings.public_url}/docs"
    if settings.has_inbox:
        yield "Inbox", f"{settings.public_url}/dev/inbox"
    yield "Storefronts", settings.storefront_pattern


@asynccontextmanager
async def _stack(settings: StackSettings, data_dir: DataDir, progress: Progress) -> AsyncIterator[Stack]:
    """A stack whose processes are all gone at the end, whatever happened; one failure stands for several."""
    ports = await asyncio.to_thread(data_dir.ports)
    for path in await asyncio.to_thread(data_dir.ensure_secrets):
        progress.say(f"{path} could be read by others until now: it is for its owner alone again.", "yellow")
    data_dir.write(STARTED_WITH, settings.choices())
    engines = EngineRoom(settings, data_dir, ports)
    if engines.has_embedded:
        data_dir.check_space(settings.min_free_mb, engines.folder)
        _say_where(engines, progress)
    wiring = Wiring(settings, data_dir, ports, engines.admin_dsn, engines.redis_url)
    supervisor = Supervisor(data_dir, progress, hung_after=settings.hung_after)
    stack = Stack(settings, data_dir, progress, supervisor, engines, wiring)
    try:
        yield stack
    except BaseException as error:
        first = _first(error)
        if isinstance(first, ChildFailed):  # which seldom says that a full disk was the reason
            data_dir.check_space(HARDLY_ANY_MB, engines.folder)
        raise first from None
    finally:
        await stack.stop()


def _say_where(engines: EngineRoom, progress: Progress) -> None:
    folder, root = engines.folder, engines.data_dir.root
    if not engines.account.is_current:
        progress.say(f"PostgreSQL and Redis run as the user {engines.account.name}, since we are root.")
    if root not in folder.parents:
        progress.say(f"That user cannot reach {root}: the databases lie in {folder}.")


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _on_signals(stop: asyncio.Event, supervisor: Supervisor) -> None:
    """The first signal stops everything in order, a second one at once."""

    def signalled() -> None:
        if stop.is_set():
            supervisor.kill()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, signalled)


@contextmanager
def prepared(settings: StackSettings) -> Iterator[DataDir]:
    """A usable, locked data directory, in which nothing runs any more."""
    os.umask(0o077)
    data_dir = DataDir(settings.data_dir)
    data_dir.open()
    with data_dir.lock():
        clear_leftovers(data_dir)
        data_dir.check_space(settings.min_free_mb)
        yield data_dir
