"""What the core publishes and signs, read by `jose`, the JavaScript library that nobody here wrote; and what
that one signs, read by the core.
"""

import json
import subprocess
import time
from typing import Any

import httpx
import pytest
from core_kit.modules import ScriptedModule
from core_kit.people import API, Owner
from core_kit.running import RunningCore
from core_kit.scene import side
from tochka_stack.testing import ScratchDatabase

from tests.node import ROOT, find_node

pytestmark = pytest.mark.anyio
PANEL = ROOT / "core-frontend"

READ = """
import { createLocalJWKSet, jwtVerify } from "jose";
const { jwks, token, options } = JSON.parse(process.argv[1]);
try {
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(jwks), options);
  console.log(JSON.stringify({ payload, header: protectedHeader }));
} catch (error) {
  console.log(JSON.stringify({ refused: error.code }));
}
"""

SIGN = """
import { SignJWT, calculateJwkThumbprint, importJWK } from "jose";
const { key, header, claims } = JSON.parse(process.argv[1]);
const token = await new SignJWT(claims).setProtectedHeader(header).sign(await importJWK(key, header.alg));
console.log(JSON.stringify({ token, thumbprint: await calculateJwkThumbprint(key) }));
"""


def _run(program: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What a program answers that imports `jose`."""
    done = subprocess.run(
        [str(find_node()), "--input-type=module", "-e", program, json.dumps(asked)],
        cwd=PANEL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return dict(json.loads(done.stdout))


def _read(jwks: dict[str, Any], token: str, **options: Any) -> dict[str, Any]:
    """What `jose` makes of a token."""
    return _run(READ, {"jwks": jwks, "token": token, "options": options})


async def test_jose_reads_our_tokens_with_our_published_keys(
    core: RunningCore, client: httpx.AsyncClient, owner: Owner
) -> None:
    jwks = (await client.get("/.well-known/jwks.json")).json()
    token = owner.client.headers["Authorization"].removeprefix("Bearer ")
    expected = {"issuer": core.resources.addresses.issuer, "audience": "tochka", "typ": "at+jwt"}
    read = _read(jwks, token, algorithms=["EdDSA"], **expected)
    assert read["payload"]["sub"] == str(owner.user_id)
    assert read["header"]["kid"] == core.resources.keyring.access.kid

    head, claims, signature = token.split(".")
    swapped = signature[:-2] + ("AA" if signature[-2:] != "AA" else "BA")
    assert _read(jwks, f"{head}.{claims}.{swapped}") == {"refused": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}
    license = {**expected, "typ": "license+jwt"}
    assert _read(jwks, token, **license) == {"refused": "ERR_JWT_CLAIM_VALIDATION_FAILED"}
    others = {"keys": [key for key in jwks["keys"] if key["kid"] != read["header"]["kid"]]}
    assert _read(others, token) == {"refused": "ERR_JWKS_NO_MATCHING_KEY"}


async def test_jose_reads_licenses_and_tickets_and_takes_none_for_another(
    core: RunningCore, core_database: ScratchDatabase, client: httpx.AsyncClient
) -> None:
    jwks = (await client.get("/.well-known/jwks.json")).json()
    async with side(core, core_database) as at:
        installation_id = at.ids["installation_id"]
        entry = await at.owner.client.post(f"{API}/installations/{installation_id}/session")
        license = await at.module.call(core.url, "GET", f"/licenses/{installation_id}")
        tokens = {
            "ticket+jwt": entry.json()["ticket"],
            "license+jwt": license.json()["license"],
            "at+jwt": at.owner.client.headers["Authorization"].removeprefix("Bearer "),
        }
        audience = {"at+jwt": "tochka"}
        for typ, token in tokens.items():
            expected = {
                "issuer": core.resources.addresses.issuer,
                "audience": audience.get(typ, at.module.id),
                "algorithms": ["EdDSA"],
            }
            assert _read(jwks, token, typ=typ, **expected)["header"]["typ"] == typ
            for other in tokens.keys() - {typ}:
                assert _read(jwks, token, typ=other, **expected) == {
                    "refused": "ERR_JWT_CLAIM_VALIDATION_FAILED"
                }


async def test_a_key_is_called_by_its_thumbprint_and_a_card_that_jose_signs_is_taken(
    core: RunningCore, module: ScriptedModule
) -> None:
    """A module in another language calls the core with nothing but its own library."""
    now = int(time.time())
    issuer = core.resources.addresses.issuer
    claims = {"iss": module.id, "sub": module.id, "aud": issuer, "iat": now, "exp": now + 60}
    key = module.key.as_dict(private=True)
    made = _run(SIGN, {"key": key, "header": {"alg": "EdDSA", "typ": "module+jwt"}, "claims": claims})
    assert made["thumbprint"] == module.key.kid
    assert (await module.call(core.url, "GET", "/events", token=made["token"])).status_code == 200
    wrong = _run(SIGN, {"key": key, "header": {"alg": "EdDSA", "typ": "at+jwt"}, "claims": claims})
    assert (await module.call(core.url, "GET", "/events", token=wrong["token"])).status_code == 401
