"""The contract as a suite: run against any module, in any language, over HTTP.

Without keys it asks what a stranger may ask: the manifest, the health check, and whether unsigned and
malformed requests are refused cleanly. With a `PlatformSigner` that holds the platform's keys (the module
must trust them) it also plays an installation from beginning to end; it is made up, and removed again.

`python -m tochka_sdk.check URL` asks what a stranger may ask, and exits with 1 when something is wrong.
"""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import orjson
from pydantic import BaseModel

from tochka_sdk import clock, manifest, webhooks
from tochka_sdk.bodies import read_at_most
from tochka_sdk.events import (
    Digest,
    DomainAdded,
    DomainRemoved,
    Envelope,
    InstallationRemoved,
    InstallationRequested,
    LicenseUpdated,
    Ping,
    TenantUpdated,
)
from tochka_sdk.manifest import Manifest, ManifestInvalid
from tochka_sdk.middleware import DOOR, HEALTH, MANIFEST
from tochka_sdk.signing import FreshInstallation, PlatformSigner

PATIENCE_S = 10.0
"""How long the platform waits for the answer to a command."""
MAX_ANSWER = 256 * 1024
_OK = range(200, 300)
_REFUSED = (400, 401, 403, 413, 422)
_MALFORMED: Mapping[str, Mapping[str, str]] = {
    "an unsigned request": {},
    "a signature without a comma": {"webhook-signature": "v1a"},
    "a signature that is not base64": {"webhook-signature": "v1a,???"},
    "a timestamp in words": {"webhook-timestamp": "yesterday"},
    "a huge timestamp": {"webhook-timestamp": "9" * 30},
    "an id with a dot": {"webhook-id": "a.b"},
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One question and its answer: `detail` says what was seen, above all when `ok` is False."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(slots=True)
class _Suite:
    """One run of the suite."""

    session: aiohttp.ClientSession
    base: str
    findings: list[Finding] = field(default_factory=list)

    def note(self, name: str, ok: bool, detail: object = "") -> bool:
        """Write a finding down."""
        self.findings.append(Finding(name, ok, str(detail)))
        return ok

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body; status 0 when there was no answer."""
        return await self._send("GET", path, None, {})

    async def post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """One request at the door."""
        return await self._send("POST", DOOR, body, {"content-type": "application/json", **headers})

    async def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        try:
            async with self.session.request(
                method, self.base + path, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status, await read_at_most(answer.content.iter_any(), MAX_ANSWER)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return 0, type(error).__name__.encode()

    async def expect(self, name: str, allowed: Any, answer: tuple[int, bytes]) -> bool:
        """Note whether the status is among the allowed ones."""
        status, body = answer
        seen = f"{status or 'no answer'} {body[:200].decode(errors='replace')}"
        return self.note(name, status in allowed, seen)


@asynccontextmanager
async def _opened(url: str, timeout: float) -> AsyncIterator[_Suite]:  # noqa: ASYNC109  it is aiohttp's own
    # A connection for each question: one that a module breaks off must not be the answer to the next.
    connector = aiohttp.TCPConnector(force_close=True)
    patience = aiohttp.ClientTimeout(total=timeout)
    async with aiohttp.ClientSession(timeout=patience, connector=connector) as session:
        yield _Suite(session, url.rstrip("/"))


async def check(
    url: str,
    signer: PlatformSigner | None = None,
    *,
    timeout: float = PATIENCE_S,  # noqa: ASYNC109  see _opened
) -> list[Finding]:
    """Everything that was asked of the module at `url`, in order; `timeout` is seconds for one request.

    Where nothing answers at all, nothing more is asked.
    `signer` must sign for the id in the module's manifest, with keys and an issuer that the module trusts.
    """
    async with _opened(url, timeout) as suite:
        described = await _manifest(suite)
        health = await suite.get(HEALTH)
        await suite.expect("the health check answers 200", (200,), health)
        if health[0] == 0 and described is None:
            return suite.findings
        await _strangers(suite)
        if signer is not None:
            if described is not None and described.id != signer.module_id:
                suite.note("the manifest is that of the module asked for", False, described.id)
            await _door(suite, signer)
            await _life(suite, signer)
        return suite.findings


async def _manifest(suite: _Suite) -> Manifest | None:
    status, body = await suite.get(MANIFEST)
    if not suite.note("the manifest is served", status == 200, status or f"no answer {body.decode()}"):
        return None
    if not suite.note(f"the manifest has no more than {MAX_ANSWER} bytes", len(body) <= MAX_ANSWER):
        return None
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        suite.note("the manifest is a JSON object", False, error)
        return None
    if not suite.note("the manifest is a JSON object", isinstance(document, dict), body[:200]):
        return None
    try:
        described = manifest.parse(document)
    except ManifestInvalid as error:
        for wrong in error.errors:
            suite.note(f"the manifest keeps the contract: {wrong.field}", False, wrong.message)
        return None
    suite.note("the manifest keeps the contract", True, f"{described.id} {described.version}")
    return described


def _envelope(fresh: FreshInstallation) -> Envelope:
    return Envelope.of("ping", Ping(), tenant_id=fresh.tenant_id, sequence=1)


async def _strangers(suite: _Suite) -> None:
    """What nobody can prove must be refused with 4xx, and never break the module."""
    fresh = FreshInstallation()
    body = _envelope(fresh).to_bytes()
    key, _ = webhooks.generate_keypair()
    signed = webhooks.sign(_envelope(fresh).id, int(clock.now().timestamp()), body, private_key=key)
    for name, change in _MALFORMED.items():
        headers = {**signed, **change} if change else {}
        await suite.expect(f"{name} is refused", (400, 401), await suite.post(body, headers))
    await suite.expect("a request signed by a stranger is refused", (401,), await suite.post(body, signed))
    answer = await suite.post(b"\xff\xfe\x00", signed)
    await suite.expect("bytes that are no text are refused", _REFUSED, answer)
    await suite.expect("a huge body is refused", (*_REFUSED, 0), await suite.post(b"x" * 1_000_000, signed))
    await suite.expect("the module is still well", (200,), await suite.get(HEALTH))


async def _deliver(suite: _Suite, signer: PlatformSigner, envelope: Envelope) -> tuple[int, bytes]:
    headers, body = signer.sign(envelope)
    return await suite.post(body, headers)


async def _door(suite: _Suite, signer: PlatformSigner) -> None:
    """What the platform can prove, but should not have an effect."""
    fresh = FreshInstallation()
    ping = signer.event("ping", Ping(), fresh, tenant_wide=True)
    await suite.expect("a genuine ping is accepted", _OK, await _deliver(suite, signer, ping))
    strange = signer.event("weather.changed", Ping(), fresh, tenant_wide=True)
    await suite.expect("an unknown event is accepted", _OK, await _deliver(suite, signer, strange))
    headers, body = signer.sign(ping, age_s=3600)
    await suite.expect("a request of an hour ago is refused", (400, 401), await suite.post(body, headers))
    headers, body = signer.sign(ping)
    await suite.expect("a changed body is refused", (400, 401), await suite.post(body + b" ", headers))
    headers = {**headers, "webhook-id": secrets.token_hex(8)}
    await suite.expect("a changed id is refused", (400, 401), await suite.post(body, headers))
    for name, garbage in (("text", b"hello"), ("a list", b"[]"), ("bytes", b"\xff"), ("nothing", b"")):
        headers = signer.sign_bytes(secrets.token_hex(8), garbage)
        answer = await suite.post(garbage, headers)
        await suite.expect(f"a signed body that is {name} is refused", (400, 401, 422), answer)


def _requested(signer: PlatformSigner, fresh: FreshInstallation) -> Envelope:
    body = InstallationRequested(
        module=signer.module_id,
        host=fresh.host,
        url=fresh.url,
        tenant_name=fresh.tenant_name,
        locale=fresh.locale,
        plan=fresh.plan,
        license=signer.license(fresh),
        deadline=clock.now() + timedelta(minutes=1),
    )
    return signer.event("installation.requested", body, fresh)


async def _life(suite: _Suite, signer: PlatformSigner) -> None:
    """An installation from beginning to end, with repetitions; and one that ends before it begins."""
    never = FreshInstallation()
    requested = _requested(signer, never)
    gone = signer.event("installation.removed", InstallationRemoved(), never)
    answer = await _deliver(suite, signer, gone)
    await suite.expect("the removal of an unknown installation is accepted", _OK, answer)
    answer = await _deliver(suite, signer, requested)
    await suite.expect("a request after the removal gets a final no", (409, 422), answer)

    fresh = FreshInstallation()
    requested = _requested(signer, fresh)
    await suite.expect("a request is carried out", _OK, await _deliver(suite, signer, requested))
    repeated = await asyncio.gather(*(_deliver(suite, signer, requested) for _ in range(5)))
    worst = max(repeated, key=lambda item: item[0] not in _OK)
    await suite.expect("five repetitions at once are accepted", _OK, worst)
    await _news(suite, signer, fresh)
    gone = signer.event("installation.removed", InstallationRemoved(), fresh)
    await suite.expect("the removal is carried out", _OK, await _deliver(suite, signer, gone))
    await suite.expect("a repeated removal is accepted", _OK, await _deliver(suite, signer, gone))


async def _news(suite: _Suite, signer: PlatformSigner, fresh: FreshInstallation) -> None:
    """Whatever the platform may tell of an installation and its tenant."""
    host = f"shop-{fresh.label}.example"
    told: tuple[tuple[str, str, BaseModel], ...] = (
        ("a new license", "license.updated", LicenseUpdated(license=signer.license(fresh, access="limited"))),
        ("a second address", "domain.added", DomainAdded(host=host, url=f"https://{host}")),
        ("the end of an address", "domain.removed", DomainRemoved(host=host)),
        ("the tenant's new name", "tenant.updated", TenantUpdated(name="Пекарня")),
    )
    for name, type, body in told:
        event = signer.event(type, body, fresh, tenant_wide=type == "tenant.updated")
        await suite.expect(f"{name} is accepted", _OK, await _deliver(suite, signer, event))
    digest = signer.event("digest", Digest(last_sequence=event.sequence), fresh, tenant_wide=True)
    await suite.expect("a digest is accepted", _OK, await _deliver(suite, signer, digest))


def render(findings: list[Finding]) -> str:
    """The findings as lines for people: what is wrong with what was seen, and a last line that counts."""
    lines = [f"ok    {item.name}" if item.ok else f"WRONG {item.name}: {item.detail}" for item in findings]
    wrong = sum(not item.ok for item in findings)
    return "\n".join([*lines, f"{len(findings)} questions, {wrong} wrong."])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python -m tochka_sdk.check URL")
    answers = asyncio.run(check(sys.argv[1]))
    sys.stdout.write(render(answers) + "\n")
    sys.exit(any(not answer.ok for answer in answers))
