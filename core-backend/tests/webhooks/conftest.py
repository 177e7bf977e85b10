"""Fixtures of the tests of the dispatcher."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from core_kit.people import Owner, sign_up
from core_kit.running import RunningCore


@pytest.fixture
async def hasty(
    start_core: Callable[..., AbstractAsyncContextManager[RunningCore]],
) -> AsyncIterator[Owner]:
    """Somebody on an instance that gives modules no more than a second and a half."""
    async with start_core(activation_deadline_s=3) as core:
        owner = await sign_up(core.url)
        yield owner
        await owner.client.aclose()
