"""How tests that run as root get a process that is not, and a checkout that it can reach.

A user namespace keeps our files ours and takes the rights of root. Where a container or a chroot forbids one,
the child becomes `nobody`; a checkout that is closed to others (below /root, say) is then copied to where
that user can reach it, and installed there.
"""

import atexit
import ctypes
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tochka_stack.accounts import Account

CHECKOUT = Path(__file__).parents[2]
TOCHKA = Path(sys.executable).with_name("tochka")
NOT_COPIED = (".git", ".venv", "node_modules", ".tochka", "artifacts", ".*_cache", "__pycache__")
CLONE_NEWUSER = 0x10000000
ORDINARY_UID = 1000
_libc = ctypes.CDLL(None, use_errno=True)


def become_ordinary(folder: Path) -> Callable[[], None] | None:
    """Give up root in the child; `folder` stays writable for it."""
    if os.geteuid() != 0:
        return None
    if _namespaces_are_allowed():
        return _enter_namespace
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)

    def drop() -> None:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)

    return drop


@cache
def tochka_for_ordinary() -> Path:
    """The command as such a process can start it."""
    if os.geteuid() != 0 or _namespaces_are_allowed():
        return TOCHKA
    nobody = Account.of(pwd.getpwnam("nobody").pw_uid)
    assert nobody is not None
    if all(nobody.can_reach(path) for path in (TOCHKA, Path(sys.executable).resolve())):
        return TOCHKA
    return _copied_checkout() / ".venv/bin/tochka"


def _copied_checkout() -> Path:
    """The checkout without what belongs to its place, installed where everybody can reach it."""
    scratch = Path(tempfile.mkdtemp(prefix="tochka-checkout-", dir="/tmp"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    scratch.chmod(0o755)
    copy = scratch / "checkout"
    shutil.copytree(CHECKOUT, copy, symlinks=True, ignore=shutil.ignore_patterns(*NOT_COPIED))
    install = ["make", "--silent", f"PYTHON={Path(sys.executable).resolve()}", "install"]
    subprocess.run(install, cwd=copy, check=True, stdin=subprocess.DEVNULL)
    subprocess.run(["chmod", "-R", "go+rX", str(copy)], check=True)
    return copy


def _enter_namespace() -> None:
    if _libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not available")
    Path("/proc/self/uid_map").write_text(f"{ORDINARY_UID} 0 1")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/gid_map").write_text(f"{ORDINARY_UID} 0 1")


@cache
def _namespaces_are_allowed() -> bool:
    """Try it in a child that does nothing else."""
    child = subprocess.run(
        ["/bin/true"],
        check=False,
        preexec_fn=lambda: _exit_unless(_libc.unshare(CLONE_NEWUSER) == 0),
    )
    return child.returncode == 0


def _exit_unless(allowed: bool) -> None:
    if not allowed:
        os._exit(1)
