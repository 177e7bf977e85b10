"""What the parts of the command line share."""

import subprocess
from pathlib import Path
from typing import Annotated

import typer

from tochka_stack.processes import Command

DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Where everything that must survive lies [TOCHKA_DATA_DIR; .tochka]",
        readable=False,  # whether it can be used is for us to say
    ),
]


def run(command: Command) -> int:
    """Run a program of ours to its end, on this terminal; its exit code."""
    return subprocess.run(
        command.argv, env=dict(command.environment), cwd=command.folder, check=False
    ).returncode
