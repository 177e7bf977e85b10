"""What the long tests found out besides passing: told at the end of a run, with the seed."""

import pytest

from tests.proof.options import SEED

_FINDINGS = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def findings(request: pytest.FixtureRequest) -> list[str]:
    """Lines for the report at the end."""
    return request.config.stash.setdefault(_FINDINGS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print them; a run without long tests has none."""
    lines = config.stash.get(_FINDINGS, [])
    if lines:
        terminalreporter.section(f"proof, TOCHKA_PROOF_SEED={SEED}")
        for line in lines:
            terminalreporter.write_line(line)
