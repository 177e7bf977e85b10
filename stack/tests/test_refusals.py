"""What cannot work is refused with one clear sentence and an exit code of its own, before anything starts."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tochka_stack.data_dir import DataDir
from tochka_stack.ports import free_ports
from tochka_stack.testing import ScratchPostgres, scratch_folder

from stack.tests.driver import refused, tochka


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place for a data directory, which the engines' user can reach."""
    with scratch_folder() as scratch:
        os.chown(scratch, os.geteuid(), os.getegid())
        scratch.chmod(0o711)
        yield scratch


@pytest.fixture
def port() -> str:
    """A port on which nobody listens."""
    return str(free_ports(1)[0])


def test_a_port_in_use_is_refused(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, sentence = refused("up", "--data-dir", str(folder / "data"), "--port", str(port))
    assert code == 3
    assert sentence.startswith(f"The port {port} is in use by another program")


def test_a_port_in_use_at_the_other_localhost_is_refused(folder: Path) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        code, sentence = refused("up", "--data-dir", str(folder / "data"), "--port", str(port))
    assert (code, sentence.startswith(f"The port {port} is in use by another program")) == (3, True)


def test_a_port_that_only_root_may_use_is_refused(folder: Path) -> None:
    low = next(port for port in range(1023, 0, -1) if port not in {80, 443})
    code, sentence = refused("up", "--data-dir", str(folder / "data"), "--port", str(low), ordinary=folder)
    assert (code, sentence.startswith(f"The port {low} is reserved for root")) == (5, True)


def test_an_address_of_another_machine_is_refused(folder: Path, port: str) -> None:
    code, sentence = refused("up", "--data-dir", str(folder / "data"), "--port", port, "--host", "192.0.2.1")
    assert (code, sentence.startswith("192.0.2.1 is not an address of this machine")) == (2, True)


def test_a_second_start_in_the_same_directory_is_refused(folder: Path, port: str) -> None:
    data_dir = DataDir(folder / "data")
    data_dir.open()
    with data_dir.lock():
        code, sentence = refused("up", "--data-dir", str(data_dir.root), "--port", port)
    assert code == 3
    assert sentence.startswith(f"The stack already runs in {data_dir.root} (pid {os.getpid()})")


def test_data_of_another_postgres_is_refused_and_left_alone(folder: Path, port: str) -> None:
    cluster = folder / "data" / "engines" / "postgres"
    DataDir(folder / "data").open()
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("14\n")

    code, sentence = refused("up", "--data-dir", str(folder / "data"), "--port", port)

    assert code == 4
    assert f"The data in {cluster} belongs to PostgreSQL 14 and this is PostgreSQL 18" in sentence
    assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]


def test_a_directory_that_cannot_be_written_is_refused(folder: Path, port: str) -> None:
    folder.chmod(0o500)
    code, sentence = refused("up", "--data-dir", str(folder / "data"), "--port", port, ordinary=folder)
    assert code == 5
    assert sentence.startswith(f"The data directory {folder / 'data'} cannot be written: Permission denied")


def test_a_file_in_the_place_of_the_directory_is_refused(folder: Path, port: str) -> None:
    (folder / "data").touch()
    code, sentence = refused("up", "--data-dir", str(folder / "data"), "--port", port)
    assert (code, sentence) == (5, f"{folder / 'data'} is a file where a directory is needed.")


def test_a_path_through_a_file_is_refused(folder: Path, port: str) -> None:
    (folder / "file").touch()
    code, sentence = refused("up", "--data-dir", str(folder / "file" / "data"), "--port", port)
    assert (code, "cannot be written: Not a directory" in sentence) == (5, True)


@pytest.mark.parametrize("command", ["status", "up", "migrate", "seed", "doctor"])
def test_a_directory_of_somebody_else_is_refused_in_a_sentence(command: str, folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    data = folder / "data"
    data.mkdir(mode=0o700)
    (data / "lock").touch(mode=0o600)
    if os.geteuid() == 0:
        os.chown(data, 1, 1)
    else:
        data.chmod(0o000)
    done = tochka(command, "--data-dir", str(data), ordinary=home)
    assert done.returncode in {5, 11}, done.stdout + done.stderr
    assert "denied" in done.stdout + done.stderr or "not permitted" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_disk_that_is_nearly_full_is_refused(folder: Path, port: str) -> None:
    code, sentence = refused(
        *("up", "--data-dir", str(folder / "data"), "--port", port),
        settings={"TOCHKA_MIN_FREE_MB": "999999999"},
    )
    assert code == 6
    assert f"MB free on the disk of {folder / 'data'}, and 999999999 MB are needed" in sentence


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TOCHKA_PORT", "eighty", "TOCHKA_PORT is 'eighty': it must be a number."),
        ("TOCHKA_LIMITS", "none", "TOCHKA_LIMITS is 'none': it must be strict or relaxed."),
        ("TOCHKA_ENVIRONMENT", "prod", "TOCHKA_ENVIRONMENT is 'prod': it must be development or production."),
        (
            "TOCHKA_PUBLIC_URL",
            "rosta.example",
            "TOCHKA_PUBLIC_URL is 'rosta.example': "
            "it must be like http://localhost:8080 or https://rosta.example.",
        ),
        (
            "TOCHKA_PUBLIC_URL",
            "http://rosta.example:http",
            "TOCHKA_PUBLIC_URL is 'http://rosta.example:http': "
            "it must be like http://localhost:8080 or https://rosta.example.",
        ),
        (
            "TOCHKA_STOREFRONT_DOMAIN",
            "shops example",
            "TOCHKA_STOREFRONT_DOMAIN is 'shops example': "
            "it must be a domain, like localhost or shops.example.",
        ),
        *(
            (
                "TOCHKA_TRUSTED_PROXIES",
                proxies,
                f"TOCHKA_TRUSTED_PROXIES is {proxies!r}: "
                "it must be addresses or networks of your own, like 127.0.0.1,10.0.0.0/28.",
            )
            for proxies in (
                "proxy.example",
                "0.0.0.0/0",
                "127.0.0.1,::/0",
                "10.0.0.1/8",
                "0.0.0.0/1",
                "fe80::1%lo",
                "::ffff:10.0.0.1",
            )
        ),
        ("TOCHKA_HUNG_AFTER", "soon", "TOCHKA_HUNG_AFTER is 'soon': it must be a number."),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(name: str, value: str, sentence: str, folder: Path) -> None:
    assert refused("up", "--data-dir", str(folder / "data"), settings={name: value}) == (2, sentence)
    assert not (folder / "data").exists()


def test_a_database_server_that_does_not_answer_is_refused(folder: Path, port: str) -> None:
    nobody = free_ports(1)[0]
    code, sentence = refused(
        *("up", "--data-dir", str(folder / "data"), "--port", port),
        settings={"TOCHKA_DATABASE_URL": f"postgresql://admin:hush@127.0.0.1:{nobody}/postgres"},
    )
    assert (code, "hush" in sentence) == (7, False)
    assert sentence.startswith(f"The PostgreSQL server at 127.0.0.1:{nobody} does not answer")


@pytest.mark.anyio
async def test_a_database_role_without_rights_is_refused(
    postgres: ScratchPostgres, folder: Path, port: str
) -> None:
    database = await postgres.create_database("core", "tochka_owner", "tochka_app")
    code, sentence = refused(
        *("up", "--data-dir", str(folder / "data"), "--port", port),
        settings={"TOCHKA_DATABASE_URL": database.dsn("tochka_app")},
    )
    wanted = "The PostgreSQL role tochka_app needs the rights CREATEDB and CREATEROLE (or superuser)."
    assert (code, sentence) == (5, wanted)


def test_status_of_nothing_says_so(folder: Path) -> None:
    code, sentence = refused("status", "--data-dir", str(folder / "data"))
    assert (code, sentence.startswith("Nothing runs in")) == (10, True)


def test_the_help_names_every_command_and_exit_code() -> None:
    text = tochka("--help").stdout
    for word in ("up", "status", "doctor", "migrate", "seed", "module", "Exit codes", "no disk space"):
        assert word in text
