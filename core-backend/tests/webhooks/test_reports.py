"""The modules' side door: `ready`, `failed`, licenses, and who may knock."""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

import httpx
import pytest
from core_kit.activation import activate, outcome, read, until_step
from core_kit.codes import look, refusal
from core_kit.modules import REMOVED, REQUESTED, ScriptedModule, answers, registered_module
from core_kit.people import Owner
from core_kit.running import RunningCore
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tochka_sdk import clock, tokens
from tochka_sdk import license as licenses
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
def working(module: ScriptedModule) -> ScriptedModule:
    """A module that says that it is working on it."""
    module.on[REQUESTED] = answers(202)
    return module


async def test_ready_makes_it_live_and_may_be_repeated(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, working: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, working.id)
    await until_step(owner, body["id"], "accepted")
    for _ in range(2):
        answer = await working.call(core.url, "POST", f"/installations/{body['id']}/ready")
        assert (answer.status_code, answer.json()) == (200, {"status": "live"})
    assert (await outcome(owner, body["id"]))["status"] == "live"
    query = "SELECT status FROM deliveries WHERE tenant_id = $1"
    assert await look(core_database, query, owner.tenant_id) == [{"status": "delivered"}]
    assert working.effects == {REQUESTED: 1}


async def test_failed_undoes_it_in_the_modules_words(
    core: RunningCore, owner: Owner, working: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, working.id)
    await until_step(owner, body["id"], "accepted")
    words = {"code": "shop.no_space", "detail": "No space\nleft."}
    for _ in range(2):
        answer = await working.call(core.url, "POST", f"/installations/{body['id']}/failed", json=words)
        assert (answer.status_code, answer.json()) == (200, {"status": "failed"})
    failed = await outcome(owner, body["id"])
    assert failed["failure"] == {"code": "shop.no_space", "detail": "No space left."}
    await working.wait_for(REMOVED)
    assert working.effects == {REQUESTED: 1, REMOVED: 1}
    late = await working.call(core.url, "POST", f"/installations/{body['id']}/ready")
    assert refusal(late) == (409, "installations.not_provisioning")


async def test_failed_comes_too_late_for_what_is_live(
    core: RunningCore, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    words = {"code": "shop.no_space", "detail": "No."}
    late = await module.call(core.url, "POST", f"/installations/{body['id']}/failed", json=words)
    assert refusal(late) == (409, "installations.not_provisioning")
    assert (await read(owner, body["id"]))["status"] == "live"


@pytest.mark.parametrize(
    "words", [{}, {"code": "Not A Code", "detail": ""}, {"code": "a", "detail": "x" * 501}]
)
async def test_a_malformed_report_is_refused(
    core: RunningCore, owner: Owner, working: ScriptedModule, words: dict[str, str]
) -> None:
    body = await activate(owner, working.id)
    answer = await working.call(core.url, "POST", f"/installations/{body['id']}/failed", json=words)
    assert refusal(answer) == (422, "request.invalid")
    assert (await read(owner, body["id"]))["status"] == "provisioning"


async def test_ready_and_failed_at_once_have_one_winner(
    core: RunningCore, owner: Owner, working: ScriptedModule, dispatcher: None
) -> None:
    for _ in range(5):
        body = await activate(owner, working.id)
        await until_step(owner, body["id"], "accepted")
        path = f"/installations/{body['id']}"
        words = {"code": "shop.no_space", "detail": "No."}
        ready, failed = await asyncio.gather(
            working.call(core.url, "POST", f"{path}/ready"),
            working.call(core.url, "POST", f"{path}/failed", json=words),
        )
        assert sorted((ready.status_code, failed.status_code)) == [200, 409]
        expected = "live" if ready.status_code == 200 else "failed"
        assert (await read(owner, body["id"]))["status"] == expected


async def test_a_license_is_signed_afresh_for_its_own_module(
    core: RunningCore, owner: Owner, module: ScriptedModule
) -> None:
    body = await activate(owner, module.id)
    answer = await module.call(core.url, "GET", f"/licenses/{body['id']}")
    assert answer.status_code == 200
    resources = core.resources
    found = licenses.verify(
        answer.json()["license"], resources.keyring.jwks(), module.id, resources.addresses.issuer
    )
    assert (str(found.sub), found.access, found.tenant_id) == (body["id"], "full", owner.tenant_id)


async def test_a_module_never_sees_anothers(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, working: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, working.id)
    await until_step(owner, body["id"], "accepted")
    words = {"code": "shop.no_space", "detail": "No."}
    async with registered_module(core.resources, core.jobs) as other:
        calls: list[tuple[str, str, dict[str, Any]]] = [
            ("POST", f"/installations/{body['id']}/ready", {}),
            ("POST", f"/installations/{body['id']}/failed", {"json": words}),
            ("GET", f"/licenses/{body['id']}", {}),
        ]
        for method, path, options in calls:
            answer = await other.call(core.url, method, path, **options)
            assert refusal(answer) == (404, "installations.unknown")
        for query in ({}, {"tenant_id": str(owner.tenant_id)}):
            feed = await other.call(core.url, "GET", "/events", params=query)
            assert (feed.status_code, feed.json()["items"]) == (200, [])
    assert (await read(owner, body["id"]))["status"] == "provisioning"


def _claims(core: RunningCore, module: ScriptedModule, **changes: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    issuer = core.resources.addresses.issuer
    claims = {"iss": module.id, "sub": module.id, "aud": issuer, "iat": now, "exp": now + 60}
    return {**claims, **changes}


@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519"])
@pytest.mark.parametrize("name", [None, "my-key"])
async def test_a_module_s_token_may_call_the_key_as_its_library_does(
    core: RunningCore, owner: Owner, module: ScriptedModule, alg: str, name: str | None
) -> None:
    body = await activate(owner, module.id)
    header = {"alg": alg, "typ": "module+jwt"} | ({} if name is None else {"kid": name})
    signed = ".".join(_part(part) for part in (header, _claims(core, module)))
    private = Ed25519PrivateKey.from_private_bytes(
        urlsafe_b64decode(str(module.key.as_dict(private=True)["d"]) + "=")
    )
    token = f"{signed}.{_text(private.sign(signed.encode()))}"
    answer = await module.call(core.url, "GET", f"/licenses/{body['id']}", token=token)
    assert answer.status_code == 200


def _part(value: dict[str, Any]) -> str:
    return _text(json.dumps(value).encode())


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


async def test_only_a_short_lived_token_of_the_module_itself_opens_the_door(
    core: RunningCore, owner: Owner, module: ScriptedModule
) -> None:
    body = await activate(owner, module.id)
    now = int(clock.now().timestamp())
    hour = int(timedelta(hours=1).total_seconds())
    bad = {
        "another audience": module.token(aud="https://elsewhere.example"),
        "another subject": module.token(sub="another"),
        "another issuer": module.token(iss="no-such-module"),
        "an issuer that is none": module.token(iss={"a": 1}),
        "expired": module.token(iat=now - hour, exp=now - hour + 60),
        "too long": module.token(exp=now + hour),
        "from the future": module.token(iat=now + hour, exp=now + hour + 60),
        "without an end": module.token(exp=None),
        "another kind": tokens.encode("at+jwt", _claims(core, module), module.key),
        "another key": tokens.encode("module+jwt", _claims(core, module), tokens.generate_key()),
        "not a token": "a.b.c",
        "nothing": "x",
    }
    for why, token in bad.items():
        answer = await module.call(core.url, "GET", f"/licenses/{body['id']}", token=token)
        assert refusal(answer) == (401, "catalogue.module_unauthenticated"), why
    async with httpx.AsyncClient(base_url=core.url) as nobody:
        answer = await nobody.get(f"/api/v1/module/licenses/{body['id']}")
    assert refusal(answer) == (401, "catalogue.module_unauthenticated")
    persons = await owner.client.get(f"/api/v1/module/licenses/{body['id']}")
    assert persons.status_code == 401
    assert (await module.call(core.url, "GET", f"/licenses/{body['id']}")).status_code == 200
