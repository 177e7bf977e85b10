"""Sessions whose refresh tokens a test holds in its hands."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from tochka_stack.testing import ScratchDatabase

from core_kit.codes import answer, challenge, look
from core_kit.people import API


async def native_session(client: httpx.AsyncClient) -> dict[str, Any]:
    """A session whose refresh token we hold in our hands."""
    challenge_id, _, code = await challenge(client, token_delivery="body")
    return dict((await answer(client, challenge_id, code)).json())


async def refresh(client: httpx.AsyncClient, token: str, **body: Any) -> httpx.Response:
    """Use a refresh token that is held in our hands."""
    return await client.post(f"{API}/auth/refresh", json={"refresh_token": token, **body})


async def session_row(database: ScratchDatabase, token: str) -> dict[str, Any]:
    """The row of the session of a refresh token."""
    session_id = UUID(token.split(".")[1])
    (row,) = await look(database, "SELECT * FROM sessions WHERE id = $1", session_id)
    return row


async def age_session(database: ScratchDatabase, token: str, column: str, by: timedelta) -> None:
    """Move a moment of the session into the past."""
    query = f"UPDATE sessions SET {column} = {column} - $2::interval WHERE id = $1"  # noqa: S608  this file's own
    await look(database, query, UUID(token.split(".")[1]), by)


async def is_signed_in(client: httpx.AsyncClient, access_token: str) -> bool:
    """Whether an access token opens anything."""
    got = await client.get(f"{API}/me", headers={"Authorization": f"Bearer {access_token}"})
    assert got.status_code in (200, 401)
    return got.status_code == 200
