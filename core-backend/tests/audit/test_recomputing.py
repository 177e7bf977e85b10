"""The hashes and signatures are what docs/adr/0010 says: recomputed here from SQL, with nothing of ours."""

import base64
import hashlib
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from core_kit.codes import look
from core_kit.running import RunningCore
from core_kit.sealing import seal
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tochka_core.audit.public import Actor, record
from tochka_core.audit.schemas import Detail
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

MOMENT = """'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'"""
ENTRIES = " ".join(
    (
        "SELECT id::text, tenant_id::text, user_id::text, session_id::text, action, subject_id::text,",
        "address::text, request_id, data::text,",
        f"to_char(occurred_at AT TIME ZONE 'UTC', {MOMENT}) AS occurred_at FROM audit_entries",
    )
)
SEALS = " ".join(
    (
        "SELECT position, first_number, entry_ids::text[], leaves, previous_hash, hash, checkpoint,",
        f"to_char(sealed_at AT TIME ZONE 'UTC', {MOMENT}) AS sealed_at FROM audit_seals ORDER BY position",
    )
)


def _hash(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def test_anybody_can_recompute_the_chain_and_check_its_signatures(
    platform: RunningCore, trail_database: ScratchDatabase
) -> None:
    everything = Actor(uuid4(), uuid4(), "2001:db8::7")
    data: dict[str, Detail] = {
        "name": "Пекарня «Ё» 🥐",
        "count": -7,
        "flag": True,
        "nothing": None,
        "Ключ": 'a"b\\c\n',
    }
    for tenant_id, by, address in ((None, Actor(), None), (uuid4(), everything, "2001:db8::7/128")):
        async with platform.jobs.connections.system("deeds of every kind") as connection:
            await record(connection, "tenant.renamed", by=by, tenant_id=tenant_id, data=data)
        assert await seal(platform.jobs) == 1
        assert (await look(trail_database, f"{ENTRIES} ORDER BY id DESC LIMIT 1"))[0]["address"] == address

    entries = {row["id"]: row for row in await look(trail_database, ENTRIES)}
    async with httpx.AsyncClient(base_url=platform.url) as client:
        published = (await client.get("/.well-known/jwks.json")).json()["tochka_audit"]
    keys = {key["kid"]: Ed25519PublicKey.from_public_bytes(_decoded(key["x"])) for key in published}
    number, previous = 0, bytes(32)
    for row in await look(trail_database, SEALS):
        leaves = []
        for entry_id in row["entry_ids"]:
            number += 1
            entry = entries.pop(entry_id)
            leaves.append(_hash({**entry, "data": json.loads(entry["data"]), "number": number}))
        assert b"".join(leaves) == row["leaves"]
        content = {
            "position": row["position"],
            "first_number": row["first_number"],
            "previous_hash": previous.hex(),
            "entry_ids": row["entry_ids"],
            "leaves": hashlib.sha256(row["leaves"]).hexdigest(),
            "sealed_at": row["sealed_at"],
        }
        assert _hash(content) == row["hash"]
        header, claims, signature = row["checkpoint"].split(".")
        said = json.loads(_decoded(header))
        assert (said["alg"], said["typ"]) == ("EdDSA", "audit-checkpoint+jwt")
        keys[said["kid"]].verify(_decoded(signature), f"{header}.{claims}".encode())
        told = json.loads(_decoded(claims))
        assert (told["seal"], told["entries"], told["hash"]) == (row["position"], number, row["hash"].hex())
        previous = row["hash"]
    assert (number, entries) == (2, {})
