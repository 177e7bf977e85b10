"""The key file while the core runs: taken whenever it changes, and only when it can be used."""

import base64
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from core_kit.codes import refusal
from core_kit.people import API, Owner, sign_up
from core_kit.running import RunningCore, core_settings, run_core, with_key_file
from core_kit.waiting import until
from tochka_sdk import clock, tokens
from tochka_sdk.key_rings import KEPT_S, PURPOSES, Ring, RingInvalid, Rings
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
COUNTED = 'tochka_keyring_reloads_total{result="refused"}'


def now() -> int:
    """Unix seconds."""
    return int(clock.now().timestamp())


def put(file: Path, text: str) -> None:
    """Replace the file in one step, as the operator's command does."""
    scratch = file.with_suffix(".new")
    scratch.write_text(text)
    os.replace(scratch, file)


def next_of(ring: Ring) -> str:
    """The name of the key that a turn has made."""
    assert ring.following is not None
    return ring.following.name


@dataclass
class Following:
    """A core that follows a key file, and somebody who is signed in there."""

    core: RunningCore
    file: Path
    rings: Rings
    owner: Owner

    async def jwks(self) -> dict[str, Any]:
        """What it publishes now."""
        return dict((await self.owner.client.get("/.well-known/jwks.json")).json())

    async def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """What it publishes, as soon as that fulfils the condition."""

        async def is_met() -> bool:
            return condition(await self.jwks())

        await until(is_met)
        return await self.jwks()

    async def turn(self) -> None:
        """Turn all rings, and wait until the core has taken them."""
        self.rings = self.rings.turned(PURPOSES, now(), at_once=True)
        put(self.file, self.rings.render())
        await self.until(lambda jwks: next_of(self.rings.webhook) in jwks["tochka_whpk"])

    async def metric(self, name: str) -> float:
        """A figure of `/metrics`."""
        async with httpx.AsyncClient(base_url=self.core.private_url) as private:
            lines = (await private.get("/metrics")).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))

    def token(self, key: Any) -> str:
        """The claims of the owner's token, signed by another key."""
        given = self.owner.client.headers["Authorization"].removeprefix("Bearer ")
        claims = tokens.decode(
            given, self.core.resources.keyring.access_keys, typ="at+jwt", issuer=ISSUER, audience="tochka"
        )
        return tokens.encode("at+jwt", claims, key)

    async def me(self, token: str) -> httpx.Response:
        """Ask who one is with a token."""
        return await self.owner.client.get(f"{API}/me", headers={"Authorization": f"Bearer {token}"})


ISSUER = "http://localhost:8080"


@pytest.fixture
async def following(
    core_database: ScratchDatabase, redis_url: str, tmp_path: Path
) -> AsyncIterator[Following]:
    """One more instance, with keys of its own."""
    file, rings = tmp_path / "keyring", Rings.fresh()
    put(file, rings.render())
    async with run_core(with_key_file(core_settings(core_database, redis_url), file)) as core:
        owner = await sign_up(core.url)
        yield Following(core, file, rings, owner)
        await owner.client.aclose()


def _kid(token: str) -> str:
    header = token.partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


async def test_a_turn_is_taken_while_it_runs_and_what_was_signed_before_still_counts(
    following: Following,
) -> None:
    first = following.rings
    published = await following.jwks()
    kids = [key["kid"] for key in published["keys"]]
    assert kids == [key.name for ring in (first.access, first.license) for key in ring.keys]
    assert published["tochka_whpk"] == [key.name for key in first.webhook.keys]
    assert [key["kid"] for key in published["tochka_audit"]] == [key.name for key in first.audit.keys]
    old = following.owner.client.headers["Authorization"].removeprefix("Bearer ")
    assert _kid(old) == first.access.active.name

    await following.turn()

    fresh = (await following.owner.client.post(f"{API}/auth/refresh")).json()["access_token"]
    assert _kid(fresh) == next_of(first.access)
    for token in (old, fresh):
        assert (await following.me(token)).status_code == 200
    kids = [key["kid"] for key in (await following.jwks())["keys"]]
    assert len(set(kids)) == len(kids) == 6
    assert first.access.active.name in kids
    published = await following.jwks()
    assert not any("d" in key for key in (*published["keys"], *published["tochka_audit"]))


async def test_a_token_of_an_instance_that_is_ahead_counts(following: Following) -> None:
    ahead = following.rings.access.following
    assert ahead is not None
    assert (await following.me(following.token(ahead.jwk))).status_code == 200
    rings = following.rings
    for other in (rings.license.active.jwk, rings.audit.active.jwk, tokens.generate_key()):
        got = await following.me(following.token(other))
        assert refusal(got) == (401, "accounts.unauthenticated")


async def test_a_retired_key_is_forgotten_when_its_time_has_come(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = following.rings.access.active
    token = following.token(old.jwk)
    turned = following.rings.turned(PURPOSES, now(), at_once=True)
    dying = [
        replace(key, since=now() - KEPT_S["access"] + 600) if key.state == "retired" else key
        for key in turned.access.keys
    ]
    following.rings = replace(turned, access=Ring("access", tuple(dying)))
    put(following.file, following.rings.render())
    await following.until(lambda jwks: len(jwks["keys"]) == 6)
    assert (await following.me(token)).status_code == 200
    monkeypatch.setattr("tochka_core.keyring._now", lambda: now() + 601)
    left = await following.until(lambda jwks: len(jwks["keys"]) == 5)
    assert old.name not in {key["kid"] for key in left["keys"]}
    assert refusal(await following.me(token)) == (401, "accounts.unauthenticated")


def _spoiled(rings: Rings) -> dict[str, str]:
    """Files that must not be taken."""
    document = json.loads(rings.render())
    reused = json.loads(rings.render())
    reused["license"][0]["key"] = reused["access"][0]["key"]
    return {
        "empty": "",
        "cut off": rings.render()[:-40],
        "reused": json.dumps(reused),
        "weak": json.dumps({**document, "webhook": [{**document["webhook"][0], "key": f"whsk_{'A' * 43}="}]}),
    }


@pytest.mark.parametrize("name", ["empty", "cut off", "reused", "weak", "gone"])
async def test_a_file_that_cannot_be_used_raises_an_alarm_and_changes_nothing(
    following: Following, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    before = await following.jwks()
    capsys.readouterr()
    counted = await following.metric(COUNTED)
    if name == "gone":
        following.file.unlink()
    else:
        put(following.file, _spoiled(following.rings)[name])

    async def has_raised_alarms() -> bool:
        return await following.metric(COUNTED) == counted + 2  # one of each of the process's two roles

    await until(has_raised_alarms)
    assert await following.metric("tochka_keyring_refused") == 1
    alarms = [line for line in capsys.readouterr().err.splitlines() if "keyring.refused" in line]
    assert len(alarms) == 2
    assert {json.loads(line)["level"] for line in alarms} == {"error"}
    for key in (key for ring in following.rings for key in ring.keys):
        assert key.private not in "".join(alarms)
    assert await following.jwks() == before
    assert (await following.owner.client.get(f"{API}/me")).status_code == 200
    assert (await following.owner.client.post(f"{API}/auth/refresh")).status_code == 200

    await following.turn()

    async def is_well_again() -> bool:
        return await following.metric("tochka_keyring_refused") == 0

    await until(is_well_again)


@contextmanager
def refused_at_start() -> Iterator[None]:
    """The process would not start."""
    with pytest.raises((RingInvalid, OSError)):
        yield


@pytest.mark.parametrize("name", ["empty", "cut off", "reused", "weak", "gone"])
async def test_a_core_does_not_start_with_keys_that_it_would_not_take(
    core_database: ScratchDatabase, redis_url: str, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "keyring"
    if name != "gone":
        file.write_text(_spoiled(Rings.fresh())[name])
    settings = with_key_file(core_settings(core_database, redis_url), file)
    with refused_at_start():
        async with run_core(settings):
            raise AssertionError("it started")


async def test_a_signing_key_is_none_of_the_other_secrets(
    core_database: ScratchDatabase, redis_url: str, tmp_path: Path
) -> None:
    file, rings = tmp_path / "keyring", Rings.fresh()
    file.write_text(rings.render())
    pepper = rings.webhook.active.private
    settings = with_key_file(core_settings(core_database, redis_url, code_pepper=pepper), file)
    with pytest.raises(RingInvalid, match="one purpose"):
        async with run_core(settings):
            raise AssertionError("it started")


async def test_the_private_listener_says_which_keys_were_taken(following: Following) -> None:
    async with httpx.AsyncClient(base_url=following.core.private_url) as private:
        for ring in following.rings:
            got = await private.get("/health/keys", params={"name": next_of(ring)})
            assert (got.status_code, got.json()) == (200, {"status": "taken"})
        for name in ("", "somebody"):
            assert (await private.get("/health/keys", params={"name": name})).status_code == 404
