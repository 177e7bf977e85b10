"""One peer's gate, for whoever speaks to that peer only."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tochka_core.outbound.gates import Gates
from tochka_core.outbound.schemas import Report, Want

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate before the peer `name`."""

    gates: Gates
    name: str

    async def through(
        self, ask: Callable[[], Awaitable[Result]], is_failure: Callable[[Result], bool]
    ) -> Result | None:
        """What asking brings; None when the gate is shut, and then nothing was asked."""
        [grant] = await self.gates.take([Want(self.name)])
        if not grant.ids:
            return None
        report = Report(self.name, grant.ids, failed=1)
        try:
            result = await ask()
            if not is_failure(result):
                report = Report(self.name, grant.ids, succeeded=1)
            return result
        finally:
            await self.gates.report([report])
