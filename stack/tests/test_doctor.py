"""`tochka doctor` says what would go wrong, and an exit code says whether anything would."""

import socket
from pathlib import Path

import pytest
from tochka_stack.data_dir import DataDir
from tochka_stack.doctor import examine
from tochka_stack.domain_names import registrable
from tochka_stack.settings import read

from stack.tests.driver import tochka

PRODUCTION = {
    "TOCHKA_ENVIRONMENT": "production",
    "TOCHKA_PUBLIC_URL": "https://rosta.example",
    "TOCHKA_STOREFRONT_DOMAIN": "rosta-shops.example",
}


def problems(folder: Path, port: str, **environment: str) -> list[str]:
    """The sentences of the problems; the panel may or may not be built where tests run."""
    settings = read(data_dir=folder / "data", port=int(port), environment=environment)
    return [
        finding.sentence
        for finding in examine(settings)
        if finding.grade == "problem" and finding.subject != "panel"
    ]


def test_a_sound_machine_has_no_problems(folder: Path, port: str) -> None:
    assert problems(folder, port) == []
    assert problems(folder, port, **PRODUCTION) == []
    assert not (folder / "data").exists()


@pytest.mark.parametrize("storefronts", ["shops.rosta.example", "rosta.example"])
def test_in_production_panel_and_storefronts_may_not_share_a_domain(
    folder: Path, port: str, storefronts: str
) -> None:
    settings = {**PRODUCTION, "TOCHKA_STOREFRONT_DOMAIN": storefronts}
    (sentence,) = problems(folder, port, **settings)
    assert "so that a shop could set cookies for the panel" in sentence


def test_in_production_plain_http_and_relaxed_limits_are_problems(folder: Path, port: str) -> None:
    settings = {**PRODUCTION, "TOCHKA_PUBLIC_URL": "http://rosta.example", "TOCHKA_LIMITS": "relaxed"}
    assert [sentence.partition(" is ")[0] for sentence in problems(folder, port, **settings)] == [
        "TOCHKA_PUBLIC_URL",
        "TOCHKA_LIMITS",
    ]


@pytest.mark.parametrize("name", ["MAX_BOT_TOKEN", "TELEGRAM_BOT_TOKEN", "TELEGRAM_GATEWAY_TOKEN", "SMS_URL"])
def test_in_production_something_has_to_carry_codes(folder: Path, port: str, name: str) -> None:
    for environment, found in (
        (PRODUCTION, True),
        ({**PRODUCTION, f"TOCHKA_CORE_{name}": "x"}, False),
        ({}, False),
    ):
        settings = read(data_dir=folder / "data", port=int(port), environment=environment)
        subjects = {finding.subject: finding.grade for finding in examine(settings)}
        assert subjects.get("channels") == ("warning" if found else None)


def test_secrets_that_others_can_read_are_a_problem(folder: Path, port: str) -> None:
    data_dir = DataDir(folder / "data")
    data_dir.open()
    data_dir.secrets.ensure_all()
    assert problems(folder, port) == []

    leaked = data_dir.secrets.folder / "core-session-key"
    leaked.chmod(0o644)
    assert problems(folder, port) == [f"{leaked} can be read by others: chmod go-rwx {leaked}"]


def test_data_of_another_postgres_is_a_problem(folder: Path, port: str) -> None:
    cluster = folder / "data" / "engines" / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("15\n")
    assert problems(folder, port) == ["The data belongs to PostgreSQL 15 and this is PostgreSQL 18."]


def test_the_command_says_it_all_and_fails(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = tochka("doctor", "--data-dir", str(folder / "data"), "--port", port)
    assert done.returncode == 11
    assert f"✗ port: The port {port} is in use by another program" in done.stdout
    assert "problem" in done.stderr


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("shop.example.com", "example.com"),
        ("example.com", "example.com"),
        ("a.b.shop.com.ru", "shop.com.ru"),
        ("Panel.Example.ORG.", "example.org"),
        ("localhost", "localhost"),
    ],
)
def test_the_registrable_domain_of_a_host(host: str, domain: str) -> None:
    assert registrable(host) == domain
