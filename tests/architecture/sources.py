"""The product's Python files as syntax trees, read once for all architecture tests."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("sdk/src", "core-backend/src", "modules/shop/src", "stack/src")
EVERYWHERE = (*PACKAGES, "core-backend/migrations", "core-backend/tests", "modules/shop/migrations")
TESTS = ("modules/shop/tests", "sdk/tests", "stack/tests", "tests", "bench")


@dataclass(frozen=True)
class Source:
    """One file: its path from the root, its text, its tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rpartition("/")[2]

    @property
    def lines(self) -> int:
        """How many lines it has, blanks and comments included."""
        return self.text.count("\n")


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file below the folders."""
    paths = sorted({path for folder in folders for path in (ROOT / folder).rglob("*.py")})
    texts = ((path, path.read_text(encoding="utf-8")) for path in paths if "node_modules" not in path.parts)
    return tuple(Source(str(path.relative_to(ROOT)), text, ast.parse(text)) for path, text in texts)


def product() -> tuple[Source, ...]:
    """The code that is shipped."""
    return sources(*PACKAGES)


def everything() -> tuple[Source, ...]:
    """The code that is shipped and the code that proves it."""
    return sources(*EVERYWHERE, *TESTS)
