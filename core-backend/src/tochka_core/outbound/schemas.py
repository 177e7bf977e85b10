"""What is asked of the outside, what comes back, and who may ask how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

ErrorWord = Literal[
    "misshapen",  # not sent: the body is not what is published
    "internal",  # a fault of ours, whatever was sent or came back
    "url",  # not an address that we would ask
    "port_denied",
    "address_denied",
    "dns",
    "connect",
    "connect_timeout",
    "tls",
    "timeout",
    "protocol",
    "redirect",  # comes with its status
]
Closed = Literal["", "open", "probing", "asked", "rate", "concurrency"]

HTTPS_PORTS = frozenset({443, 8443})


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds that the parts of an exchange took; None: not known, or not done (a reused connection)."""

    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None  # from the start of the exchange, like `total`
    total: float | None = None

    def as_dict(self) -> dict[str, float]:
        """Those that are known."""
        pairs = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: round(value, 1) for name, value in pairs if value is not None}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, or the kind of `error` that kept it from coming. A redirect has both.

    `body` is cut off where the caller said, `is_cut` tells so. `headers` are named in small letters, repeated
    ones joined, and end after 8 kB. `address` is the machine that answered, where that is known.
    """

    status: int | None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    error: ErrorWord | None = None
    timings: Timings = Timings()
    address: str | None = None
    is_cut: bool = False

    @property
    def retry_after(self) -> str | None:
        """When the other side wants to be asked again, as it says it."""
        return self.headers.get("retry-after")

    @property
    def is_own_fault(self) -> bool:
        """Whether it says nothing of the other side: what went wrong went wrong here."""
        return self.error in {"misshapen", "internal"}

    @property
    def is_success(self) -> bool:
        """Whether it is a 2xx."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be asked of addresses that tenants name.

    `private_addresses` lets development reach its own machine and network, by http and on any port; what no
    machine of a developer answers at (link-local, metadata, multicast…) stays denied.
    """

    ports: frozenset[int] = HTTPS_PORTS
    private_addresses: bool = False
    denied_networks: tuple[IPv4Network | IPv6Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one name may be asked; None: without end. A grant that is never given back runs out by itself
    after `hold_s`, which must outlast the longest exchange.
    """

    rate_per_second: float | None = None
    concurrency: int | None = None
    hold_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Want:
    """So many requests to one name, please."""

    name: str
    count: int = 1
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Grant:
    """As many requests as there are `ids`; for more, ask again in `wait_s`.

    `why` says what kept the rest back: the breaker is `open`, or lets one request try (`probing`); the other
    side `asked` for a pause; the `rate` or the `concurrency` is used up.
    """

    name: str
    ids: tuple[str, ...]
    wait_s: float = 0.0
    why: Closed = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of grants, which are given back: all of `ids`, whatever came of them.

    `succeeded` and `failed` are for the breaker; what says nothing of the other side's health is neither.
    `pause_s` is how long the other side asked not to be asked again. Requests without a grant may be
    reported, too, with no ids.
    """

    name: str
    ids: tuple[str, ...] = ()
    succeeded: int = 0
    failed: int = 0
    pause_s: float = 0.0

    def followed_by(self, later: "Report") -> "Report | None":
        """Both in one, if what they say of the other side is the same."""
        same = bool(self.succeeded) == bool(later.succeeded) and bool(self.failed) == bool(later.failed)
        if self.name != later.name or not same:
            return None
        return Report(
            self.name,
            self.ids + later.ids,
            self.succeeded + later.succeeded,
            self.failed + later.failed,
            max(self.pause_s, later.pause_s),
        )
