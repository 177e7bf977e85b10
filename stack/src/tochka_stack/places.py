"""Where the engines' programs and data lie: beside everything else if their user can reach it, else apart."""

import hashlib
import os
import shutil
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from tochka_stack.accounts import Account
from tochka_stack.refusals import NotPermitted

BASES = (Path("/var/lib/tochka"), Path("/var/tmp/tochka"), Path("/tmp/tochka"))  # noqa: S108  checked for their owner
POINTER = "engines-live-at"


def package_folder(package: str) -> Path:
    """Where an installed package lies, without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise NotPermitted(f"The Python package {package} is not installed: run `make install`.")
    return Path(spec.origin).parent


def programs(package: str, distribution: str, account: Account) -> Path:
    """The folder of a package that brings programs, copied to where `account` can run them if need be."""
    return within_reach(package_folder(package), f"{distribution}-{version(distribution)}", account)


def within_reach(source: Path, name: str, account: Account) -> Path:
    """`source`, or a copy of it named `name` that `account` can reach; copied once, never half."""
    if account.can_reach(source / "x"):
        return source
    target = _base() / "programs" / name
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        target.parent.chmod(0o755)
        scratch = Path(tempfile.mkdtemp(dir=target.parent))
        scratch.chmod(0o755)
        for folder in (source, source.with_name(f"{source.name}.libs")):  # libraries are found relative to it
            if folder.is_dir():
                shutil.copytree(folder, scratch / folder.name, symlinks=True)
        _put(scratch, target)
    return target / source.name


def engine_data(data_dir: Path, account: Account) -> Path:
    """The folder for the engines' data: inside `data_dir`, or apart from it when `account` cannot get there.

    A place apart is written down in `data_dir`, so that it is found again and its loss is noticed.
    """
    pointer = data_dir / POINTER
    if pointer.exists():
        kept = Path(pointer.read_text().strip())
        if not kept.is_dir():
            raise NotPermitted(
                f"The databases of {data_dir} were kept in {kept}, which is gone: "
                f"restore it from a backup, or remove {data_dir} to begin anew."
            )
        return kept
    if account.can_reach(data_dir / "x"):
        return _folder_for(data_dir / "engines", account)
    name = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]
    place = _folder_for(_base() / f"data-{name}", account)
    pointer.write_text(f"{place}\n")
    return place


def data_account(data_dir: Path) -> Account | None:
    """Whose the engines' data are, if root is to start what another user has: that user it stays."""
    pointer = data_dir / POINTER
    place = Path(pointer.read_text().strip()) if pointer.exists() else data_dir / "engines"
    cluster = place / "postgres"
    if os.geteuid() != 0 or not cluster.exists() or cluster.stat().st_uid == 0:
        return None
    return Account.of(cluster.stat().st_uid)


def _folder_for(folder: Path, account: Account) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    account.own(folder)
    return folder


def _base() -> Path:
    """The first base directory that is ours; one made by somebody else is never trusted."""
    for base in BASES:
        try:
            base.mkdir(mode=0o700, exist_ok=True)
            status = base.lstat()
        except OSError:
            continue
        if status.st_uid == os.geteuid() and not base.is_symlink() and os.access(base, os.W_OK):
            base.chmod(0o755)
            return base
    raise NotPermitted(
        "The engines need a directory outside the checkout, "
        f"and none of {', '.join(map(str, BASES))} can be written."
    )


def _put(scratch: Path, target: Path) -> None:
    """Move a finished copy into place; whoever was first wins."""
    try:
        scratch.rename(target)
    except OSError:
        shutil.rmtree(scratch)
