"""`tochka audit` beside a running stack: what it finds, what it prints, and how it ends."""

import asyncio
from pathlib import Path

import asyncpg
import httpx
import pytest
from tochka_sdk import tokens
from tochka_sdk.key_rings import Rings
from tochka_stack.secret_files import KEYRING

from stack.tests.driver import Up, refused, running, tochka, until

API = "/api/v1"
PHONE = "+79990001133"


def _database(up: Up, statement: str) -> list[asyncpg.Record]:
    """Do something to the core's database that only its operator can."""

    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(
            host="127.0.0.1",
            port=up.ports["postgres"],
            user="tochka_admin",
            password=up.data_dir.secrets["postgres-tochka_admin"],
            database="tochka",
        )
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def _sign_up(client: httpx.Client) -> None:
    body = {"phone": PHONE, "channel": "max"}
    challenge = client.post(f"{API}/auth/challenges", json=body).json()["challenge_id"]
    (newest, *_) = client.get(f"{API}/dev/inbox", params={"phone": PHONE}).json()
    answer = client.post(f"{API}/auth/challenges/{challenge}/confirm", json={"code": newest["code"]})
    assert answer.status_code == 200, answer.text


def _all_sealed(up: Up) -> bool:
    (row,) = _database(up, "SELECT count(*) AS n FROM audit_waiting")
    return bool(row["n"] == 0)


def _verify(up: Up, *options: str) -> tuple[int, list[str]]:
    """The exit code, and what was found; the last line, which counts, is checked on the way."""
    done = tochka("audit", "verify", *options, "--data-dir", str(up.data_dir.root))
    *findings, counted = done.stdout.splitlines()
    verdict = f"{len(findings)} finding" if findings else "Whole" if done.returncode == 0 else "Not all"
    assert counted.startswith(verdict), done.stdout + done.stderr
    return done.returncode, findings


@pytest.mark.proof
def test_the_trail_is_verified_beside_everything_that_runs(folder: Path) -> None:
    with running(folder) as up:
        base = f"http://127.0.0.1:{up.port}"
        with httpx.Client(base_url=base, headers={"Host": f"localhost:{up.port}"}, timeout=20) as client:
            _sign_up(client)
            until(lambda: _all_sealed(up), "everything is sealed")
            assert _verify(up) == (0, [])
            _tells_of_a_rotation(up)
            kept = _keeps_a_checkpoint(up, client)
        _finds_what_was_done(up, kept)
        _says_what_cannot_be_checked(up, kept)
        log = (up.data_dir.logs / "core-worker.log").read_text()
        assert '"audit.checkpoint"' in log
        assert up.stop() == 0
    code, sentence = refused("audit", "verify", "--data-dir", str(up.data_dir.root))
    assert (code, "Nothing runs" in sentence) == (2, True)


def _tells_of_a_rotation(up: Up) -> None:
    """Once, although two processes follow the file; and the trail goes on with the new key."""
    done = tochka("keys", "rotate", "--now", "--data-dir", str(up.data_dir.root))
    assert done.returncode == 0, done.stderr
    rings = Rings.parse(up.data_dir.secrets[KEYRING])

    def told() -> list[str]:
        rows = _database(up, "SELECT data->>'key' AS key FROM audit_entries WHERE action = 'keys.rotated'")
        return sorted(row["key"] for row in rows)

    signed = [key.name for ring in rings for key in ring.keys if key.state != "next"]
    until(lambda: told() == sorted(signed) and _all_sealed(up), "all keys that ever signed are recorded")
    assert _verify(up) == (0, [])


def _keeps_a_checkpoint(up: Up, client: httpx.Client) -> Path:
    """The command's and the log's are good for the same; anybody can check them by the published keys."""
    done = tochka("audit", "checkpoint", "--data-dir", str(up.data_dir.root))
    assert (done.returncode, done.stderr) == (0, "")
    published = {"keys": client.get("/.well-known/jwks.json").json()["tochka_audit"]}
    claims = tokens.verify(done.stdout.strip(), published, typ="audit-checkpoint+jwt")
    assert claims.keys() == {"iss", "aud", "iat", "seal", "entries", "hash"}
    (row,) = _database(up, "SELECT count(*) AS n FROM audit_entries")
    assert claims["entries"] == row["n"]
    kept = up.data_dir.root.parent / "kept"
    kept.write_text(done.stdout)
    assert _verify(up, "--checkpoint", str(kept)) == (0, [])
    assert _verify(up, "--checkpoint", str(up.data_dir.logs / "core-worker.log")) == (0, [])
    return kept


def _finds_what_was_done(up: Up, kept: Path) -> None:
    """To an entry, and to the end of the trail."""
    (row,) = _database(
        up,
        "UPDATE audit_entries SET action = 'person.signed_in' WHERE action = 'person.signed_up' RETURNING id",
    )
    code, findings = _verify(up)
    assert (code, len(findings)) == (1, 1)
    assert findings[0].startswith(f"✗ Entry {row['id']} (number ")
    assert findings[0].endswith(" was changed after it was sealed.")
    _database(up, "DELETE FROM audit_entries")
    _database(up, "DELETE FROM audit_seals")
    assert _verify(up) == (0, [])
    code, findings = _verify(up, "--checkpoint", str(kept))
    assert (code, len(findings)) == (1, 1)
    assert findings[0].startswith("✗ The trail was cut off: it ends with seal 0 and 0 entries")


def _says_what_cannot_be_checked(up: Up, kept: Path) -> None:
    data_dir = ("--data-dir", str(up.data_dir.root))
    for content in ("", "no checkpoint"):
        kept.write_text(content)
        done = tochka("audit", "verify", "--checkpoint", str(kept), *data_dir)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert str(kept) in done.stderr
    kept.unlink()
    assert tochka("audit", "verify", "--checkpoint", str(kept), *data_dir).returncode == 2
    empty = tochka("audit", "checkpoint", *data_dir)
    assert (empty.returncode, empty.stdout) == (2, "")
    assert "nothing has been sealed" in empty.stderr
    _database(up, "ALTER TABLE audit_seals RENAME TO somewhere_else")
    assert tochka("audit", "verify", *data_dir).returncode == 2
    _database(up, "ALTER TABLE somewhere_else RENAME TO audit_seals")
