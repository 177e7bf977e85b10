"""Keeps processes running: starts them, restarts the ones that die, and takes all of them down at the end."""

import asyncio
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import psutil

from tochka_stack.child_logs import ChildLog, Entry
from tochka_stack.children import Child
from tochka_stack.data_dir import DataDir, RunningProcess
from tochka_stack.parts import Part
from tochka_stack.processes import Command

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STEADY_AFTER = 30.0
POLL = 0.03
HUNG_AFTER = 60.0
MISSES = 3
LAST_CHANCE = 5.0


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
class _Kept:
    part: Part
    child: Child
    keeper: asyncio.Task[None] | None = None


@dataclass
class Supervisor:
    """The processes of one data directory."""

    data_dir: DataDir
    reporter: Reporter
    first_delay: float = FIRST_DELAY
    hung_after: float = HUNG_AFTER
    _kept: dict[str, _Kept] = field(default_factory=dict)

    async def start(self, part: Part) -> None:
        """Start a part and wait until it is ready. One that dies before that is a failure, not a restart."""
        self.reporter.starting(part.name, part.title)
        began = time.monotonic()
        log = self._log(part.name)
        try:
            kept = self._kept[part.name] = _Kept(part, await self._spawn(part, log))
        except BaseException:
            log.close()
            raise
        self._write_down()
        await self._until_ready(kept)
        self.reporter.ready(part.name, time.monotonic() - began)
        kept.keeper = asyncio.create_task(self._keep(kept))

    async def run_once(self, name: str, title: str, command: Command, *, quiet: bool = False) -> str:
        """Run a command to its end; its last line. One that fails is a failure."""
        if not quiet:
            self.reporter.starting(name, title)
        began = time.monotonic()
        log = self._log(name)
        child = await Child.spawn(command, log)
        try:
            how = await child.wait()
            if child.process.returncode != 0:
                raise child.failure(title, how)
        finally:
            await child.stop(patience=10.0)
            log.close()
        if not quiet:
            self.reporter.ready(name, time.monotonic() - began)
        return log.last_words()

    async def stop(self, *orders: Iterable[str]) -> None:
        """Stop everything: first what is not named, then the groups of names one after the other."""
        for kept in self._kept.values():
            if kept.keeper is not None:
                kept.keeper.cancel()
                with suppress(asyncio.CancelledError):
                    await kept.keeper
        named = {name for names in orders for name in names}
        for names in ([name for name in self._kept if name not in named], *orders):
            group = [self._kept[name] for name in names if name in self._kept]
            await asyncio.gather(*(kept.child.stop(kept.part.stop_patience) for kept in group))
        for kept in self._kept.values():
            kept.child.log.close()
        self._kept.clear()
        self._write_down()

    def kill(self) -> None:
        """End everything now; `stop` is already waiting for it."""
        for kept in self._kept.values():
            kept.child.kill()

    async def _keep(self, kept: _Kept) -> None:
        """Start it again whenever it dies: soon at first, then ever more slowly while it keeps dying."""
        delay, began = self.first_delay, time.monotonic()
        while True:
            how = await self._end_of(kept)
            if time.monotonic() - began > STEADY_AFTER:
                delay = self.first_delay
            self.reporter.died(kept.part.name, how, delay, tuple(kept.child.log.tail))
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)
            began = time.monotonic()
            await self._revive(kept)

    async def _end_of(self, kept: _Kept) -> str:
        """Wait until it dies, or hangs, which is made the same; how it ended."""
        end, hang = asyncio.create_task(kept.child.wait()), asyncio.create_task(self._hang_of(kept.part))
        try:
            await asyncio.wait({end, hang}, return_when=asyncio.FIRST_COMPLETED)
            if end.done():
                return await end
            await kept.child.stop(LAST_CHANCE)
            return f"has answered nothing for {self.hung_after:g} s and was stopped"
        finally:
            end.cancel()
            hang.cancel()

    async def _hang_of(self, part: Part) -> None:
        """Wait until it has said nothing for long, however often it was asked."""
        missed, heard = 0, time.monotonic()
        while missed < MISSES or time.monotonic() - heard < self.hung_after:
            await asyncio.sleep(self.hung_after / MISSES / 2)
            if await part.is_alive():
                missed, heard = 0, time.monotonic()
            else:
                missed += 1

    async def _revive(self, kept: _Kept) -> None:
        """Start it again; if that fails it is dead again, which `_keep` sees next."""
        self.reporter.starting(kept.part.name, kept.part.title)
        began = time.monotonic()
        try:
            kept.child = await self._spawn(kept.part, kept.child.log)
            with suppress(OSError):  # a full disk keeps the record from being true, not the part from running
                self._write_down()
            await self._until_ready(kept)
        except Exception as error:  # whatever it was: the next try may do better, giving up would not
            kept.child.log.add(str(error))
            await kept.child.stop(kept.part.stop_patience)
            return
        self.reporter.ready(kept.part.name, time.monotonic() - began)

    async def _spawn(self, part: Part, log: ChildLog) -> Child:
        await asyncio.to_thread(part.prepare)
        part.require_ports()  # or another program's answers would be taken for ours
        return await Child.spawn(part.command(), log)

    async def _until_ready(self, kept: _Kept) -> None:
        part, child = kept.part, kept.child
        deadline = time.monotonic() + part.start_patience
        while not (await part.is_ready() and not child.has_ended):
            if child.has_ended:
                how = await child.wait()
                part.require_ports()
                raise child.failure(part.title, how)
            if time.monotonic() > deadline:
                raise child.failure(part.title, f"was not ready within {part.start_patience:.0f} s")
            await asyncio.sleep(POLL)

    def _log(self, name: str) -> ChildLog:
        return ChildLog(name, self.data_dir.logs, self.reporter.important)

    def _write_down(self) -> None:
        """Keep the record true, for `status` and for whoever starts after a crash."""
        records = {"supervisor": RunningProcess.of(os.getpid())}
        for name, kept in self._kept.items():
            with suppress(psutil.NoSuchProcess):
                records[name] = RunningProcess.of(kept.child.pid)
        self.data_dir.record(records)
