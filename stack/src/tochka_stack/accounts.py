"""Which operating-system user runs what: PostgreSQL refuses to run as root."""

import os
import pwd
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tochka_stack.refusals import NotPermitted

PREFERRED = ("tochka", "postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An operating-system user as the kernel knows it."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, uid: int) -> "Account | None":
        """The user with that number, if there is one."""
        with suppress(KeyError):
            entry = pwd.getpwuid(uid)
            return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)
        return None

    @property
    def is_current(self) -> bool:
        """Whether this process already is that user."""
        return self.uid == os.geteuid()

    def can_reach(self, path: Path) -> bool:
        """Whether this user may step into every directory above `path`, as far as the path exists."""
        return self.is_current or all(
            self._allowed(folder.stat(), 0o1) for folder in path.resolve().parents if folder.exists()
        )

    def own(self, path: Path) -> None:
        """Hand one file or directory over, if that takes anything."""
        if not self.is_current:
            os.chown(path, self.uid, self.gid)

    def _allowed(self, status: os.stat_result, bit: int) -> bool:
        if status.st_uid == self.uid:
            bit <<= 6
        elif status.st_gid == self.gid:
            bit <<= 3
        return bool(status.st_mode & bit)


def engine_account() -> Account:
    """The user that database engines run as: ourselves, or another one when we are root."""
    if os.geteuid() != 0:
        return Account(str(os.geteuid()), os.geteuid(), os.getegid())
    for name in PREFERRED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise NotPermitted(
        f"PostgreSQL does not run as root and none of the users {', '.join(PREFERRED)} exists: "
        "create one of them or start as an ordinary user."
    )
