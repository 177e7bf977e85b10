"""Fixtures of the attacks.

`called`   a bot of each messenger, called by webhook: two runs of every test that wants it
`front`    a core that counts strictly, behind the real gateway
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from core_kit.bots import Bot, running_bot
from core_kit.codes import StartCore
from core_kit.gate import Front, in_front

CODES = "3/1h"


@pytest.fixture(params=("max", "telegram"))
async def called(request: pytest.FixtureRequest, start_core: StartCore) -> AsyncIterator[Bot]:
    """See above."""
    async with running_bot(start_core, request.param, "webhook") as running:
        yield running


@pytest.fixture
async def front(start_core: StartCore, tmp_path: Path) -> AsyncIterator[Front]:
    """See above."""
    async with (
        start_core(limits="strict", quotas={"codes": CODES}) as core,
        in_front(core, tmp_path) as front,
    ):
        await core.resources.redis.delete("limit:{127.0.0.1}:codes")  # other tests come from here, too
        yield front
