"""`Idempotency-Key` for every POST that creates: claim the key, work, keep the answer; one transaction.

    async def create(transaction: TenantConnection, key: IdempotencyKey = None, ...):
        mark = fingerprint("POST /installations", tenant_id, body)
        if key and (stored := await replay(connection, user_id, key, mark)):
            return stored.response()
        ...
        if key:
            await remember(connection, user_id, key, mark, 201, answer)

Two parallel calls with one key serialise on the key's row: the second waits until the first has committed
and gets its answer, or does the work itself if the first was rolled back. Refusals are not remembered.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Header
from pydantic import BaseModel
from starlette.responses import Response
from tochka_sdk.db import Connection

from tochka_core.idempotency import repository
from tochka_core.idempotency.errors import KeyReused

TTL = timedelta(hours=24)
REPLAYED = "Idempotency-Replayed"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Repeats with the same key are answered alike for 24 hours (a code: while it holds).",
    ),
]


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer that the first request with this key was given."""

    status: int
    body: Any

    def response(self) -> Response:
        """The same answer again, marked as a repetition."""
        return Response(
            orjson.dumps(self.body), self.status, {REPLAYED: "true"}, media_type="application/json"
        )


def fingerprint(operation: str, tenant_id: UUID | None, body: BaseModel | None = None) -> str:
    """What a request asks for, as a digest: its operation ("POST /tenants"), its tenant and its body."""
    asked = {
        "operation": operation,
        "tenant": None if tenant_id is None else str(tenant_id),
        "body": None if body is None else body.model_dump(mode="json"),
    }
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


async def replay(connection: Connection, user_id: UUID, key: str, fingerprint: str) -> StoredAnswer | None:
    """The stored answer, or None: then the key is claimed and the caller does the work and `remember`s.

    Raises:
        KeyReused: the key was used for another request.
    """
    if await repository.claim(connection, user_id, key, fingerprint, TTL):
        return None
    entry = await repository.get(connection, user_id, key)
    if entry.fingerprint != fingerprint:
        raise KeyReused
    return StoredAnswer(entry.status, entry.body)


async def remember(
    connection: Connection, user_id: UUID, key: str, fingerprint: str, status: int, body: Any
) -> None:
    """Keep the answer (JSON-ready) under the key that `replay` claimed in this transaction."""
    await repository.fill(connection, user_id, key, fingerprint=fingerprint, status=status, body=body)
