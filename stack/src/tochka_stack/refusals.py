"""Why the stack would not start: one clear sentence each, and an exit code that says which kind it was.

Refusal            1  anything below that has no kind of its own
├─ TrailBroken     1  the audit trail is not as it was sealed
├─ TrailUnchecked  2  nobody can say whether it is
├─ Misconfigured   2  a setting or an argument does not make sense
├─ Occupied        3  the port or the data directory is in use by something else
├─ WrongVersion    4  the data or a server is of another version
├─ NotPermitted    5  files or rights are missing
├─ NoSpace         6  the disk is full
├─ Unreachable     7  an external server does not answer
└─ ChildFailed     8  a part of the stack would not start, or a migration failed
NotRunning        10  `tochka status` found nothing running
Unhealthy         11  `tochka status` or `doctor` found something wrong
"""

import errno
from typing import ClassVar


class Refusal(Exception):
    """The stack cannot do what was asked; the message is the one sentence to show."""

    exit_code: ClassVar[int] = 1


class Misconfigured(Refusal):
    """A setting or an argument does not make sense."""

    exit_code = 2


class TrailBroken(Refusal):
    """The audit trail was tampered with, or lost something."""


class TrailUnchecked(Refusal):
    """The audit trail could not be verified."""

    exit_code = 2


class Occupied(Refusal):
    """A port or a data directory is in use."""

    exit_code = 3


class PortTaken(Occupied):
    """A port that was free a moment ago, and is not any more."""

    def __init__(self, title: str, port: int) -> None:
        super().__init__(f"{title} cannot listen on port {port}, which another program uses.")
        self.port = port


class WrongVersion(Refusal):
    """Data or a server is of another version."""

    exit_code = 4


class NotPermitted(Refusal):
    """Files cannot be read or written, or a database right is missing."""

    exit_code = 5


class NoSpace(Refusal):
    """The disk is full, or nearly."""

    exit_code = 6


class Unreachable(Refusal):
    """An external server does not answer."""

    exit_code = 7


class ChildFailed(Refusal):
    """A part of the stack did not start, or a one-off command of it failed."""

    exit_code = 8


class NotRunning(Refusal):
    """Nothing runs in this data directory."""

    exit_code = 10


class Unhealthy(Refusal):
    """Something runs, but not all of it, or the environment is not fit."""

    exit_code = 11


def of_the_system(error: OSError) -> Refusal | None:
    """An error of the operating system about a file, in one sentence."""
    where = f" of {error.filename}" if error.filename else ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return NoSpace(f"There is no space left on the disk{where}.")
    return NotPermitted(f"{error.filename} cannot be used: {error.strerror}.") if where else None
