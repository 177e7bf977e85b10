"""The shop as one value, for the command line and for tests."""

from pathlib import Path

from tochka_shop.app import compose

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

module = compose()
