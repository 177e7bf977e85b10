"""Working beside a running stack: the same wiring, the same ports, nothing started and nothing stopped."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from tochka_stack.console import Progress
from tochka_stack.data_dir import STARTED_WITH, DataDir
from tochka_stack.engine_room import EngineRoom
from tochka_stack.refusals import NotRunning
from tochka_stack.settings import StackSettings
from tochka_stack.supervisor import Supervisor
from tochka_stack.up import Stack
from tochka_stack.wiring import Wiring


def running_stack(settings: StackSettings, progress: Progress) -> Stack:
    """The stack that runs in the data directory. Raises NotRunning."""
    data_dir = DataDir(settings.data_dir)
    if not data_dir.is_locked():
        raise NotRunning(f"Nothing runs in {settings.data_dir}: start it with `tochka up`.")
    settings = replace(settings, **data_dir.read(STARTED_WITH))
    ports = {name: int(port) for name, port in data_dir.read("ports.json").items()}
    engines = EngineRoom(settings, data_dir, ports)
    wiring = Wiring(settings, data_dir, ports, engines.admin_dsn, engines.redis_url)
    return Stack(settings, data_dir, progress, Supervisor(data_dir, progress), engines, wiring)


def do_beside(
    settings: StackSettings, progress: Progress, work: Callable[[Stack], Awaitable[object]]
) -> None:
    """Run one piece of work beside the running stack."""

    async def run() -> None:
        async with progress:
            await work(running_stack(settings, progress))

    asyncio.run(run())
