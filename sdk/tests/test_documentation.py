"""The examples of the module author's guide work as they stand there."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.anyio
GUIDE = Path(__file__).parents[2] / "docs" / "module-authors.md"
FILE = re.compile(r"^```\w+ (?P<path>[\w./-]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r'^    code = "([\w.]+)"$', re.MULTILINE)
SOURCES = Path(__file__).parents[1] / "src" / "tochka_sdk"


async def test_the_examples_pass_their_own_tests(tmp_path: Path) -> None:
    for found in FILE.finditer(GUIDE.read_text("utf-8")):
        target = tmp_path / found["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(found["text"], "utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert "4 passed" in said.decode()


def test_every_code_that_a_module_answers_is_in_the_table() -> None:
    """Bases (`request.…`) stand there as a group; those of the core's side are not a module's answers."""
    named = GUIDE.read_text("utf-8")
    codes = {code for path in SOURCES.rglob("*.py") for code in CODE.findall(path.read_text("utf-8"))}
    elsewhere = {"license.invalid", "tokens.invalid", "core.refused", "manifest.invalid"}
    missing = {code for code in codes if not code.startswith("request.") and f"`{code}`" not in named}
    assert missing - elsewhere == set()
