"""Programs and data of the engines lie where the engines' user can reach them, and nowhere else."""

import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tochka_stack import places
from tochka_stack.accounts import Account, engine_account
from tochka_stack.refusals import NotPermitted
from tochka_stack.testing import scratch_folder

IS_ROOT = os.geteuid() == 0
ME = Account("me", os.geteuid(), os.getegid())


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A base directory of this test's own, which everybody may pass through."""
    with scratch_folder() as scratch:
        os.chown(scratch, os.geteuid(), os.getegid())
        scratch.chmod(0o711)
        monkeypatch.setattr(places, "BASES", (scratch / "base",))
        yield scratch


@pytest.fixture
def closed(base: Path) -> Path:
    """A directory that nobody but its owner may enter."""
    folder = base / "closed"
    folder.mkdir(mode=0o700)
    return folder


def test_we_reach_what_is_ours_and_others_do_not(closed: Path) -> None:
    stranger = Account("stranger", 54321, 54321)
    assert ME.can_reach(closed / "x")
    assert not stranger.can_reach(closed / "x")
    assert stranger.can_reach(closed)


def test_a_group_may_open_what_others_may_not(closed: Path) -> None:
    member = Account("member", 54321, closed.stat().st_gid)
    closed.chmod(0o710)
    assert member.can_reach(closed / "x")
    closed.chmod(0o701)
    assert not member.can_reach(closed / "x")


def test_programs_are_copied_for_a_user_who_cannot_reach_them(base: Path, closed: Path) -> None:
    source = closed / "package"
    (source / "bin").mkdir(parents=True)
    (closed / "package.libs").mkdir()
    (source / "bin" / "program").write_text("#!/bin/sh\n")
    (source / "bin" / "program").chmod(0o755)

    account = Account("stranger", 54321, 54321)
    copy = places.within_reach(source, "package-1.0", account)

    assert copy == base / "base" / "programs" / "package-1.0" / "package"
    assert account.can_reach(copy / "bin" / "program")
    assert (copy.parent / "package.libs").is_dir()
    assert places.within_reach(source, "package-1.0", account) == copy
    assert places.within_reach(source, "package-1.0", ME) == source


def test_data_lies_in_the_data_directory_when_its_user_can_get_there(base: Path) -> None:
    data_dir = base / "data"
    data_dir.mkdir(mode=0o711)
    assert places.engine_data(data_dir, ME) == data_dir / "engines"
    assert not (data_dir / places.POINTER).exists()


def test_data_out_of_reach_lies_apart_and_is_found_again(base: Path, closed: Path) -> None:
    account = engine_account() if IS_ROOT else Account("stranger", 54321, 54321)
    with ExitStack() as stack:
        if not IS_ROOT:  # handing over takes root
            stack.enter_context(pytest.raises(PermissionError))
        place = places.engine_data(closed, account)
        assert place.parent == base / "base"
        assert place.stat().st_uid == account.uid
        assert places.engine_data(closed, account) == place

        shutil.rmtree(place)
        with pytest.raises(NotPermitted, match=f"were kept in {place}, which is gone"):
            places.engine_data(closed, account)


def test_a_base_made_by_somebody_else_is_not_trusted(base: Path, closed: Path) -> None:
    elsewhere = base / "elsewhere"
    elsewhere.mkdir()
    (base / "base").symlink_to(elsewhere)
    with pytest.raises(NotPermitted, match=r"none of .* can be written"):
        places.within_reach(closed / "package", "package-1.0", Account("stranger", 54321, 54321))


def test_data_stay_with_the_user_who_has_them(base: Path) -> None:
    cluster = base / "data" / "engines" / "postgres"
    cluster.mkdir(parents=True)
    assert places.data_account(base / "data") is None  # nobody else's

    nobody = Account.of(pwd.getpwnam("nobody").pw_uid)
    assert nobody is not None
    if IS_ROOT:
        nobody.own(cluster)
    assert places.data_account(base / "data") == (nobody if IS_ROOT else None)
