"""The data directory keeps what must be kept, and tells what runs from what only has the same number."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tochka_stack.data_dir import PORTS, DataDir, RunningProcess
from tochka_stack.ports import free_ports, is_free
from tochka_stack.refusals import NotPermitted, Occupied
from tochka_stack.secret_files import KINDS


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    """An empty data directory."""
    opened = DataDir(tmp_path / "data")
    opened.open()
    return opened


def test_internal_ports_are_kept_and_one_that_was_taken_is_chosen_anew(data_dir: DataDir) -> None:
    first = data_dir.ports()
    assert set(first) == set(PORTS)
    assert len(set(first.values())) == len(PORTS)
    assert data_dir.ports() == first

    with socket.create_server(("127.0.0.1", first["postgres"])):
        second = data_dir.ports()
    assert [name for name in PORTS if second[name] != first[name]] == ["postgres"]
    assert data_dir.ports() == second


def test_free_ports_are_free_and_different() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(is_free(port) for port in ports)


def test_the_lock_is_held_by_one_and_let_go_of_at_the_end(data_dir: DataDir) -> None:
    with data_dir.lock():
        assert data_dir.is_locked()
        with pytest.raises(Occupied, match="already runs"), data_dir.lock():
            raise AssertionError("two hold the lock")
    assert not data_dir.is_locked()
    with data_dir.lock():
        assert data_dir.is_locked()


def test_a_record_is_found_again_while_it_is_the_same_process(data_dir: DataDir) -> None:
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as process:
        real = RunningProcess.of(process.pid)
        later = RunningProcess(process.pid, real.started - 100, real.program)
        data_dir.record({"real": real, "another": later})
        try:
            found = data_dir.recorded()
            assert (found["real"].find() is not None, found["another"].find()) == (True, None)
        finally:
            process.kill()
    assert real.find() is None


def test_a_damaged_record_is_as_good_as_none(data_dir: DataDir) -> None:
    (data_dir.root / "run.json").write_text("{half")
    assert data_dir.recorded() == {}


def secrets_of(data_dir: DataDir) -> dict[str, str]:
    """All secrets by their names."""
    return {path.name: path.read_text() for path in data_dir.secrets.folder.iterdir()}


def test_secrets_are_made_once_and_kept_from_others(data_dir: DataDir) -> None:
    assert data_dir.ensure_secrets() == []
    before = secrets_of(data_dir)
    opened = data_dir.secrets.folder / "core-session-key"
    opened.chmod(0o644)

    assert data_dir.ensure_secrets() == [opened]

    assert secrets_of(data_dir) == before
    assert data_dir.secrets.too_open() == []


def test_a_start_that_was_cut_off_makes_the_secrets_that_are_left_to_make(data_dir: DataDir) -> None:
    data_dir.ensure_secrets()
    before = secrets_of(data_dir)
    (data_dir.secrets.folder / "redis").unlink()
    (data_dir.root / "secrets.json").unlink()

    data_dir.ensure_secrets()

    after = secrets_of(data_dir)
    assert {name for name in KINDS if after[name] != before[name]} == {"redis"}


@pytest.mark.parametrize("name", KINDS)
def test_a_lost_secret_is_not_made_anew(data_dir: DataDir, name: str) -> None:
    data_dir.ensure_secrets()
    path = data_dir.secrets.folder / name
    path.unlink()

    with pytest.raises(NotPermitted, match=f"The secret {path} is gone: restore it from a backup"):
        data_dir.ensure_secrets()
    assert not path.exists()


@pytest.mark.parametrize("name", KINDS)
def test_a_secret_that_is_cut_off_is_refused_and_left_alone(data_dir: DataDir, name: str) -> None:
    data_dir.ensure_secrets()
    path = data_dir.secrets.folder / name
    for left in (path.read_text()[:-3], ""):
        path.write_text(left)
        with pytest.raises(NotPermitted, match=f"The secret {path} is damaged: restore it from a backup"):
            data_dir.ensure_secrets()
        assert path.read_text() == left
