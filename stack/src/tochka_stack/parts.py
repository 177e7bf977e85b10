"""A part of the stack: a process that is kept running, and how to tell that it is alive and ready."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tochka_stack.ports import LOOPBACK, is_free
from tochka_stack.processes import Command
from tochka_stack.refusals import PortTaken


def nothing() -> None:
    """What a part without preparations does before it starts."""


@dataclass(frozen=True)
class Part:
    """One process of the stack. `prepare` runs before every start, `is_ready` until it is true.

    `is_alive` asks less: any answer will do. A part that waits for another one is alive and not ready.
    """

    name: str
    title: str
    command: Callable[[], Command]
    is_ready: Callable[[], Awaitable[bool]]
    is_alive: Callable[[], Awaitable[bool]]
    prepare: Callable[[], None] = nothing
    ports: tuple[int, ...] = ()
    host: str = LOOPBACK
    start_patience: float = 60.0
    stop_patience: float = 15.0

    def require_ports(self) -> None:
        """Refuse to start where somebody else would answer in its place."""
        for port in self.ports:
            if not is_free(port, self.host):
                raise PortTaken(self.title, port)
