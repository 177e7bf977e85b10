"""People who signed up as anyone does: through the API, with a code read from the development inbox."""

import itertools
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

_numbers = itertools.count(secrets.randbelow(8_000_000))
API = "/api/v1"


@dataclass(frozen=True)
class Owner:
    """One signed-in owner of one fresh tenant; `client` carries the token."""

    client: httpx.AsyncClient
    user_id: UUID
    tenant_id: UUID
    phone: str


def unique_phone() -> str:
    """A Russian mobile number that no other test of this session uses."""
    return f"+7999{next(_numbers) % 10_000_000:07d}"


async def read_code(client: httpx.AsyncClient, phone: str) -> str:
    """The newest code that went to `phone`."""
    answer = await client.get(f"{API}/dev/inbox", params={"phone": phone}, headers={"Host": "localhost:8080"})
    answer.raise_for_status()
    return str(answer.json()[0]["code"])


async def confirm(client: httpx.AsyncClient, phone: str, **body: str) -> dict[str, Any]:
    """Ask for a code, read it, type it: the whole of signing up or in."""
    challenge = await client.post(f"{API}/auth/challenges", json={"phone": phone, "channel": "max"})
    challenge.raise_for_status()
    code = await read_code(client, phone)
    path = f"{API}/auth/challenges/{challenge.json()['challenge_id']}/confirm"
    answer = await client.post(path, json={"code": code, **body})
    answer.raise_for_status()
    return dict(answer.json())


async def sign_up(url: str, phone: str | None = None) -> Owner:
    """A new owner; the caller closes `client`."""
    client = httpx.AsyncClient(base_url=url, timeout=20)
    number = phone or unique_phone()
    session = await confirm(client, number)
    client.headers["Authorization"] = f"Bearer {session['access_token']}"
    return Owner(client, UUID(session["user"]["id"]), UUID(session["tenants"][0]["id"]), number)


async def rename(owner: Owner, name: str) -> None:
    """Give the owner's tenant another name, which is news."""
    answer = await owner.client.patch(f"{API}/tenants/{owner.tenant_id}", json={"name": name})
    assert answer.status_code == 200, answer.text
