"""Keeps processes running: starts them, restarts the ones that die, and takes all of them down at the end."""

import asyncio
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from tochka_stack.child_logs import ChildLog, Entry
from tochka_stack.data_dir import DataDir, RunningProcess
from tochka_stack.parts import Part
from tochka_stack.processes import Command
from tochka_stack.refusals import ChildFailed, NoSpace

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STEADY_AFTER = 30.0
POLL = 0.03


class Reporter(Protocol):
    """Who tells the person at the terminal."""

    def starting(self, name: str, title: str) -> None:
        """A part is being started."""

    def ready(self, name: str, seconds: float) -> None:
        """A part is ready."""

    def died(self, name: str, how: str, delay: float, tail: Iterable[str]) -> None:
        """A part died and will be started again after `delay` seconds."""

    def important(self, entry: Entry) -> None:
        """A part logged a warning or worse."""


@dataclass
class _Running:
    part: Part
    log: ChildLog
    process: Process
    keeper: asyncio.Task[None] | None = None


@dataclass
class Supervisor:
    """The processes of one data directory."""

    data_dir: DataDir
    reporter: Reporter
    clock: Callable[[], float] = time.monotonic
    _running: dict[str, _Running] = field(default_factory=dict)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, part: Part) -> None:
        """Start a part and wait until it is ready. One that dies before that is a failure, not a restart."""
        self.reporter.starting(part.name, part.title)
        began = self.clock()
        log = ChildLog(part.name, self.data_dir.logs, self.reporter.important)
        process = await self._spawn(part, log)
        running = self._running[part.name] = _Running(part, log, process)
        self._write_down()
        await self._until_ready(running)
        self.reporter.ready(part.name, self.clock() - began)
        running.keeper = asyncio.create_task(self._keep(running))

    async def run_once(self, name: str, title: str, command: Command) -> str:
        """Run a command to its end; its last line. One that fails is a failure."""
        self.reporter.starting(name, title)
        began = self.clock()
        log = ChildLog(name, self.data_dir.logs, self.reporter.important)
        process = await _create(command)
        try:
            code, _ = await asyncio.gather(process.wait(), _follow(process, log))
        except asyncio.CancelledError:
            await _stop(process, command, patience=10.0)
            raise
        finally:
            log.close()
        if code != 0:
            raise _failure(title, _how(code), log)
        self.reporter.ready(name, self.clock() - began)
        return log.tail[-1] if log.tail else ""

    async def stop(self, *orders: Iterable[str]) -> None:
        """Stop everything, the groups of names one after the other, whatever is not named first."""
        self._stopping.set()
        named = {name for names in orders for name in names}
        for names in ([name for name in self._running if name not in named], *orders):
            group = [self._running[name] for name in names if name in self._running]
            await asyncio.gather(*(self._stop(running) for running in group))
        self._running.clear()
        self._write_down()

    async def _spawn(self, part: Part, log: ChildLog) -> Process:
        await asyncio.to_thread(part.prepare)
        process = await _create(part.command())
        task = asyncio.create_task(_follow(process, log))
        _followers.add(task)
        task.add_done_callback(_followers.discard)
        return process

    async def _until_ready(self, running: _Running) -> None:
        part, deadline = running.part, self.clock() + running.part.start_patience
        while not await part.is_ready():
            if running.process.returncode is not None:
                await asyncio.sleep(POLL)  # its last words are still on their way
                raise _failure(part.title, _how(running.process.returncode), running.log)
            if self.clock() > deadline:
                raise _failure(part.title, f"was not ready within {part.start_patience:.0f} s", running.log)
            await asyncio.sleep(POLL)

    async def _keep(self, running: _Running) -> None:
        """Start it again whenever it dies: at once at first, then ever more slowly while it keeps dying."""
        part, delay, born = running.part, FIRST_DELAY, self.clock()
        while True:
            code = await running.process.wait()
            if self._stopping.is_set():
                return
            lived = self.clock() - born
            delay = FIRST_DELAY if lived > STEADY_AFTER else delay
            self.reporter.died(part.name, _how(code), delay, tuple(running.log.tail))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
                return
            delay = min(delay * 2, LONGEST_DELAY)
            born = self.clock()
            self.reporter.starting(part.name, part.title)
            try:
                running.process = await self._spawn(part, running.log)
                self._write_down()
                await self._until_ready(running)
            except (ChildFailed, NoSpace, OSError) as error:
                running.log.add(f"start failed: {error}")
                await _stop(running.process, part.command(), part.stop_patience)
                continue
            self.reporter.ready(part.name, self.clock() - born)

    async def _stop(self, running: _Running) -> None:
        keeper = running.keeper
        await _stop(running.process, running.part.command(), running.part.stop_patience)
        if keeper is not None:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
        await _stop(running.process, running.part.command(), running.part.stop_patience)  # one just restarted
        running.log.close()

    def _write_down(self) -> None:
        records = {}
        for name, running in self._running.items():
            with suppress(Exception):
                records[name] = RunningProcess.of(running.process.pid)
        self.data_dir.record(records)
