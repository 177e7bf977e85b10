"""What each part is told: its own settings and secrets, and nobody else's."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from tochka_stack.data_dir import DataDir
from tochka_stack.databases import DatabasePlan
from tochka_stack.parts import Part
from tochka_stack.ports import LOOPBACK, require
from tochka_stack.probes import answers, speaks
from tochka_stack.processes import Command, base_environment
from tochka_stack.secret_files import KEYRING, SecretFiles, public_half
from tochka_stack.settings import StackSettings

if TYPE_CHECKING:
    from tochka_sdk.signing import PlatformSigner

CORE_DATABASE = DatabasePlan("tochka", "tochka_owner", ("tochka_app", "tochka_jobs"))
SHOP_DATABASE = DatabasePlan("tochka_shop", "shop_owner", ("shop_app",))
CORE_MODULE = "tochka_core.main"
SHOP_MODULE = "tochka_shop"


@dataclass(frozen=True)
class Migration:
    """A program that brings one database up to date; `folders` hold all that it is made of."""

    name: str
    title: str
    database: str
    owner_dsn: str
    folders: tuple[Path, ...]
    command: Command


def channels_check(settings: StackSettings) -> Command:
    """Asks the services that carry codes; needs no data directory and nothing that runs."""
    own = settings.for_child("TOCHKA_CORE_")
    told = {"TOCHKA_CORE_PUBLIC_URL": settings.public_url, **own}
    return Command(
        argv=(sys.executable, "-m", CORE_MODULE, "channels"),
        environment=base_environment(settings.path, **told),
        folder=settings.checkout,
    )


@dataclass(frozen=True)
class Wiring:
    """Builds the commands of core, shop and gateway from what the engines and the settings are."""

    settings: StackSettings
    data_dir: DataDir
    ports: Mapping[str, int]
    admin_dsn: str
    redis_url: str

    @property
    def secrets(self) -> SecretFiles:
        """The secrets of this data directory."""
        return self.data_dir.secrets

    def passwords(self, plan: DatabasePlan) -> dict[str, str]:
        """The roles of a database with their passwords."""
        return {role: self.secrets[f"postgres-{role}"] for role in plan.roles}

    def dsn(self, plan: DatabasePlan, role: str) -> str:
        """How `role` reaches a database, on the server of `admin_dsn`."""
        parts = urlsplit(self.admin_dsn)
        host = parts.netloc.rpartition("@")[2]
        netloc = f"{role}:{quote(self.secrets[f'postgres-{role}'], safe='')}@{host}"
        return urlunsplit((parts.scheme, netloc, f"/{plan.name}", parts.query, ""))

    def migrations(self) -> tuple["Migration", "Migration"]:
        """How the databases are brought to their newest revision: nobody else knows the owners' passwords."""
        checkout = self.settings.checkout
        core, shop = (self.dsn(plan, plan.owner) for plan in (CORE_DATABASE, SHOP_DATABASE))
        shop_told = {**self._shop_environment(), "TOCHKA_MODULE_OWNER_DATABASE_URL": shop}
        return (
            Migration(
                name="core-migrate",
                title="Core database",
                database=CORE_DATABASE.name,
                owner_dsn=core,
                folders=(checkout / "core-backend" / "migrations",),
                command=self._python(CORE_MODULE, "migrate", TOCHKA_CORE_OWNER_DATABASE_URL=core),
            ),
            Migration(
                name="shop-migrate",
                title="Shop database",
                database=SHOP_DATABASE.name,
                owner_dsn=shop,
                folders=(checkout / "modules" / "shop" / "migrations", checkout / "sdk" / "src"),
                command=self._python(SHOP_MODULE, "migrate", **shop_told),
            ),
        )

    def register(self, url: str, public_key: str) -> Command:
        """Enter a module in the catalogue."""
        return self._core("register", "--url", url, "--public-key", public_key)

    def audit(self, deed: str, *arguments: str) -> Command:
        """Verify the audit trail, or print its newest checkpoint."""
        return self._core("audit", deed, *arguments)

    def webhooks(self, deed: str, *arguments: str) -> Command:
        """Show how the queues stand, wait until they are empty, or send deliveries again."""
        return self._core("webhooks", deed, *arguments)

    def recover(self, was: str, phone: str, user_id: str | None, *, take: bool) -> Command:
        """Let somebody in again whose number opens nothing any more."""
        chosen = ("--user-id", user_id) if user_id else ()
        return self._core("recover", "--was", was, "--phone", phone, *chosen, *(("--take",) if take else ()))

    def register_shop(self) -> Command:
        """Enter the shop in the catalogue."""
        return self.register(self.shop_url, public_half(self.secrets["shop-private-key"]))

    def signer(self, module_id: str) -> "PlatformSigner":
        """Signs for a module as the core does, with the core's keys."""
        from tochka_sdk.key_rings import Rings
        from tochka_sdk.signing import PlatformSigner, receiver_secret

        rings = Rings.parse(self.secrets[KEYRING])
        return PlatformSigner(
            module_id,
            issuer=self.settings.public_url,
            webhook_key=rings.webhook.active.private,
            secret=receiver_secret(self.secrets["core-secret-key-master"].encode(), module_id),
            signing_key=rings.access.active.jwk,
            license_key=rings.license.active.jwk,
        )

    @property
    def shop_url(self) -> str:
        """Where the core and the gateway reach the shop."""
        return f"http://{LOOPBACK}:{self.ports['shop']}"

    def core_web(self) -> Part:
        """The API."""
        private = self.ports["core_private"]
        return Part(
            name="core-web",
            title="Core",
            command=lambda: self._core("web"),
            is_ready=lambda: answers(private, "GET /health/ready"),
            is_alive=lambda: speaks(private, "GET /health/live"),
            ports=(self.ports["core"], private),
        )

    def core_worker(self) -> Part:
        """The dispatcher."""
        port = self.ports["core_worker"]
        return Part(
            name="core-worker",
            title="Worker",
            command=lambda: self._core("worker"),
            is_ready=lambda: answers(port, "GET /health/ready"),
            is_alive=lambda: speaks(port, "GET /health/live"),
            ports=(port,),
        )

    def shop(self) -> Part:
        """The shop."""
        port = self.ports["shop"]
        return Part(
            name="shop",
            title="Shop",
            command=lambda: self._python(SHOP_MODULE, "web", **self._shop_environment()),
            is_ready=lambda: answers(port, "GET /_tochka/health"),
            is_alive=lambda: speaks(port, "GET /_tochka/health"),
            ports=(port,),
        )

    def gateway(self) -> Part:
        """The one public door."""
        port, host = self.settings.port, self.settings.host
        probe = LOOPBACK if host in {"0.0.0.0", "localhost"} else "::1" if host == "::" else host  # noqa: S104  compared, not bound
        return Part(
            name="gateway",
            title="Gateway",
            command=self._gateway_command,
            prepare=lambda: require(port, host),  # or somebody else's server would look like ours
            is_ready=lambda: answers(port, "OPTIONS *", probe),  # answered by Caddy itself, and not logged
            is_alive=lambda: speaks(port, "OPTIONS *", probe),
            ports=(port,),
            host=host,
        )

    def _core(self, *arguments: str) -> Command:
        return self._python(CORE_MODULE, *arguments, **self._core_environment())

    def _python(self, module: str, *arguments: str, **environment: str) -> Command:
        prefix = "TOCHKA_CORE_" if module == CORE_MODULE else "TOCHKA_MODULE_"
        return Command(
            argv=(sys.executable, "-m", module, *arguments),
            environment=base_environment(
                self.settings.path, **(environment | self.settings.for_child(prefix))
            ),
            folder=self.settings.checkout,
        )

    def _core_environment(self) -> dict[str, str]:
        settings, secrets, ports = self.settings, self.secrets, self.ports
        values = {
            "ENVIRONMENT": settings.environment,
            "PUBLIC_URL": settings.public_url,
            "STOREFRONT_DOMAIN": settings.storefront_domain,
            "STOREFRONT_SCHEME": settings.scheme,
            "STOREFRONT_PORT_SUFFIX": settings.port_suffix,
            "DATABASE_URL": self.dsn(CORE_DATABASE, "tochka_app"),
            "JOBS_DATABASE_URL": self.dsn(CORE_DATABASE, "tochka_jobs"),
            "REDIS_URL": self.redis_url,
            "KEYRING_FILE": str(secrets.folder / KEYRING),
            "CODE_PEPPER": secrets["core-code-pepper"],
            "SESSION_KEY": secrets["core-session-key"],
            "SECRET_KEY_MASTER": secrets["core-secret-key-master"],
            "HOST": LOOPBACK,
            "PORT": str(ports["core"]),
            "PRIVATE_HOST": LOOPBACK,
            "PRIVATE_PORT": str(ports["core_private"]),
            "WORKER_PORT": str(ports["core_worker"]),
            "LIMITS": settings.limits,
            "DEV_INBOX": "true" if settings.has_inbox else "false",
            "WEBHOOK_PRIVATE_ADDRESSES": "false" if settings.environment == "production" else "true",
        }
        return {f"TOCHKA_CORE_{name}": value for name, value in values.items()}

    def _shop_environment(self) -> dict[str, str]:
        values = {
            "ENVIRONMENT": self.settings.environment,
            "LIMITS": self.settings.limits,
            "DATABASE_URL": self.dsn(SHOP_DATABASE, "shop_app"),
            "CORE_URL": f"http://{LOOPBACK}:{self.ports['core']}",
            "ISSUER": self.settings.public_url,
            "CORE_JWKS": "",
            "PRIVATE_KEY": self.secrets["shop-private-key"],
            "PUBLIC_SCHEME": self.settings.scheme,
            "HOST": LOOPBACK,
            "PORT": str(self.ports["shop"]),
            "BASE_URL": self.shop_url,
            "UPLOADS_DIR": str(self.data_dir.uploads),
        }
        return {f"TOCHKA_MODULE_{name}": value for name, value in values.items()}

    def _gateway_environment(self) -> dict[str, str]:
        settings = self.settings
        targets = f"{settings.scheme}://*.{settings.storefront_domain}{settings.port_suffix}"
        return {
            "HOME": str(self.data_dir.gateway),
            "XDG_DATA_HOME": str(self.data_dir.gateway),
            "XDG_CONFIG_HOME": str(self.data_dir.gateway),
            "TOCHKA_GATEWAY_BIND": f"[{settings.host}]" if ":" in settings.host else settings.host,
            "TOCHKA_GATEWAY_LISTEN_PORT": str(settings.port),
            "TOCHKA_GATEWAY_TRUSTED_PROXIES": " ".join(settings.trusted_proxies),
            "TOCHKA_GATEWAY_STATE": str(self.data_dir.gateway),
            "TOCHKA_GATEWAY_PAGES": str(settings.checkout / "gateway" / "pages"),
            "TOCHKA_GATEWAY_FORM_TARGETS": targets,
            "TOCHKA_CORE_PUBLIC": f"{LOOPBACK}:{self.ports['core']}",
            "TOCHKA_CORE_PRIVATE": f"{LOOPBACK}:{self.ports['core_private']}",
            "TOCHKA_PANEL_DIR": str(settings.checkout / "core-frontend" / "dist"),
            "TOCHKA_GATEWAY_SCHEME": settings.scheme,
            "TOCHKA_PLATFORM_HOSTS": " ".join(sorted({"localhost", LOOPBACK, "::1", settings.public_host})),
            "TOCHKA_STOREFRONT_DOMAIN": settings.storefront_domain,
        }

    def _gateway_command(self) -> Command:
        settings = self.settings
        caddyfile = settings.checkout / "gateway" / "Caddyfile"
        return Command(
            argv=(
                *(str(Path(sys.executable).with_name("caddy")), "run"),
                *("--config", str(caddyfile), "--adapter", "caddyfile"),
            ),
            environment=base_environment(
                settings.path, **(self._gateway_environment() | settings.for_child("TOCHKA_GATEWAY_"))
            ),
            folder=settings.checkout,
        )
