"""Fixtures of the bots' tests.

`bot`      a bot of each messenger, hearing in each way: four runs of every test that wants it
`called`   a bot of each messenger, called by webhook
"""

from collections.abc import AsyncIterator

import pytest
from core_kit.bots import Bot, Kind, Mode, listening, running_bot
from core_kit.codes import StartCore

KINDS: tuple[Kind, ...] = ("max", "telegram")
MODES: tuple[Mode, ...] = ("polling", "webhook")


@pytest.fixture(params=[(kind, mode) for kind in KINDS for mode in MODES], ids="-".join)
async def bot(request: pytest.FixtureRequest, start_core: StartCore) -> AsyncIterator[Bot]:
    """See above."""
    kind, mode = request.param
    async with running_bot(start_core, kind, mode) as running:
        if mode == "webhook":
            yield running
            return
        async with listening(running.core.jobs):
            yield running


@pytest.fixture(params=KINDS)
async def called(request: pytest.FixtureRequest, start_core: StartCore) -> AsyncIterator[Bot]:
    """See above."""
    async with running_bot(start_core, request.param, "webhook") as running:
        yield running
