"""How a child process is started, so that it never outlives the one who started it."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tochka_stack.accounts import Account

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Command:
    """A program to run: what, where, as whom, and how it is asked to stop."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL

    def options(self) -> dict[str, Any]:
        """The keyword arguments for `subprocess.Popen` and `asyncio.create_subprocess_exec`.

        A session of its own keeps a Ctrl-C on the terminal away from the child: the supervisor
        decides who stops when.
        """
        options: dict[str, Any] = {
            "env": dict(self.environment),
            "cwd": self.folder,
            "stdin": subprocess.DEVNULL,
            "start_new_session": True,
            "preexec_fn": _dies_with_parent(self.orphan_signal),
        }
        if self.account is not None and not self.account.is_current:
            options |= {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        return options


def base_environment(path: str, **extra: str) -> dict[str, str]:
    """What every child gets: a search path, a UTF-8 locale, UTC, and what it alone is told."""
    return {"PATH": path, "LC_ALL": "C.UTF-8", "TZ": "UTC", **extra}


def _dies_with_parent(orphan_signal: signal.Signals) -> Callable[[], None] | None:
    """Ask the kernel (Linux) to signal the child when the supervisor dies, whatever it dies of.

    It runs after the change of user, which would clear the request. The second look at the parent closes
    the gap between the fork and the request. Elsewhere leftovers are found at the next start.
    """
    if _libc is None:
        return None
    libc, parent = _libc, os.getpid()

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(orphan_signal), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return ask
