"""Access tokens: what they say, who can check them, and everything that is not one."""

import httpx
import pytest
from core_kit.codes import refusal
from core_kit.people import API, Owner
from core_kit.reading_tokens import access_token, decoded, unverified
from core_kit.running import RunningCore
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

pytestmark = pytest.mark.anyio


async def test_a_token_names_person_session_tenant_and_way_of_signing_in(
    core: RunningCore, client: httpx.AsyncClient, owner: Owner
) -> None:
    published = await client.get("/.well-known/jwks.json")
    assert "max-age=300" in published.headers["cache-control"]
    header, claims = unverified(access_token(owner))
    assert header == {"alg": "EdDSA", "typ": "at+jwt", "kid": core.resources.keyring.access.kid}
    # as a library would that knows nothing of us: the key by `kid`, and RFC 8037
    key = next(key for key in published.json()["keys"] if key["kid"] == header["kid"])
    signed, _, signature = access_token(owner).rpartition(".")
    Ed25519PublicKey.from_public_bytes(decoded(key["x"])).verify(decoded(signature), signed.encode())
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


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic dXNlcjpwYXNz", "Token x"])
async def test_without_a_bearer_token_nobody_is_known(client: httpx.AsyncClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    assert refusal(await client.get(f"{API}/me", headers=headers)) == (401, "accounts.unauthenticated")
