"""One call at a time to a peer that may be dead: through its gate, or not at all."""

from collections.abc import Mapping

from tochka_sdk import clock

from tochka_core.outbound.adapters import MOST, Sender
from tochka_core.outbound.gates import Gates
from tochka_core.outbound.judging import report_of
from tochka_core.outbound.schemas import Answer, Want


class Calls:
    """Sends requests as a `Sender` does, unless their peer's gate is shut: then they fail at once, unsent."""

    def __init__(self, sender: Sender, gates: Gates) -> None:
        self._sender = sender
        self._gates = gates

    async def request(
        self,
        name: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        seconds: float,
        trusted: bool,
        most: int = MOST,
    ) -> Answer:
        """One request to the peer `name`; the error `gate` says that nothing was sent."""
        [grant] = await self._gates.take([Want(name)])
        if not grant.ids:
            return Answer(None, error="gate")
        answer = await self._sender.request(
            method, url, headers=headers, body=body, seconds=seconds, trusted=trusted, most=most
        )
        await self._gates.report([report_of(name, grant.ids, answer, clock.now())])
        return answer
