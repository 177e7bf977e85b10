"""What all doubles have in common."""

import asyncio
import itertools
import secrets
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

TICK_S = 0.02


class Wrong(Exception):
    """The service would refuse this."""


@dataclass
class Double:
    """Notes what is wrong, fails when told to, wakes those who wait for updates."""

    wrong: list[str] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)

    def refuse(self, refusal: Wrong, body: dict[str, Any], status: int = 400) -> Response:
        """Note it, and answer as the service does."""
        self.wrong.append(str(refusal))
        return JSONResponse(body, status)

    def fault(self) -> Response | None:
        """The failure that is due, if any."""
        return Response(status_code=self.faults.pop(0)) if self.faults else None


def require(holds: object, what: str) -> None:
    """Refuse unless it holds.

    Raises:
        Wrong: it does not.
    """
    if not holds:
        raise Wrong(what)


def numbers_from_anywhere() -> "itertools.count[int]":
    """Numbers for updates; no two doubles have the same."""
    return itertools.count(secrets.randbelow(2**40))


async def wait_for(condition: Any, request: Request, seconds: float) -> None:
    """Wait until `condition()` holds, the time is over or the caller is gone."""
    until = asyncio.get_running_loop().time() + seconds
    while not condition() and asyncio.get_running_loop().time() < until:
        if await request.is_disconnected():
            return
        await asyncio.sleep(TICK_S)
