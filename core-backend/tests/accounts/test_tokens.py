"""Access tokens: what they say, who can check them, and everything that is not one."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from core_kit.codes import refusal
from core_kit.people import API, Owner
from core_kit.running import RunningCore
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jwt
from joserfc.jwk import OKPKey
from tochka_sdk import tokens

pytestmark = pytest.mark.anyio


def _token(owner: Owner) -> str:
    return owner.client.headers["Authorization"].removeprefix("Bearer ")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, unverified."""
    header, claims, _ = token.split(".")
    return json.loads(_bytes(header)), json.loads(_bytes(claims))


def _claims(core: RunningCore, owner: Owner, **changes: Any) -> dict[str, Any]:
    """The claims of a valid token of the owner's session, with changes; None takes a claim away."""
    _, valid = _read(_token(owner))
    return {name: value for name, value in {**valid, **changes}.items() if value is not None}


async def test_a_token_names_person_session_tenant_and_way_of_signing_in(
    core: RunningCore, client: httpx.AsyncClient, owner: Owner
) -> None:
    published = await client.get("/.well-known/jwks.json")
    assert "max-age=300" in published.headers["cache-control"]
    header, claims = _read(_token(owner))
    assert header == {"alg": "EdDSA", "typ": "at+jwt", "kid": core.resources.keyring.access.kid}
    # as a library would that knows nothing of us: the key by `kid`, and RFC 8037
    key = next(key for key in published.json()["keys"] if key["kid"] == header["kid"])
    signed, _, signature = _token(owner).rpartition(".")
    Ed25519PublicKey.from_public_bytes(_bytes(key["x"])).verify(_bytes(signature), signed.encode())
    assert {
        "iss",
        "aud",
        "sub",
        "sid",
        "tid",
        "client_id",
        "jti",
        "iat",
        "exp",
        "auth_time",
        "amr",
    } == claims.keys()
    assert (claims["iss"], claims["aud"]) == (core.resources.addresses.issuer, "tochka")
    assert (claims["sub"], claims["tid"]) == (str(owner.user_id), str(owner.tenant_id))
    assert (claims["client_id"], claims["amr"]) == ("panel", ["otp"])
    assert claims["exp"] - claims["iat"] == 600


async def test_published_keys_are_public_and_say_what_they_are_for(client: httpx.AsyncClient) -> None:
    keys = (await client.get("/.well-known/jwks.json")).json()["keys"]
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert "d" not in key
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("OKP", "Ed25519", "sig", "EdDSA")


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
    head, _, signature = _token(owner).split(".")
    return f"{head}.{_part(_claims(core, owner, sub=str(uuid4())))}.{signature}"


def _unsigned(core: RunningCore, owner: Owner) -> str:
    kid = core.resources.keyring.access.kid
    return f"{_part({'alg': 'none', 'typ': 'at+jwt', 'kid': kid})}.{_part(_claims(core, owner))}."


def _with_key_inside(core: RunningCore, owner: Owner) -> str:
    """The header brings its own key."""
    key = OKPKey.generate_key("Ed25519")
    header = {"alg": "Ed25519", "typ": "at+jwt", "kid": "mine", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, _claims(core, owner), key, algorithms=["Ed25519"])


FORGERIES: dict[str, Forgery] = {
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
    "cut off": lambda _core, owner: _token(owner)[:-4],
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


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic dXNlcjpwYXNz", "Token x"])
async def test_without_a_bearer_token_nobody_is_known(client: httpx.AsyncClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    assert refusal(await client.get(f"{API}/me", headers=headers)) == (401, "accounts.unauthenticated")
