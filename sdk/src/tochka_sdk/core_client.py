"""The module's way to the core: keys, licenses, missed events, `ready` and `failed`.

Every call but the key set carries a JWT that the module signs with its own key (`typ: module+jwt`, `iss` =
`sub` = module id, `aud` = the core's issuer, 60 s, `jti`). Timeouts are short; reads and the two idempotent
reports are repeated with backoff and jitter, and nothing else. `CoreUnavailable` means «the core is away or
does not know this call»: the callers live on without.
"""

import asyncio
import random
import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import aiohttp
from joserfc.jwk import OKPKey
from pydantic import ValidationError

from tochka_sdk import clock, context, logs, tokens
from tochka_sdk.bodies import read_at_most
from tochka_sdk.errors import Conflict, Unavailable
from tochka_sdk.events import Envelope

TYP = "module+jwt"
JWKS = "/.well-known/jwks.json"
LIFETIME_S = 60
MAX_ANSWER = 4 * 1024 * 1024
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_log = logs.get_logger(__name__)


class CoreUnavailable(Unavailable):
    """503: the core did not answer, or not as expected."""

    code = "core.unavailable"


class CoreRefused(Conflict):
    """409: the core's final no, for example to a `ready` that came after the deadline."""

    code = "core.refused"


class CoreClient:
    """Talks to one core as one module. Make it inside a running event loop; `close` it.

    Args:
        core_url: the core's public listener, as reached from here, without a path.
        module_id: who is asking.
        key: the module's own Ed25519 private key.
        issuer: the core's `iss`, which is the audience of the module's tokens.
        timeout: seconds for one attempt, all in all.
        attempts: how often a repeatable call is tried.
        backoff: seconds before the second try; doubled each time, with jitter.
    """

    def __init__(
        self,
        core_url: str,
        *,
        module_id: str,
        key: OKPKey,
        issuer: str,
        timeout: float = 5.0,
        attempts: int = 3,
        backoff: float = 0.2,
    ) -> None:
        self._base = core_url.rstrip("/")
        self._module_id = module_id
        self._key = key
        self._issuer = issuer
        self._attempts = attempts
        self._backoff = backoff
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout, connect=min(timeout, 2.0)),
            headers={"User-Agent": f"tochka-module/{module_id}", "Accept": "application/json"},
            connector=aiohttp.TCPConnector(limit=8),
        )

    def token(self) -> str:
        """A fresh calling card."""
        moment = int(clock.now().timestamp())
        claims = {
            "iss": self._module_id,
            "sub": self._module_id,
            "aud": self._issuer,
            "iat": moment,
            "exp": moment + LIFETIME_S,
            "jti": secrets.token_urlsafe(16),
        }
        return tokens.encode(TYP, claims, self._key)

    async def jwks(self) -> dict[str, Any]:
        """The core's public keys. Raises `CoreUnavailable`."""
        return _key_set(await self._call("GET", JWKS, signed=False))

    async def license(self, installation_id: UUID) -> str:
        """The newest license of an installation, as a token. Raises `CoreUnavailable`."""
        answer = await self._call("GET", f"/api/v1/module/licenses/{installation_id}")
        token = answer.get("license")
        if not isinstance(token, str):
            raise CoreUnavailable("The core's answer holds no license.")
        return token

    async def events(self, tenant_id: UUID, after: int | str) -> tuple[list[Envelope], str | None]:
        """A page of the tenant's events after a sequence (or cursor), and the cursor of the next page if any.

        Raises `CoreUnavailable`.
        """
        items, answer = await self._events({"tenant_id": str(tenant_id), "after": str(after)})
        cursor = answer.get("next_cursor")
        return items, str(cursor) if cursor is not None else None

    async def feed(self, after: str) -> tuple[list[Envelope], str, bool]:
        """A page of all tenants' events after a cursor, the cursor to read on from, and whether there is more
        by now.

        Raises `CoreUnavailable`.
        """
        items, answer = await self._events({"after": after})
        cursor, following = answer.get("cursor", after), answer.get("next_cursor")
        return items, str(cursor if following is None else following), following is not None

    async def _events(self, query: dict[str, str]) -> tuple[list[Envelope], dict[str, Any]]:
        answer = await self._call("GET", "/api/v1/module/events", query=query)
        try:
            return [Envelope.model_validate(item) for item in answer.get("items", [])], answer
        except (ValidationError, TypeError):
            raise CoreUnavailable("The core's events are not events.") from None

    async def ready(self, installation_id: UUID) -> None:
        """Say that an installation answered with 202 is ready. Raises `CoreRefused` when it is too late."""
        await self._call("POST", f"/api/v1/module/installations/{installation_id}/ready", body={})

    async def failed(self, installation_id: UUID, *, code: str, detail: str) -> None:
        """Say that an installation answered with 202 cannot be made; `code` is stable."""
        body = {"code": code, "detail": detail}
        await self._call("POST", f"/api/v1/module/installations/{installation_id}/failed", body=body)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        signed: bool = True,
    ) -> dict[str, Any]:
        delay = self._backoff
        for attempt in range(1, self._attempts + 1):
            status, answer = await self._attempt(method, path, query, body, signed)
            if status is not None and status not in _AGAIN:
                break
            if attempt < self._attempts:
                await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311  jitter is no secret
                delay *= 2
        if status is not None and 200 <= status < 300:
            return answer
        _log.info("core.refused", path=path, status=status, error_code=answer.get("code"))
        if status in {409, 410, 422}:
            raise CoreRefused(str(answer.get("detail") or "The core refused."), status_of_core=status)
        raise CoreUnavailable("The platform does not answer at the moment.")

    async def _attempt(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        signed: bool,
    ) -> tuple[int | None, dict[str, Any]]:
        """One try: the status, None when nothing came that can be read, and the JSON object if it was one."""
        headers = {"X-Request-ID": context.request_id() or secrets.token_hex(16)}
        if signed:
            headers["Authorization"] = f"Bearer {self.token()}"
        try:
            async with self._session.request(
                method,
                self._base + path,
                params=query,
                json=dict(body) if body is not None else None,
                headers=headers,
                allow_redirects=False,
            ) as response:
                found = await _object(response)
                if found is None and response.ok:  # a part of an answer must not pass for an empty one
                    _log.info("core.away", path=path, reason="no JSON object")
                    return None, {}
                return response.status, found or {}
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.info("core.away", path=path, reason=type(error).__name__)
            return None, {}

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


async def _object(response: aiohttp.ClientResponse) -> dict[str, Any] | None:
    """The JSON object in the body, {} in an empty one; None when it is something else, or too long."""
    import orjson

    raw = await read_at_most(response.content.iter_any(), MAX_ANSWER)
    if not raw or len(raw) > MAX_ANSWER:
        return None if raw else {}
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _key_set(answer: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(answer.get("keys"), list):
        raise CoreUnavailable("The core's key set is not one.")
    return answer


async def fetch_jwks(core_url: str, *, patience: float = 5.0) -> dict[str, Any]:
    """The public keys of the core at `core_url`, for those who are no module and have no key to call with.

    One attempt of `patience` seconds at most. Raises `CoreUnavailable`.
    """
    timeout = aiohttp.ClientTimeout(total=patience, connect=min(patience, 2.0))
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            url = core_url.rstrip("/") + JWKS
            async with session.get(url, allow_redirects=False) as response:
                return _key_set(await _object(response) or {})
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        _log.info("core.away", path=JWKS, reason=type(error).__name__)
        raise CoreUnavailable("The platform does not answer at the moment.") from None
