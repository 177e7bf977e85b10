"""What the stack can be told: arguments, then the environment, then defaults. Read here and nowhere else."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from tochka_stack.refusals import Misconfigured

ENVIRONMENTS = ("development", "production")
LIMITS = ("strict", "relaxed")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
CHOICES = (
    *("host", "port", "environment", "limits", "public_url", "storefront_domain"),
    *("database_url", "redis_url"),
)
PASSED_ON = frozenset({"TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "no_proxy"})
_DOMAIN = re.compile(r"(?=.{1,200}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_HOST = re.compile(rf"{_DOMAIN.pattern}|[0-9a-f:.]+")
PASSED_PREFIXES = ("TOCHKA_CORE_", "TOCHKA_MODULE_", "TOCHKA_GATEWAY_")


@dataclass(frozen=True)
class StackSettings:
    """One machine's choices."""

    data_dir: Path
    checkout: Path
    host: str = "127.0.0.1"
    port: int = 8080
    environment: str = "development"
    limits: str = "relaxed"
    public_url: str = "http://localhost:8080"
    storefront_domain: str = "localhost"
    trusted_proxies: tuple[str, ...] = ()
    database_url: str | None = None
    redis_url: str | None = None
    min_free_mb: int = 300
    hung_after: int = 60
    path: str = os.defpath
    passed_on: Mapping[str, str] = field(default_factory=dict)

    def choices(self) -> dict[str, str | int | None]:
        """What commands beside a running stack must know of how it was started."""
        return {name: getattr(self, name) for name in CHOICES}

    @property
    def public_host(self) -> str:
        """The panel's host name, without a port."""
        return urlsplit(self.public_url).hostname or "localhost"

    @property
    def scheme(self) -> str:
        """`http` or `https`, as browsers see it; storefronts have the same as the panel."""
        return urlsplit(self.public_url).scheme

    @property
    def port_suffix(self) -> str:
        """`:8080`, or nothing on the scheme's own port."""
        port = urlsplit(self.public_url).port
        return f":{port}" if port else ""

    @property
    def storefront_pattern(self) -> str:
        """The address of any storefront, for people."""
        return f"{self.scheme}://<subdomain>.{self.storefront_domain}{self.port_suffix}"

    @property
    def has_inbox(self) -> bool:
        """Whether one-time codes may be read in the browser: never where another machine could read them, and
        never behind a proxy, which is this machine to us.
        """
        return self.environment == "development" and self.host in LOOPBACK and not self.trusted_proxies

    def for_child(self, prefix: str) -> dict[str, str]:
        """What the operator's own environment says to the children with this prefix, and to all of them."""
        return {
            name: value
            for name, value in self.passed_on.items()
            if name.startswith(prefix) or not name.startswith(PASSED_PREFIXES)
        }


def read(
    *,
    data_dir: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    environment: Mapping[str, str] = os.environ,  # noqa: TID251  the one place where it is read
) -> StackSettings:
    """Settings from the given arguments and the environment. Raises Misconfigured in one sentence."""
    port = port if port is not None else _number("TOCHKA_PORT", environment.get("TOCHKA_PORT") or "8080")
    kind = _one_of("TOCHKA_ENVIRONMENT", environment.get("TOCHKA_ENVIRONMENT") or "development", ENVIRONMENTS)
    limits = environment.get("TOCHKA_LIMITS") or ("strict" if kind == "production" else "relaxed")
    public_url = _address("TOCHKA_PUBLIC_URL", environment.get("TOCHKA_PUBLIC_URL") or _local_url(port))
    if not 0 < port < 65536:
        raise Misconfigured(f"The port {port} is not between 1 and 65535.")
    return StackSettings(
        data_dir=(data_dir or Path(environment.get("TOCHKA_DATA_DIR") or ".tochka")).expanduser().absolute(),
        checkout=Path(__file__).resolve().parents[3],
        host=host or environment.get("TOCHKA_HOST") or "127.0.0.1",
        port=port,
        environment=kind,
        limits=_one_of("TOCHKA_LIMITS", limits, LIMITS),
        public_url=public_url,
        storefront_domain=_domain(
            "TOCHKA_STOREFRONT_DOMAIN", environment.get("TOCHKA_STOREFRONT_DOMAIN") or "localhost"
        ),
        trusted_proxies=_networks("TOCHKA_TRUSTED_PROXIES", environment.get("TOCHKA_TRUSTED_PROXIES") or ""),
        database_url=environment.get("TOCHKA_DATABASE_URL") or None,
        redis_url=environment.get("TOCHKA_REDIS_URL") or None,
        min_free_mb=_number("TOCHKA_MIN_FREE_MB", environment.get("TOCHKA_MIN_FREE_MB") or "300"),
        hung_after=_number("TOCHKA_HUNG_AFTER", environment.get("TOCHKA_HUNG_AFTER") or "60"),
        path=environment.get("PATH") or os.defpath,
        passed_on={
            name: value
            for name, value in environment.items()
            if name in PASSED_ON or name.startswith(PASSED_PREFIXES)
        },
    )


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Misconfigured(f"{name} is {text!r}: it must be a number.") from None


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise Misconfigured(f"{name} is {value!r}: it must be {' or '.join(allowed)}.")
    return value


def _address(name: str, text: str) -> str:
    """The address of a site: scheme, host and perhaps a port, without a slash at the end."""
    try:
        parts = urlsplit(text)
        is_sound = bool(parts.hostname and _HOST.fullmatch(parts.hostname)) and parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound or parts.scheme not in {"http", "https"} or parts.path.strip("/") or "@" in text:
        raise Misconfigured(
            f"{name} is {text!r}: it must be like http://localhost:8080 or https://rosta.example."
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _domain(name: str, text: str) -> str:
    if not _DOMAIN.fullmatch(text.lower()):
        raise Misconfigured(f"{name} is {text!r}: it must be a domain, like localhost or shops.example.")
    return text.lower()


def _networks(name: str, text: str) -> tuple[str, ...]:
    """Addresses and networks, but not half of the internet: whoever is in one says who the client is."""
    try:
        networks = [ip_network(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError:
        networks = []
    if bool(networks) != bool(text.strip()) or not all(map(_is_ones_own, networks)):
        raise Misconfigured(
            f"{name} is {text!r}: it must be addresses or networks of your own, like 127.0.0.1,10.0.0.0/28."
        )
    return tuple(map(str, networks))


def _is_ones_own(network: IPv4Network | IPv6Network) -> bool:
    """Whether anybody can have it, and Caddy reads it: no zone, no IPv4 in the guise of IPv6."""
    if isinstance(network, IPv4Network):
        return network.prefixlen >= 8
    address = network.network_address
    return network.prefixlen >= 16 and address.scope_id is None and address.ipv4_mapped is None


def _local_url(port: int) -> str:
    return "http://localhost" if port == 80 else f"http://localhost:{port}"
