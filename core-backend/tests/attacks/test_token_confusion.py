"""Tokens that are not what they claim to be: unsigned, signed with what everybody knows, meant for others."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from core_kit.codes import refusal
from core_kit.modules import ScriptedModule
from core_kit.people import API, Owner
from core_kit.reading_tokens import access_token, unverified
from core_kit.running import RunningCore
from core_kit.scene import side
from joserfc import jwt
from joserfc.jwk import OKPKey
from tochka_sdk import tokens
from tochka_sdk.core_client import CoreClient
from tochka_sdk.errors import Unauthenticated
from tochka_sdk.keys import PlatformKeys
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


def _claims(core: RunningCore, owner: Owner, **changes: Any) -> dict[str, Any]:
    """The claims of a valid token of the owner's session, with changes; None takes a claim away."""
    _, valid = unverified(access_token(owner))
    return {name: value for name, value in {**valid, **changes}.items() if value is not None}


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _hmac(core: RunningCore, claims: dict[str, Any]) -> str:
    """Signed with HS256 and the public key as the secret."""
    public = core.resources.keyring.access.as_dict(private=False)
    secret = base64.urlsafe_b64decode(str(public["x"]) + "=")
    text = f"{_part({'alg': 'HS256', 'typ': 'at+jwt', 'kid': public['kid']})}.{_part(claims)}"
    mac = hmac.digest(secret, text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


Forgery = Callable[[RunningCore, Owner], str]


def _signed(typ: str = "at+jwt", key: str = "access", **changes: Any) -> Forgery:
    def forge(core: RunningCore, owner: Owner) -> str:
        return tokens.encode(typ, _claims(core, owner, **changes), getattr(core.resources.keyring, key))

    return forge


def _stranger_key(core: RunningCore, owner: Owner) -> str:
    known = core.resources.keyring.access
    key = OKPKey.generate_key("Ed25519", {"kid": str(known.kid)})
    return tokens.encode("at+jwt", _claims(core, owner), key)


def _swapped_claims(core: RunningCore, owner: Owner) -> str:
    head, _, signature = access_token(owner).split(".")
    return f"{head}.{_part(_claims(core, owner, sub=str(uuid4())))}.{signature}"


def _unsigned(core: RunningCore, owner: Owner) -> str:
    kid = core.resources.keyring.access.kid
    return f"{_part({'alg': 'none', 'typ': 'at+jwt', 'kid': kid})}.{_part(_claims(core, owner))}."


def _with_key_inside(core: RunningCore, owner: Owner) -> str:
    """The header brings its own key."""
    key = OKPKey.generate_key("Ed25519")
    header = {"alg": "Ed25519", "typ": "at+jwt", "kid": "mine", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, _claims(core, owner), key, algorithms=["Ed25519"])


def _raw(header: str, claims: str, key: OKPKey) -> str:
    """Any two texts as header and claims, with a signature that is right for the key."""
    text = ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in (header, claims))
    signature = key.private_key.sign(text.encode())  # type: ignore[union-attr]  # an Ed25519 key's
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def _with_header(key: str | None = "access", **members: Any) -> Forgery:
    """With other members in its header, signed with one of our keys, or with a stranger's."""

    def forge(core: RunningCore, owner: Owner) -> str:
        ours = core.resources.keyring.access
        signer = OKPKey.generate_key("Ed25519") if key is None else getattr(core.resources.keyring, key)
        header = {"alg": "EdDSA", "typ": "at+jwt", "kid": ours.kid, **members}
        told = {name: value for name, value in header.items() if value is not None}
        return _raw(json.dumps(told), json.dumps(_claims(core, owner)), signer)

    return forge


def _saying_twice(first: str, second: str) -> Forgery:
    """A header that says something twice, the claims of a valid token, and a stranger's signature."""

    def forge(core: RunningCore, owner: Owner) -> str:
        kid = core.resources.keyring.access.kid
        header = f'{{"typ":"at+jwt","kid":"{kid}",{first},{second}}}'
        return _raw(header, json.dumps(_claims(core, owner)), OKPKey.generate_key("Ed25519"))

    return forge


def _as_json(core: RunningCore, owner: Owner) -> str:
    header, claims, signature = access_token(owner).split(".")
    return json.dumps({"protected": header, "payload": claims, "signature": signature}, separators=(",", ":"))


def _under_the_name_of_the_license_key(core: RunningCore, owner: Owner) -> str:
    return _with_header(kid=core.resources.keyring.license.kid)(core, owner)


FORGERIES: dict[str, Forgery] = {
    "another key's name": _under_the_name_of_the_license_key,
    "another key under our name": _with_header("license"),
    "no key's name": _with_header(kid=None),
    "a list for a key's name": _with_header(kid=["x"]),
    "a file for a key's name": _with_header(None, kid="../../../../dev/null"),
    "no kind": _with_header(typ=None),
    "a kind in capitals": _with_header(typ="AT+JWT"),
    "another algorithm": _with_header(alg="ES256"),
    "a list of algorithms": _with_header(alg=["EdDSA"]),
    "no algorithm at all": _with_header(alg=None),
    "demands that nobody knows": _with_header(crit=["exp"]),
    "a payload that is not encoded": _with_header(b64=False, crit=["b64"]),
    "two algorithms": _saying_twice('"alg":"none"', '"alg":"EdDSA"'),
    "two algorithms the other way": _saying_twice('"alg":"EdDSA"', '"alg":"none"'),
    "two names": _saying_twice('"alg":"EdDSA","kid":"x"', '"kid":"y"'),
    "not to be used yet": _signed(nbf=int(time.time()) + 3600),
    "not to be used before somewhen": _signed(nbf="tomorrow"),
    "as JSON": _as_json,
    "with a fourth part": lambda _core, owner: f"{access_token(owner)}.x",
    "without a signature": lambda _core, owner: access_token(owner).rpartition(".")[0] + ".",
    "a license": _signed("license+jwt"),
    "an admin ticket": _signed("ticket+jwt"),
    "a plain JWT": _signed("JWT"),
    "signed with the license key": _signed(key="license"),
    "signed by a stranger under our kid": _stranger_key,
    "bringing its own key": _with_key_inside,
    "unsigned": _unsigned,
    "HMAC with the public key": lambda core, owner: _hmac(core, _claims(core, owner)),
    "claims swapped": _swapped_claims,
    "another issuer": _signed(iss="https://elsewhere.example"),
    "another audience": _signed(aud="shop"),
    "expired": _signed(exp=int(time.time()) - 1),
    "from the future": _signed(iat=int(time.time()) + 3600),
    "no end": _signed(exp=None),
    "an end in words": _signed(exp="tomorrow"),
    "an end beyond time": _signed(exp=1e400),
    "no subject": _signed(sub=None),
    "subject is no id": _signed(sub="root"),
    "no session": _signed(sid=None),
    "a session that never was": _signed(sid=str(uuid4())),
    "a session of nobody": _signed(sub=str(uuid4())),
    "no jti": _signed(jti=None),
    "no client": _signed(client_id=None),
    "tenant is no id": _signed(tid="*"),
    "cut off": lambda _core, owner: access_token(owner)[:-4],
    "a refresh token": lambda _core, _owner: f"{uuid4().hex}.{uuid4().hex}.0.{'A' * 43}",
    "three dots": lambda _core, _owner: "...",
    "very long": lambda _core, _owner: "a" * 20_000,
    "deep": lambda _core, _owner: f"{base64.urlsafe_b64encode(b'[' * 3000).decode()}.e30.e30",
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_nothing_else_is_taken_for_an_access_token(core: RunningCore, owner: Owner, name: str) -> None:
    forged = FORGERIES[name](core, owner)
    for path in ("/me", "/me/sessions", f"/tenants/{owner.tenant_id}", f"/tenants/{owner.tenant_id}/members"):
        got = await owner.client.get(f"{API}{path}", headers={"Authorization": f"Bearer {forged}"})
        assert refusal(got) == (401, "accounts.unauthenticated"), path
        assert got.headers["www-authenticate"] == "Bearer"


async def test_an_untouched_forgery_kit_makes_valid_tokens(core: RunningCore, owner: Owner) -> None:
    valid = _signed()(core, owner)
    got = await owner.client.get(f"{API}/me", headers={"Authorization": f"Bearer {valid}"})
    assert got.status_code == 200


async def test_no_key_is_fetched_from_where_a_token_says(core: RunningCore, owner: Owner) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"
        for names in (("jku",), ("x5u",), ("jku", "x5u")):
            for kid in ("mine", str(core.resources.keyring.access.kid)):
                forged = _with_header(None, kid=kid, **dict.fromkeys(names, url))(core, owner)
                got = await owner.client.get(f"{API}/me", headers={"Authorization": f"Bearer {forged}"})
                assert refusal(got) == (401, "accounts.unauthenticated")
    assert asked == []


@pytest.mark.parametrize(
    "changes",
    [
        {"nbf": int(time.time()) + 3600},
        {"nbf": "tomorrow"},
        {"iat": int(time.time()) + 3600},
        {"exp": int(time.time()) - 1},
        {"exp": int(time.time()) + 3600},
        {"aud": "tochka"},
        {"iss": "another-module"},
        {"sub": "another-module"},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_a_modules_card_is_as_narrow_as_it_says(
    core: RunningCore, module: ScriptedModule, changes: dict[str, Any]
) -> None:
    assert (await module.call(core.url, "GET", "/events")).status_code == 200
    got = await module.call(core.url, "GET", "/events", token=module.token(**changes))
    assert refusal(got) == (401, "catalogue.module_unauthenticated")


async def test_genuine_statements_are_good_for_one_thing_each(
    core: RunningCore, core_database: ScratchDatabase, client: httpx.AsyncClient
) -> None:
    """An access token, a license, a ticket and a module's card, each shown wherever another one is wanted."""
    async with side(core, core_database) as at:
        one = f"{API}/installations/{at.ids['installation_id']}"
        license_path = f"/licenses/{at.ids['installation_id']}"
        genuine = {
            "access": access_token(at.owner),
            "ticket": (await at.owner.client.post(f"{one}/session")).json()["ticket"],
            "license": (await at.module.call(core.url, "GET", license_path)).json()["license"],
            "card": at.module.token(),
        }
        issuer = core.resources.addresses.issuer
        async with _keys_of(core.url, at.module, issuer) as keys:
            doors: dict[str, Callable[[str], Awaitable[bool]]] = {
                "access": lambda token: _opens(client, f"{API}/me", token),
                "card": lambda token: _opens(client, f"{API}/module{license_path}", token),
                "ticket": lambda token: _reads(keys.verify_ticket, token),
                "license": lambda token: _reads(keys.read_license, token),
            }
            opened = {
                (name, door)
                for name, token in genuine.items()
                for door, opens in doors.items()
                if await opens(token)
            }
    assert opened == {(name, name) for name in genuine}


async def _opens(client: httpx.AsyncClient, path: str, token: str) -> bool:
    got = await client.get(path, headers={"Authorization": f"Bearer {token}"})
    assert got.status_code in (200, 401)
    return got.status_code == 200


async def _reads(read: Callable[[str], Awaitable[object]], token: str) -> bool:
    try:
        await read(token)
    except Unauthenticated:
        return False
    return True


@asynccontextmanager
async def _keys_of(url: str, module: ScriptedModule, issuer: str) -> AsyncIterator[PlatformKeys]:
    """What a module knows of the platform's keys."""
    known = CoreClient(url, module_id=module.id, key=module.key, issuer=issuer)
    try:
        keys = PlatformKeys(known, module_id=module.id, issuer=issuer, interval=0)
        await keys.refresh()
        yield keys
    finally:
        await known.close()
