"""What a person sees: parts coming up (live on a terminal, else plain lines), addresses, and troubles."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from tochka_stack.child_logs import Entry, for_people

REFRESH = 0.1
DIED_LINES = 4


@dataclass
class Progress:
    """The reporter of `tochka up`. Use it as an async context while starting; afterwards it prints lines."""

    console: Console
    _rows: dict[str, tuple[str, float | None]] = field(default_factory=dict)
    _live: Live | None = None
    _ticker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Progress":
        """Show the live table, if there is a terminal to show it on."""
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self._live = Live(self._table(), console=self.console, auto_refresh=False)
            self._live.start()
            self._ticker = asyncio.create_task(self._tick(self._live))
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Leave the last state of the table on the terminal."""
        if self._ticker is not None:
            self._ticker.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticker
        if self._live is not None:
            with suppress(OSError):
                self._live.update(self._table())
                self._live.stop()
        self._live = self._ticker = None

    def starting(self, name: str, title: str) -> None:
        """A part is being started."""
        self._rows[name] = (title, None)

    def ready(self, name: str, seconds: float) -> None:
        """A part is ready."""
        title, _ = self._rows[name]
        self._rows[name] = (title, seconds)
        if self._live is None:
            self.say(f"{title:<26} ready after {seconds:.1f} s", style="green")

    def died(self, name: str, how: str, delay: float, tail: Iterable[str]) -> None:
        """A part died; its last lines mostly say why."""
        title, _ = self._rows.get(name, (name, None))
        self.say(f"{title} {how}; it is started again in {delay:g} s. Its last lines:", style="yellow")
        for line in list(tail)[-DIED_LINES:]:
            self.say(f"    {line}", style="dim")

    def important(self, entry: Entry) -> None:
        """A part logged a warning or worse."""
        self.say(for_people(entry), style="yellow" if entry["level"] == "warning" else "red")

    def say(self, text: str, style: str = "") -> None:
        """One line, above the live table if there is one; never wrapped, so that it can be searched for."""
        self._print(Text(text, style=style))

    def addresses(self, lines: Iterable[tuple[str, str]]) -> None:
        """One line per address."""
        for title, address in lines:
            self._print(Text.assemble((f"{title:<12}", "bold"), address))

    def _print(self, text: Text) -> None:
        """Nobody has to be there to read it: a terminal that was closed or a full disk stops no shop."""
        with suppress(OSError):
            self.console.print(text, soft_wrap=True)

    async def _tick(self, live: Live) -> None:
        while True:
            with suppress(OSError):
                live.update(self._table(), refresh=True)
            await asyncio.sleep(REFRESH)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for title, seconds in self._rows.values():
            if seconds is None:
                table.add_row(Spinner("dots"), title, "")
            else:
                table.add_row(Text("✓", style="green"), title, Text(f"{seconds:.1f} s", style="dim"))
        return table
