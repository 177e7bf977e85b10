"""What is sent: bodies of 1 kB to one receiver or to a thousand, each at an address of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from tochka_core.outbox.events import InstallationFailed
from tochka_sdk.events import Envelope, LicenseUpdated
from tochka_sdk.ids import uuid7

from bench.durable import MODULE, TENANTS, numbered

DOOR = "/_tochka/webhooks"
SIZE = 1024
NEWS = {"one": "license.updated", "many": "installation.failed"}
"""Modules are told of licenses; endpoints, of what became of an installation."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One body for one receiver. `body` is what a sender without envelopes of its own posts."""

    id: UUID
    tenant_id: UUID
    url: str
    data: dict[str, str]
    body: bytes


def address(number: int) -> str:
    """One of the loopback's many addresses."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def write(count: int, to: str, port: int) -> Iterator[Letter]:
    """So many letters, their tenants in turn, `to` one receiver or many."""
    for number in range(count):
        tenant = number % TENANTS + 1
        host = "127.0.0.1" if to == "one" else address(tenant)
        data = _data(to)
        id, tenant_id = uuid7(), numbered(tenant)
        yield Letter(id, tenant_id, f"http://{host}:{port}{DOOR}", data, _body(id, tenant_id, to, data))


def _data(to: str) -> dict[str, str]:
    """As much as makes a body of `SIZE`."""
    room = SIZE - len(_body(UUID(int=0), UUID(int=0), to, _fill(to, 0)))
    return _fill(to, room)


def _fill(to: str, room: int) -> dict[str, str]:
    if to == "one":
        return LicenseUpdated(license="l" * room).model_dump()
    return InstallationFailed(module=MODULE, code="bench", detail="d" * room).model_dump()


def _body(id: UUID, tenant_id: UUID, to: str, data: dict[str, str]) -> bytes:
    return Envelope(
        id=str(id),
        type=NEWS[to],
        timestamp=datetime.now(UTC),
        sequence=1,
        schema_version=1,
        tenant_id=tenant_id,
        installation_id=numbered(1),
        receiver=MODULE if to == "one" else str(tenant_id),
        data=data,
    ).to_bytes()
