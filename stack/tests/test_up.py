"""`tochka up` as a whole: what runs, who knows what, and that everything is found again whatever happened."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis
from tochka_sdk.signing import receiver_secret
from tochka_stack.data_dir import DataDir
from tochka_stack.engine_room import EngineRoom
from tochka_stack.engines.postgres import SUPERUSER
from tochka_stack.secret_files import KEYRING, KINDS
from tochka_stack.settings import StackSettings, read
from tochka_stack.testing import ScratchPostgres, scratch_folder
from tochka_stack.wiring import CORE_DATABASE, SHOP_DATABASE, Wiring

from stack.tests.driver import (
    PARTS,
    SERVICES,
    Up,
    answers,
    environment_of,
    refused,
    running,
    sql,
    starting,
    tochka,
    until,
)


def settings_of(up: Up) -> StackSettings:
    """The settings it was started with."""
    return read(data_dir=up.data_dir.root, port=up.port, environment={})


def wiring_of(up: Up) -> Wiring:
    """The wiring of a running stack."""
    settings = settings_of(up)
    engines = EngineRoom(settings, up.data_dir, up.ports)
    return Wiring(settings, up.data_dir, up.ports, engines.admin_dsn, engines.redis_url)


def gone(processes: list[psutil.Process]) -> bool:
    """Whether all of them end."""
    _, alive = psutil.wait_procs(processes, timeout=30)
    return not alive


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    """One running stack, for tests that leave it running."""
    with scratch_folder() as scratch:
        os.chown(scratch, os.geteuid(), os.getegid())
        scratch.chmod(0o711)
        with running(scratch) as started:
            yield started


def test_it_prints_one_line_per_address(up: Up) -> None:
    lines = up.text.splitlines()
    for address in (
        f"http://localhost:{up.port}/",
        f"http://localhost:{up.port}/docs",
        f"http://localhost:{up.port}/dev/inbox",
        f"http://<subdomain>.localhost:{up.port}",
    ):
        assert sum(line.endswith(f" {address}") for line in lines) == 1, up.text


def test_it_answers_through_the_gateway(up: Up) -> None:
    assert answers(up, "/.well-known/jwks.json") == 200
    assert answers(up, "/health/ready") == 404
    assert answers(up, "/", host="nobody-lives-here.localhost") == 404


def test_the_shop_stands_in_the_catalogue(up: Up) -> None:
    admin = wiring_of(up).admin_dsn.replace("/postgres", f"/{CORE_DATABASE.name}")
    assert sql(admin, "SELECT count(*) FROM modules") == 1


def test_status_knows_every_part(up: Up) -> None:
    status = up.status()
    assert set(status) == set(PARTS)
    assert {line["state"] for line in status.values()} == {"ready"}
    assert {name: line["pid"] for name, line in status.items()} == {name: up.pid(name) for name in PARTS}
    assert status["gateway"]["port"] == up.port
    assert tochka("status", "--data-dir", str(up.data_dir.root)).returncode == 0


def test_status_does_not_believe_a_part_that_hangs(up: Up) -> None:
    hung = [psutil.Process(up.pid(name)) for name in PARTS]
    try:
        for process in hung:
            process.suspend()
        assert {line["state"] for line in up.status().values()} == {"not ready"}
    finally:
        for process in hung:
            process.resume()
    until(lambda: {line["state"] for line in up.status().values()} == {"ready"}, "all is well again")


def test_doctor_finds_nothing_wrong_with_it(up: Up) -> None:
    done = tochka("doctor", "--data-dir", str(up.data_dir.root))
    wrong = [line for line in done.stdout.splitlines() if line.startswith("✗") and "panel" not in line]
    assert wrong == [], done.stdout


def test_a_second_start_in_the_same_directory_is_refused(up: Up) -> None:
    code, sentence = refused("up", "--data-dir", str(up.data_dir.root))
    assert (code, f"(pid {up.process.pid})" in sentence) == (3, True)


def test_a_second_start_on_the_same_port_is_refused(up: Up, folder: Path) -> None:
    code, sentence = refused("up", "--data-dir", str(folder / "data"), "--port", str(up.port))
    assert (code, f"The port {up.port} is in use" in sentence) == (3, True)


def test_migrate_and_seed_can_be_repeated_beside_it(up: Up) -> None:
    for command in ("migrate", "seed"):
        done = tochka(command, "--data-dir", str(up.data_dir.root))
        assert done.returncode == 0, done.stderr
    assert {line["state"] for line in up.status().values()} == {"ready"}


def test_webhooks_are_looked_at_waited_for_and_sent_again_beside_it(up: Up) -> None:
    place = ("--data-dir", str(up.data_dir.root))
    drained = tochka("webhooks", "drain", "--timeout", "30", *place)
    assert drained.returncode == 0, drained.stderr
    told = tochka("webhooks", "stats", "--json", *place)
    assert (told.returncode, json.loads(told.stdout)["queues"]) == (0, []), told.stderr
    news = ("webhooks", "replay", "--module", "shop", "--since", "2026-01-01")
    counted = tochka(*news, "--dry-run", *place)
    assert (counted.returncode, counted.stdout) == (0, "0 deliveries would be sent again.\n"), counted.stderr
    assert refused(*news, "--rate", "5", *place) == (2, "Not done: --module takes no --rate.")


def test_the_shop_keeps_the_contract_of_modules(up: Up) -> None:
    shop = f"http://127.0.0.1:{up.ports['shop']}"
    done = tochka("module", "check", shop, "--play", "shop", "--data-dir", str(up.data_dir.root))
    assert done.returncode == 0, done.stdout
    assert "the removal is carried out" in done.stdout


def test_what_is_no_module_fails_the_check(up: Up) -> None:
    done = tochka("module", "check", f"http://127.0.0.1:{up.port}")
    assert (done.returncode, "WRONG the manifest is served" in done.stdout) == (11, True)


def test_the_secret_of_a_module_is_the_one_that_the_core_signs_with(up: Up) -> None:
    done = tochka("module", "secret", "shop", "--data-dir", str(up.data_dir.root))
    master = up.data_dir.secrets["core-secret-key-master"].encode()
    assert (done.returncode, done.stdout.strip()) == (0, receiver_secret(master, "shop"))


def test_a_module_can_be_registered_with_its_public_key(up: Up, tmp_path: Path) -> None:
    shop = f"http://127.0.0.1:{up.ports['shop']}"
    key = tmp_path / "key.json"
    key.write_text(up.data_dir.secrets["shop-private-key"])  # its private half goes nowhere
    command = ("module", "register", shop, "--data-dir", str(up.data_dir.root), "--public-key")

    done = tochka(*command, str(key))
    assert done.returncode == 0, done.stderr
    code, sentence = refused(*command, "nowhere.json")
    assert (code, sentence) == (2, "--public-key is neither a JWK nor a file: nowhere.json.")


def test_nobody_else_can_read_the_secrets(up: Up) -> None:
    folder = up.data_dir.secrets.folder
    assert {path.name for path in folder.iterdir()} == set(KINDS)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert len({path.read_text() for path in folder.iterdir()}) == len(KINDS)


def test_every_part_knows_its_own_secrets_only(up: Up) -> None:
    values = {name: up.data_dir.secrets[name] for name in KINDS}
    core = {name for name in KINDS if name.startswith("core-")} - {KEYRING}
    known = {
        "core-web": core | {"postgres-tochka_app", "postgres-tochka_jobs", "redis"},
        "core-worker": core | {"postgres-tochka_app", "postgres-tochka_jobs", "redis"},
        "shop": {"shop-private-key", "postgres-shop_app"},
        "gateway": set(),
        "postgres": set(),
        "redis": set(),
    }
    for part, may_know in known.items():
        process = psutil.Process(up.pid(part))
        told = "\n".join([*environment_of(process.pid).values(), *process.cmdline()])
        assert {name for name, value in values.items() if value in told} == may_know, part
        assert (f"{up.data_dir.secrets.folder / KEYRING}" in told) is part.startswith("core-"), part


def test_core_and_shop_cannot_enter_each_others_database(up: Up) -> None:
    wiring = wiring_of(up)
    for ours, theirs in ((CORE_DATABASE, SHOP_DATABASE), (SHOP_DATABASE, CORE_DATABASE)):
        for role in ours.roles:
            own = wiring.dsn(ours, role)
            assert sql(own, "SELECT current_user") == role
            for closed in (theirs.name, "postgres", "template1"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    sql(f"{own.rpartition('/')[0]}/{closed}", "SELECT 1")


def test_no_role_of_ours_can_step_around_row_level_security(up: Up) -> None:
    query = (
        "SELECT array_agg(rolname::text ORDER BY rolname) FROM pg_roles"
        " WHERE rolname !~ '^pg_' AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)"
    )
    assert sql(wiring_of(up).admin_dsn, query) == [SUPERUSER]


def test_the_engines_do_not_run_as_root(up: Up) -> None:
    for part in ("postgres", "redis"):
        assert psutil.Process(up.pid(part)).uids().effective != 0


@pytest.mark.parametrize("part", [*SERVICES, "redis", "postgres"])
def test_a_part_that_is_killed_comes_back(up: Up, part: str) -> None:
    first = up.pid(part)
    psutil.Process(first).kill()
    until(lambda: up.pid(part) != first, f"{part} is started again")
    until(lambda: {line["state"] for line in up.status().values()} == {"ready"}, "all is well again")
    assert answers(up, "/.well-known/jwks.json") == 200


@pytest.mark.proof
def test_every_part_that_hangs_comes_back(folder: Path) -> None:
    with running(folder, settings={"TOCHKA_HUNG_AFTER": "3"}) as up:
        hung = {name: psutil.Process(up.pid(name)) for name in PARTS}
        for process in hung.values():
            process.suspend()
        until(lambda: not any(process.is_running() for process in hung.values()), "all are ended")
        until(lambda: {line["state"] for line in up.status().values()} == {"ready"}, "all is well again")
        assert answers(up, "/.well-known/jwks.json") == 200


@pytest.mark.proof
def test_internal_ports_that_are_lost_at_the_last_moment_are_chosen_anew(folder: Path) -> None:
    with starting(folder) as up:
        until(lambda: len(up.ports) > 0, "ports are chosen")
        first = up.ports
        with socket.create_server(("127.0.0.1", first["shop"])):
            until(lambda: "Ready after" in up.text or up.process.poll() is not None, "ready")
            assert {line["state"] for line in up.status().values()} == {"ready"}, up.text
            changed = {name for name, port in up.ports.items() if port != first[name]}
        assert (changed, up.stop()) == ({"shop"}, 0)


def leave_a_trace(up: Up) -> None:
    """Put something into each engine."""
    wiring = wiring_of(up)
    sql(wiring.admin_dsn, "CREATE TABLE traces AS SELECT 1 AS one", "SELECT 1")
    with redis.Redis.from_url(wiring.redis_url) as client:
        client.set("trace", "1")


def has_trace(up: Up) -> bool:
    """Whether it is still there."""
    wiring = wiring_of(up)
    with redis.Redis.from_url(wiring.redis_url) as client:
        return sql(wiring.admin_dsn, "SELECT one FROM traces") == 1 and client.get("trace") == b"1"


def test_a_signal_stops_everything_and_the_next_start_finds_it_again(folder: Path) -> None:
    with running(folder) as up:
        leave_a_trace(up)
        tree, ports, secrets = up.tree(), up.ports, {name: up.data_dir.secrets[name] for name in KINDS}
        assert up.stop(signal.SIGTERM) == 0
        assert gone(tree)
        assert "Stopped." in up.text
    with running(folder) as up:
        assert has_trace(up)
        assert "database" not in up.text  # it is known to be up to date
        assert (up.ports, {name: up.data_dir.secrets[name] for name in KINDS}) == (ports, secrets)
        tree = up.tree()
        assert up.stop(signal.SIGINT) == 0
        assert gone(tree)


@pytest.mark.proof
def test_a_database_that_a_newer_version_has_migrated_is_refused_and_left_alone(folder: Path) -> None:
    with running(folder) as up:
        dsn = wiring_of(up).dsn(CORE_DATABASE, CORE_DATABASE.owner)
        sql(dsn, "UPDATE alembic_version SET version_num = 'from-the-future'", "SELECT 1")
        assert up.stop() == 0
    code, sentence = refused("up", "--data-dir", str(up.data_dir.root), "--port", str(up.port))
    assert (code, "is at revision from-the-future, which this version does not know" in sentence) == (4, True)


@pytest.mark.proof
def test_an_append_only_file_that_was_damaged_is_refused_with_the_way_out(folder: Path) -> None:
    with running(folder) as up:
        leave_a_trace(up)
        assert up.stop() == 0
    engines = EngineRoom(settings_of(up), up.data_dir, up.ports).folder
    (log,) = engines.glob("redis/**/*.aof")
    whole = log.read_bytes()
    log.write_bytes(whole[:20] + b"garbage" + whole[20:])
    code, sentence = refused("up", "--data-dir", str(up.data_dir.root), "--port", str(up.port))
    assert (code, f"Move the append-only file in {log.parent} aside" in sentence) == (8, True), sentence
    log.unlink()
    with running(folder) as up:
        assert answers(up, "/.well-known/jwks.json") == 200


@pytest.mark.proof
def test_a_start_that_is_interrupted_leaves_nothing_behind(folder: Path) -> None:
    with starting(folder) as up:
        until(lambda: "postgres" in up.data_dir.recorded(), "the first part")
        tree = up.tree()
        assert up.stop(signal.SIGINT) == 0
        assert gone(tree)
    with running(folder) as up:
        assert {line["state"] for line in up.status().values()} == {"ready"}


@pytest.mark.proof
def test_everything_is_found_again_after_the_whole_tree_was_killed(folder: Path) -> None:
    with running(folder) as up:
        leave_a_trace(up)
        tree = up.tree()
        for process in tree:
            with suppress(psutil.NoSuchProcess):  # some notice that others have died
                process.kill()
        up.process.wait()
        assert gone(tree)
    with running(folder, port=up.port) as up:
        assert has_trace(up)


@pytest.mark.proof
def test_nothing_outlives_a_killed_supervisor_and_the_next_start_clears_what_cannot_hear(
    folder: Path,
) -> None:
    with running(folder) as up:
        leave_a_trace(up)
        tree = up.tree()
        deaf = [psutil.Process(up.pid(part)) for part in ("postgres", "redis", "gateway")]
        of_deaf = {process.pid for parent in deaf for process in (parent, *parent.children())}
        try:
            for process in deaf:
                process.suspend()
            up.process.kill()
            up.process.wait()
            assert gone([process for process in tree if process.pid not in of_deaf])
            with running(folder, port=up.port) as again:
                assert has_trace(again)
                assert gone(tree)
        finally:
            for process in deaf:
                with suppress(psutil.NoSuchProcess):
                    process.kill()


@pytest.mark.proof
def test_an_ordinary_user_can_run_it(folder: Path) -> None:
    with running(folder, ordinary=True) as up:
        assert answers(up, "/.well-known/jwks.json") == 200
        assert "since we are root" not in up.text
        tree = up.tree()
        assert up.stop() == 0
        assert gone(tree)


@pytest.mark.proof
def test_servers_of_somebody_else_can_be_used(
    folder: Path, postgres: ScratchPostgres, redis_url: str
) -> None:
    outside = {
        "TOCHKA_DATABASE_URL": postgres.superuser_dsn,
        "TOCHKA_REDIS_URL": redis_url,
        "TOCHKA_CORE_LOG_LEVEL": "WARNING",  # for the core, and for nobody else
    }
    with running(folder, settings=outside) as up:
        assert answers(up, "/.well-known/jwks.json") == 200
        assert set(up.data_dir.recorded()) == {"supervisor", *SERVICES}
        assert not (up.data_dir.root / "engines").exists()
        told = {name for name in SERVICES if "TOCHKA_CORE_LOG_LEVEL" in environment_of(up.pid(name))}
        assert told == {"core-web", "core-worker"}
        states = {name: line["state"] for name, line in up.status().items()}  # without these variables
        assert states == {"postgres": "external", "redis": "external", **dict.fromkeys(SERVICES, "ready")}
        assert not (up.data_dir.root / "engines").exists()
    for name in (CORE_DATABASE.name, SHOP_DATABASE.name):
        asyncio.run(postgres.drop_database(name))


def test_what_a_start_writes_is_for_its_owner_alone(up: Up) -> None:
    root = DataDir(up.data_dir.root).root
    readable = [path for path in root.iterdir() if path.is_file() and path.stat().st_mode & 0o077]
    assert readable == []
