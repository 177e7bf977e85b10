"""A repeated POST with one key happens once and is answered alike, also when repeated at once."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from core_kit.codes import look, refusal
from core_kit.people import API, Owner
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _found(person: Owner, key: str | None, name: str = "Лавка", **body: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await person.client.post(f"{API}/tenants", json={"name": name, **body}, headers=headers)


async def _count(person: Owner) -> int:
    return len((await person.client.get(f"{API}/tenants")).json()["items"])


async def test_a_repetition_is_answered_alike_and_does_nothing(owner: Owner) -> None:
    first = await _found(owner, "key-1")
    again = await _found(owner, "key-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await _count(owner) == 2


async def test_without_a_key_each_request_counts(owner: Owner) -> None:
    assert (await _found(owner, None)).json()["id"] != (await _found(owner, None)).json()["id"]
    assert await _count(owner) == 3


async def test_a_key_belongs_to_one_request(owner: Owner) -> None:
    await _found(owner, "key-1")
    for got in (await _found(owner, "key-1", "Другая"), await _found(owner, "key-1", locale="en")):
        assert refusal(got) == (422, "idempotency.mismatch")
    assert await _count(owner) == 2
    assert (await _found(owner, "key-2", "Другая")).status_code == 201


async def test_a_key_belongs_to_one_person(owner: Owner, stranger: Owner) -> None:
    first, second = await _found(owner, "shared"), await _found(stranger, "shared")
    assert first.json()["id"] != second.json()["id"]
    assert (await _count(owner), await _count(stranger)) == (2, 2)


async def test_twenty_at_once_happen_once(owner: Owner) -> None:
    answers = await asyncio.gather(*(_found(owner, "burst") for _ in range(20)))
    assert Counter(got.status_code for got in answers) == {201: 20}
    assert len({got.json()["id"] for got in answers}) == 1
    assert await _count(owner) == 2


async def test_different_requests_with_one_key_at_once_let_one_through(owner: Owner) -> None:
    answers = await asyncio.gather(*(_found(owner, "burst", f"№ {number}") for number in range(8)))
    assert Counter(got.status_code for got in answers) == {201: 1, 422: 7}
    assert await _count(owner) == 2


async def test_a_request_that_failed_leaves_its_key_free(
    owner: Owner, core_database: ScratchDatabase
) -> None:
    function = (
        "CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name = 'Нельзя' THEN "
        "RAISE EXCEPTION 'no' USING ERRCODE = '57P01'; END IF; RETURN NEW; END $$"
    )
    trigger = "CREATE TRIGGER refuses BEFORE INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION refuses()"
    for statement in (function, trigger):
        await look(core_database, statement)
    try:
        assert refusal(await _found(owner, "key-1", "Нельзя")) == (503, "database.unavailable")
    finally:
        for statement in ("DROP TRIGGER refuses ON tenants", "DROP FUNCTION refuses()"):
            await look(core_database, statement)
    assert (await _found(owner, "key-1", "Нельзя")).status_code == 201
    assert await _count(owner) == 2


async def test_a_key_is_free_again_after_a_day(owner: Owner, core_database: ScratchDatabase) -> None:
    first = await _found(owner, "key-1")
    query = "UPDATE idempotency_keys SET created_at = created_at - interval '25 hours' WHERE user_id = $1"
    await look(core_database, query, owner.user_id)
    second = await _found(owner, "key-1", "Другая")
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "ключ".encode()])
async def test_a_malformed_key_is_refused(owner: Owner, key: str | bytes) -> None:
    headers = httpx.Headers([(b"idempotency-key", key if isinstance(key, bytes) else key.encode())])
    got = await owner.client.post(f"{API}/tenants", json={"name": "Лавка"}, headers=headers)
    assert refusal(got) == (422, "request.invalid")
    assert await _count(owner) == 1
