"""The verification finds whatever was done to the trail behind its back, and says where."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest
from core_kit.codes import look
from core_kit.running import RunningCore, core_settings, run_core, with_key_file
from core_kit.sealing import newest_checkpoint, seal, seal_all, until_taken, verified
from tochka_core.audit import checkpoints, repository, seals, service
from tochka_core.audit.checkpoints import CheckpointMalformed
from tochka_core.audit.public import record
from tochka_core.audit.seals import Head
from tochka_core.audit.verification import Verification
from tochka_core.migrate import upgrade
from tochka_core.resources import Resources
from tochka_sdk import clock, tokens
from tochka_sdk.key_rings import PURPOSES, Rings
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

pytestmark = pytest.mark.anyio

SEALS, EACH = 5, 4
PAST_THE_RULES = "SET LOCAL session_replication_role = replica"  # no trigger, as one who owns the server can
KEEP = """
    CREATE TABLE kept_entries AS TABLE audit_entries;
    CREATE TABLE kept_seals AS TABLE audit_seals;
"""
PUT_BACK = """
    TRUNCATE audit_entries, audit_seals, audit_waiting;
    INSERT INTO audit_entries TABLE kept_entries;
    INSERT INTO audit_seals TABLE kept_seals;
"""


async def _deeds(resources: Resources, count: int = EACH) -> None:
    for number in range(count):
        async with resources.connections.system("a deed of nobody's") as connection:
            await record(connection, "codes.refused", data={"number": number, "phone": "+79990001122"})


@dataclass(frozen=True)
class Trail:
    """A sealed trail, and what somebody does to it who may do anything in the database."""

    database: ScratchDatabase
    platform: RunningCore
    ids: list[UUID]

    async def tamper(self, *statements: str, values: tuple[Any, ...] = ()) -> None:
        """Do it, and leave no trace in the tables; `values` go with the last statement."""
        connection = await asyncpg.connect(self.database.superuser_dsn)
        try:
            async with connection.transaction():
                await connection.execute(PAST_THE_RULES)
                for statement in statements[:-1]:
                    await connection.execute(statement)
                await connection.execute(statements[-1], *values)
        finally:
            await connection.close()

    async def findings(self, kept: str = "") -> list[str]:
        """What the verification says."""
        lines = checkpoints.read(kept.splitlines()) if kept else ()
        return (await verified(self.platform.jobs, lines))[0]

    def name(self, number: int) -> str:
        """How it speaks of the entry with a number."""
        return f"Entry {self.ids[number - 1]} (number {number}, seal {(number - 1) // EACH + 1})"


@pytest.fixture(scope="module")
async def sealed(postgres: ScratchPostgres, redis_url: str) -> AsyncIterator[Trail]:
    """Five seals of four entries each."""
    database = await postgres.create_database("sealed", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(database.owner_dsn)
    async with run_core(core_settings(database, redis_url)) as platform:
        for _ in range(SEALS):
            await _deeds(platform.resources)
            assert await seal(platform.jobs) == EACH
        rows = await look(database, "SELECT unnest(entry_ids) AS id FROM audit_seals ORDER BY position")
        found = Trail(database, platform, [row["id"] for row in rows])
        await found.tamper(KEEP)
        yield found
    await postgres.drop_database(database.name)


@pytest.fixture
async def trail(sealed: Trail) -> AsyncIterator[Trail]:
    """The same, put back afterwards as it was."""
    assert await sealed.findings() == []
    yield sealed
    await sealed.tamper(PUT_BACK)


async def test_a_trail_that_nobody_touched_is_whole(trail: Trail) -> None:
    kept = await newest_checkpoint(trail.platform.jobs)
    await _deeds(trail.platform.resources, 2)
    findings, verification = await verified(trail.platform.jobs, checkpoints.read([kept]))
    assert findings == verification.unchecked == []
    assert (verification.head.position, verification.head.entries) == (SEALS, SEALS * EACH)
    assert verification.waiting == 2


CHANGES = {
    "a digit of the data": "SET data = jsonb_set(data, '{number}', '7')",
    "a masked digit": """SET data = jsonb_set(data, '{phone}', '"+7******1123"')""",
    "a number that only looks different": "SET data = jsonb_set(data, '{number}', '2.0')",
    "the deed": "SET action = 'person.signed_in'",
    "the tenant": "SET tenant_id = gen_random_uuid()",
    "the person": "SET user_id = gen_random_uuid()",
    "the session": "SET session_id = gen_random_uuid()",
    "the subject": "SET subject_id = gen_random_uuid()",
    "the address": "SET address = '10.0.0.1'",
    "the request": "SET request_id = ''",
    "a microsecond": "SET occurred_at = occurred_at + interval '1 microsecond'",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_entry_is_found(trail: Trail, change: str) -> None:
    statement = " ".join(("UPDATE audit_entries", CHANGES[change], "WHERE id = $1"))
    await trail.tamper(statement, values=(trail.ids[10],))
    assert await trail.findings() == [f"{trail.name(11)} was changed after it was sealed."]


async def test_a_changed_entry_whose_leaf_was_changed_as_well_is_found(trail: Trail) -> None:
    await trail.tamper("UPDATE audit_entries SET action = 'x' WHERE id = $1", values=(trail.ids[9],))
    leaves = "UPDATE audit_seals SET leaves = overlay(leaves PLACING $1 FROM 33) WHERE position = 3"
    await trail.tamper(leaves, values=(await _leaf(trail, 10),))
    assert await trail.findings() == ["Seal 3 was changed: its hash is not that of what it holds."]


async def _leaf(trail: Trail, number: int) -> bytes:
    """The leaf of an entry as it is now."""
    async with trail.platform.jobs.connections.system("looks for a test") as connection:
        entries = await repository.list_sealed(connection, [trail.ids[number - 1]])
    return seals.leaf_of(number, entries[trail.ids[number - 1]])


async def test_a_missing_entry_is_found(trail: Trail) -> None:
    await trail.tamper("DELETE FROM audit_entries WHERE id = $1", values=(trail.ids[0],))
    assert await trail.findings() == [f"{trail.name(1)} is missing."]


async def test_an_entry_that_is_gone_before_it_was_sealed_is_found(trail: Trail) -> None:
    await _deeds(trail.platform.resources, 1)
    await trail.tamper("DELETE FROM audit_entries WHERE id IN (SELECT id FROM audit_waiting)")
    (waiting,) = await look(trail.database, "SELECT id FROM audit_waiting")
    await _deeds(trail.platform.resources, 1)
    assert await seal(trail.platform.jobs) == 1  # others are not held up by it
    assert await trail.findings() == [
        f"Entry {waiting['id']} is missing: it waits for a seal, and is not there."
    ]


async def test_an_added_entry_is_found(trail: Trail) -> None:
    add = "INSERT INTO audit_entries (id, action, data) VALUES ($1, 'person.signed_in', '{}')"
    new = UUID("00000000-0000-7000-8000-000000000001")
    await trail.tamper(add, values=(new,))
    assert await trail.findings() == [
        f"Entry {new} was added: no seal holds it, and it does not wait for one."
    ]


async def test_an_entry_that_is_sealed_twice_is_found(trail: Trail) -> None:
    await trail.tamper("INSERT INTO audit_waiting (id) VALUES ($1)", values=(trail.ids[6],))
    found = [f"Entry {trail.ids[6]} has 2 places: it was sealed more than once."]
    assert await trail.findings() == found
    assert await seal(trail.platform.jobs) == 1
    assert await trail.findings() == found


async def test_two_entries_that_changed_places_are_found(trail: Trail) -> None:
    swap = """
        UPDATE audit_entries a SET data = b.data, occurred_at = b.occurred_at FROM audit_entries b
        WHERE (a.id, b.id) IN (($1::uuid, $2::uuid), ($2::uuid, $1::uuid))
    """
    await trail.tamper(swap, values=(trail.ids[4], trail.ids[5]))
    assert await trail.findings() == [
        f"{trail.name(5)} was changed after it was sealed.",
        f"{trail.name(6)} was changed after it was sealed.",
    ]


async def test_two_entries_that_changed_places_in_their_seal_are_found(trail: Trail) -> None:
    await trail.tamper(
        "UPDATE audit_seals SET entry_ids = ARRAY[entry_ids[2], entry_ids[1], entry_ids[3], entry_ids[4]], "
        "leaves = substr(leaves, 33, 32) || substr(leaves, 1, 32) || substr(leaves, 65) WHERE position = 2"
    )
    findings = await trail.findings()
    assert "Seal 2 was changed: its hash is not that of what it holds." in findings
    assert len(findings) == 3  # the leaves of both entries hold their numbers


async def test_two_seals_that_changed_places_are_found(trail: Trail) -> None:
    await trail.tamper(
        "UPDATE audit_seals SET position = 99 WHERE position = 2",
        "UPDATE audit_seals SET position = 2 WHERE position = 3",
        "UPDATE audit_seals SET position = 3 WHERE position = 99",
    )
    findings = await trail.findings()
    for position in (2, 3):
        assert f"Seal {position} was changed: its hash is not that of what it holds." in findings
        assert f"The signature of seal {position} is that of another content." in findings
    assert "Seal 2 does not follow seal 1: it holds the hash of another one." in findings
    assert f"{trail.name(1)} was changed after it was sealed." not in findings


async def test_missing_seals_are_found(trail: Trail) -> None:
    await trail.tamper("DELETE FROM audit_seals WHERE position IN (2, 3)")
    findings = await trail.findings()
    assert findings[0] == "Seals 2 to 3 are missing."
    assert len(findings) == 1 + 2 * EACH  # and their entries are held by none
    assert all("no seal holds it" in finding for finding in findings[1:])


CUT = (
    "DELETE FROM audit_entries WHERE id IN (SELECT unnest(entry_ids) FROM audit_seals WHERE position > 3)",
    "DELETE FROM audit_seals WHERE position > 3",
)


async def test_an_end_that_was_cut_off_is_found_by_a_checkpoint_that_was_kept(trail: Trail) -> None:
    kept = await newest_checkpoint(trail.platform.jobs)
    await trail.tamper(*CUT)
    assert await trail.findings() == []  # what is left is a trail that once was
    cut_off = (
        "The trail was cut off: it ends with seal 3 and 12 entries, "
        "and the checkpoint in line 2 tells of seal 5 and 20 entries."
    )
    assert await trail.findings(f"\n{kept}\n") == [cut_off]
    # and when it has grown on as if nothing had happened
    for _ in range(3):
        await _deeds(trail.platform.resources)
        await seal(trail.platform.jobs)
    line = orjson.dumps({"event": "audit.checkpoint", **checkpoints.flattened(kept)}).decode()
    log = f'{{"event": "dispatcher.started"}}\n{line}\n'
    assert await trail.findings(log) == ["Seal 5 is not the one of which the checkpoint in line 2 tells."]


async def test_a_seal_that_somebody_else_signed_is_found(trail: Trail) -> None:
    for position in (2, SEALS):
        await _sign_anew(trail, position)
        assert await trail.findings() == [
            f"Seal {position} is signed with a key that is none of the platform's."
        ]
        await trail.tamper(PUT_BACK)


async def _sign_anew(trail: Trail, position: int) -> None:
    """With a key of one's own, and otherwise exactly as it was."""
    (row,) = await look(trail.database, "SELECT checkpoint FROM audit_seals WHERE position = $1", position)
    claims = tokens.verify(row["checkpoint"], trail.platform.jobs.keyring.audit, typ=seals.CHECKPOINT)
    forged = tokens.encode(seals.CHECKPOINT, claims, tokens.generate_key())
    update = "UPDATE audit_seals SET checkpoint = $1 WHERE position = $2"
    await trail.tamper(update, values=(forged, position))


SPOILED: dict[str, Callable[[str], str]] = {
    "no signature": lambda token: token.rpartition(".")[0] + ".",
    "another's signature": lambda token: token[:-8] + "AAAAAAAA",
    "not even one": lambda _: "checkpoint",
}


@pytest.mark.parametrize("how", SPOILED)
async def test_a_signature_that_is_not_one_is_found(trail: Trail, how: str) -> None:
    (row,) = await look(trail.database, "SELECT checkpoint FROM audit_seals WHERE position = 4")
    update = "UPDATE audit_seals SET checkpoint = $1 WHERE position = 4"
    await trail.tamper(update, values=(SPOILED[how](row["checkpoint"]),))
    assert await trail.findings() == ["The signature of seal 4 is not valid."]


async def test_a_token_of_another_kind_signs_no_seal(trail: Trail) -> None:
    """Were the key ever used for something else, that would not open the trail."""
    claims = seals.claims_of(await _head(trail, 4))
    other = tokens.encode("license+jwt", claims, trail.platform.jobs.keyring.audit)
    await trail.tamper("UPDATE audit_seals SET checkpoint = $1 WHERE position = 4", values=(other,))
    assert await trail.findings() == ["The signature of seal 4 is not valid."]


async def _head(trail: Trail, position: int) -> Head:
    (row,) = await look(trail.database, "SELECT hash FROM audit_seals WHERE position = $1", position)
    return Head(position, row["hash"], position * EACH)


async def test_a_whole_trail_rewritten_by_somebody_without_the_key_is_found(trail: Trail) -> None:
    """Every hash anew, every seal signed, and the key written into the trail itself."""
    own = tokens.generate_key()
    x = own.as_dict(private=False)["x"]
    told = {"purpose": "audit", "key": own.kid, "public": x}
    named = "UPDATE audit_entries SET action = 'keys.rotated', data = $1 WHERE id = $2"
    await trail.tamper(named, values=(orjson.dumps(told).decode(), trail.ids[0]))
    await trail.tamper("INSERT INTO audit_waiting SELECT id FROM audit_entries")
    await trail.tamper("DELETE FROM audit_seals")
    async with trail.platform.jobs.connections.system("forges") as connection:
        forged = replace(trail.platform.jobs.keyring, audit=own)
        assert await service.seal(connection, forged, "http://localhost:8080") == SEALS * EACH
    (finding,) = await trail.findings()
    assert finding.startswith("Seal 1, the newest one, is signed with a key that the platform has no more.")
    for _ in range(2):  # and the platform does not vouch for it by going on
        await _deeds(trail.platform.jobs, 1)
        await seal(trail.platform.jobs)
        found = await trail.findings()
        assert found == ["Seal 1 was not one of the platform's when seal 2 was put on it."]


async def test_an_entry_that_names_a_key_and_means_none_does_no_harm(trail: Trail) -> None:
    nonsense: list[Any] = [{"purpose": "audit"}, {"purpose": "audit", "public": [1], "key": "k"}, [], 7]
    connection = await asyncpg.connect(trail.database.dsn("tochka_app"))
    add = "INSERT INTO audit_entries (id, action, data) VALUES (gen_random_uuid(), 'keys.rotated', $1)"
    for data in nonsense:
        await connection.execute(add, orjson.dumps(data).decode())
    await connection.close()
    assert await seal(trail.platform.jobs) == len(nonsense)
    assert await trail.findings() == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "There is no checkpoint in it."),
        ('{"event": "dispatcher.started"}', "There is no checkpoint in it."),
        ("\nsomething", "Line 2 of it is no checkpoint."),
        ("a.b.c", "Line 1 of it is no checkpoint."),
        ("{", "Line 1 of it is no checkpoint."),
        ("e30.e30.e30", "Line 1 of it is no checkpoint."),
    ],
)
def test_a_file_without_a_checkpoint_is_said_so(text: str, sentence: str) -> None:
    with pytest.raises(CheckpointMalformed) as refused:
        checkpoints.read(text.splitlines())
    assert str(refused.value) == sentence


async def test_a_checkpoint_that_proves_nothing_is_said_so(trail: Trail) -> None:
    kept = await newest_checkpoint(trail.platform.jobs)
    spoiled = kept[:-8] + "AAAAAAAA"
    claims = seals.claims_of(await _head(trail, 4))
    foreign = tokens.encode(seals.CHECKPOINT, claims, tokens.generate_key())
    findings, verification = await verified(trail.platform.jobs, checkpoints.read([spoiled, foreign]))
    assert findings == []
    assert verification.unchecked == [
        "The signature of the checkpoint in line 1 is not valid: it tells nothing.",
        "Neither the key file nor the trail knows the key of the checkpoint in line 2.",
    ]


async def test_the_trail_remembers_the_keys_that_the_platform_has_forgotten(
    trail_database: ScratchDatabase, redis_url: str, tmp_path: Any
) -> None:
    file, rings = tmp_path / "keyring", Rings.fresh()
    file.write_text(rings.render())
    async with run_core(with_key_file(core_settings(trail_database, redis_url), file)) as platform:
        kept = []
        for _ in range(3):
            async with platform.jobs.connections.system("as the sealer does") as connection:
                await service.record_rotations(connection, platform.jobs.keyring.rotations)
                await service.record_rotations(connection, platform.jobs.keyring.rotations)
            await _deeds(platform.resources)
            await seal_all(platform.jobs)
            kept.append(await newest_checkpoint(platform.jobs))
            rings = rings.turned(PURPOSES, int(clock.now().timestamp()), at_once=True)
            file.write_text(rings.render())
            await until_taken(platform.jobs, rings)
        told = await look(trail_database, "SELECT data FROM audit_entries WHERE action = 'keys.rotated'")
        assert len(told) == 3 * len(PURPOSES)
        # as if a year had passed: what is left of the ring is the key that signed last
        newest = next(key for key in rings.audit.keys if key.state == "retired")
        signer = tokens.public_jwk(newest.jwk)
        verification = Verification(platform.jobs.connections, [signer], checkpoints.read(kept))
        assert [finding async for finding in verification.findings()] == []
        assert verification.unchecked == []
        assert verification.head.position == 3
