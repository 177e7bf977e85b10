"""The example module as a program, as a module's `__main__.py` would be."""

from pathlib import Path

from tochka_sdk.runner import main

from sdk.tests.example import METADATA, module

main(module, migrations=Path(__file__).parent / "migrations", metadata=METADATA)
