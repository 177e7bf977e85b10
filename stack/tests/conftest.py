"""Places for data directories."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tochka_stack.ports import free_ports
from tochka_stack.testing import scratch_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place for a data directory, ours, which the engines' user can pass through."""
    with scratch_folder() as scratch:
        os.chown(scratch, os.geteuid(), os.getegid())
        scratch.chmod(0o711)
        yield scratch


@pytest.fixture
def port() -> str:
    """A port on which nobody listens."""
    return str(free_ports(1)[0])
