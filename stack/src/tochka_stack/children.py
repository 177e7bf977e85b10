"""One running process of the stack: its output is followed, its end is awaited, it is stopped for certain."""

import asyncio
import signal
from asyncio.subprocess import PIPE, STDOUT, Process
from contextlib import suppress
from dataclasses import dataclass

from tochka_stack.child_logs import ChildLog
from tochka_stack.processes import Command
from tochka_stack.refusals import ChildFailed, NoSpace, Refusal

LAST_WORDS = 1.0


@dataclass
class Child:
    """A process that was started from `command`; `log` takes in what it writes."""

    command: Command
    log: ChildLog
    process: Process
    _output: asyncio.Task[None]

    @classmethod
    async def spawn(cls, command: Command, log: ChildLog) -> "Child":
        """Start it. Call this on the main thread: the kernel ties the child's life to the thread's."""
        process = await asyncio.create_subprocess_exec(
            *command.argv, stdout=PIPE, stderr=STDOUT, **command.options()
        )
        if process.stdout is None:
            raise RuntimeError("a child was started without a pipe for its output")
        return cls(command, log, process, asyncio.create_task(log.follow(process.stdout)))

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it is gone."""
        return self.process.returncode is not None

    async def wait(self) -> str:
        """Wait until it has ended and was heard out; how it ended.

        Its own children may still hold the other end of the pipe, so the hearing has a limit.
        """
        code = await self.process.wait()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._output), LAST_WORDS)
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"

    async def stop(self, patience: float) -> None:
        """Ask it to stop, and insist after `patience` seconds."""
        if not self.has_ended:
            with suppress(ProcessLookupError):
                self.process.send_signal(self.command.stop_signal)
            try:
                await asyncio.wait_for(self.process.wait(), patience)
            except TimeoutError:
                self.kill()
        await self.wait()
        self._output.cancel()
        with suppress(asyncio.CancelledError):
            await self._output

    def kill(self) -> None:
        """End it now."""
        with suppress(ProcessLookupError):
            self.process.kill()

    def failure(self, title: str, how: str) -> Refusal:
        """Why it did not come up, in one sentence, with its own last words."""
        words = self.log.last_words()
        if any("No space left on device" in line for line in self.log.tail):
            return NoSpace(f"{title} {how}: there is no space left on the disk.")
        if any("Bad file format reading the append only file" in line for line in self.log.tail):
            return ChildFailed(
                f"{title} {how}: its data are damaged. Move the append-only file in {self.command.folder} "
                "aside: the one-time codes, limits and locks of the last minutes are in it, and nothing else."
            )
        sentence = f"{title} {how}" + (f": {words}" if words else "")
        return ChildFailed(f"{sentence.rstrip('.')}. Its log: {self.log.path}")
