"""Passwords, being asked again, and changes of numbers, as people make them."""

from datetime import timedelta
from typing import Any

import httpx
from tochka_stack.testing import ScratchDatabase

from core_kit.codes import look
from core_kit.people import API, Owner, read_code

PASSWORD = "ежевика под дождём 7"
CHANNEL = {"channel": "max"}


async def set_password(
    client: httpx.AsyncClient, password: str = PASSWORD, current: str | None = None
) -> httpx.Response:
    """Set a password."""
    body = {"password": password} | ({} if current is None else {"current_password": current})
    return await client.put(f"{API}/me/password", json=body)


async def login(
    client: httpx.AsyncClient, phone: str, password: str = PASSWORD, **body: str
) -> httpx.Response:
    """Sign in with a password."""
    return await client.post(f"{API}/auth/login", json={"phone": phone, "password": password, **body})


async def grow_stale(database: ScratchDatabase, owner: Owner, age: timedelta = timedelta(minutes=11)) -> None:
    """Let time pass since the person was asked last, and get the token that tells so."""
    query = """
        UPDATE sessions SET created_at = created_at - $2::interval, authenticated_at = NULL WHERE user_id = $1
    """
    await look(database, query, owner.user_id, age)
    answer = await owner.client.post(f"{API}/auth/refresh")
    answer.raise_for_status()
    owner.client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


async def new_phone_challenge(owner: Owner, phone: str) -> str:
    """Ask for another number; the id of the change."""
    answer = await owner.client.post(f"{API}/me/phone-changes", json={"phone": phone, **CHANNEL})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["challenge_id"])


async def prove_new_phone(owner: Owner, change_id: str, code: str) -> httpx.Response:
    """Type the code that came to the new number."""
    return await owner.client.post(f"{API}/me/phone-changes/{change_id}/confirm", json={"code": code})


async def changing(owner: Owner, phone: str) -> httpx.Response:
    """Ask for another number and prove it."""
    change_id = await new_phone_challenge(owner, phone)
    return await prove_new_phone(owner, change_id, await read_code(owner.client, phone))


async def prove_old_phone(owner: Owner, change_id: str, old: str) -> httpx.Response:
    """Have a code sent to the old number, and type it."""
    path = f"{API}/me/phone-changes/{change_id}/old-phone"
    asked = await owner.client.post(path, json=CHANNEL)
    assert asked.status_code == 202, asked.text
    body: dict[str, Any] = {"challenge_id": asked.json()["challenge_id"]}
    body["code"] = await read_code(owner.client, old)
    return await owner.client.post(f"{path}/confirm", json=body)
