"""Fixtures of the tests of installations."""

from collections.abc import AsyncIterator

import pytest
from core_kit.wired import Wired, wired_core
from tochka_stack.testing import ScratchDatabase


@pytest.fixture
async def wired(core_database: ScratchDatabase, redis_url: str) -> AsyncIterator[Wired]:
    """An instance on the shared database whose statements can be read and cut."""
    async with wired_core(core_database, redis_url) as found:
        yield found
