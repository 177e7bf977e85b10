"""The platform's public keys as a receiver holds them: given at start, fetched anew when an unknown one
appears.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from tochka_sdk import license as licenses
from tochka_sdk import logs, tickets, webhooks
from tochka_sdk.core_client import CoreClient, CoreUnavailable, fetch_jwks
from tochka_sdk.errors import Unavailable
from tochka_sdk.license import License
from tochka_sdk.tickets import Ticket
from tochka_sdk.tokens import Jwks, UnknownKey
from tochka_sdk.webhooks import SignatureInvalid

WHPK_MEMBER = "tochka_whpk"
"""Where `jwks.json` has the webhook keys in Standard Webhooks' own form: a list beside `keys`, or in a JWK
itself.
"""
MAX_AGE_S = 600.0
"""A key is published fifteen minutes before it is used."""
RETRY_S = 1.0
"""The shortest time between two fetches while the core is away."""

_T = TypeVar("_T")
_log = logs.get_logger(__name__)


class PublishedKeys:
    """The keys in a `jwks.json`, fetched at most once per `interval` seconds, however many strangers ask.

    Args:
        fetch: gets the key set; raises `CoreUnavailable` when it cannot.
        jwks: the key set known at start; without it the first use fetches.
        interval: the shortest time between two fetches, in seconds.
        max_age: after so many seconds the next use fetches, so that withdrawn keys are forgotten; without it
            somebody else calls `refresh`.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[dict[str, Any]]],
        *,
        jwks: dict[str, Any] | None = None,
        interval: float = 10.0,
        max_age: float = float("inf"),
    ) -> None:
        self._fetch = fetch
        self._jwks: dict[str, Any] = jwks or {"keys": []}
        self._interval = interval
        self._max_age = max_age
        self._tried = float("-inf")
        self._reachable = True
        self._lock = asyncio.Lock()

    @classmethod
    def at(cls, core_url: str, *, interval: float = 10.0, max_age: float = MAX_AGE_S) -> "PublishedKeys":
        """The keys of the platform at `core_url`. Nothing has to be opened or closed."""
        return cls(partial(fetch_jwks, core_url), interval=interval, max_age=max_age)

    @property
    def webhook_keys(self) -> Sequence[str]:
        """The `whpk_` keys among the known ones."""
        holders = [self._jwks, *(key for key in self._jwks["keys"] if isinstance(key, dict))]
        members = [holder.get(WHPK_MEMBER) for holder in holders]
        flat = [one for member in members for one in (member if isinstance(member, list) else [member])]
        return [key for key in flat if isinstance(key, str)]

    async def refresh(self) -> None:
        """Fetch the keys, so that new ones are known before they are used and withdrawn ones forgotten."""
        await self._refetch()

    async def verify_webhook(self, headers: Any, body: bytes) -> None:
        """Accept a signed request (`v1a` alone) or raise `SignatureInvalid`.

        Raises `Unavailable` (503) instead while no key is known at all, since a signature that cannot be
        looked at is not a wrong one: the platform sends again.
        """
        if time.monotonic() - self._tried > self._max_age:
            await self._refetch()
        try:
            webhooks.verify(headers, body, public_keys=self.webhook_keys)
        except SignatureInvalid:
            known = self.webhook_keys
            if "v1a," not in headers.get("webhook-signature", ""):
                raise
            if not await self._refetch():
                if not known:
                    raise Unavailable("The platform's keys cannot be fetched at the moment.") from None
                raise
            if self.webhook_keys == known:
                raise
            webhooks.verify(headers, body, public_keys=self.webhook_keys)

    async def _refetch(self) -> bool:
        """Fetch the keys unless that was done a moment ago; False when the core is away.

        After a fetch that failed we wait for the next one instead of refusing: a core that was just started
        is back before a caller would be.
        """
        asked = time.monotonic()
        async with self._lock:
            if self._tried >= (asked - self._interval if self._reachable else asked):
                return self._reachable
            await asyncio.sleep(self._tried + min(self._interval, RETRY_S) - time.monotonic())
            try:
                self._jwks = await self._fetch()
                self._reachable = True
            except CoreUnavailable:
                # both may have been started at the same moment: the first time is nothing to worry about
                (_log.info if self._tried == float("-inf") else _log.warning)("keys.unavailable")
                self._reachable = False
            self._tried = time.monotonic()
            return self._reachable


class PlatformKeys(PublishedKeys):
    """Verifies everything that the core signs for one module.

    Args:
        core: where to fetch the keys.
        module_id: the audience that tokens must name.
        issuer: the core's `iss`.
        jwks: the key set known at start; without it the first use fetches.
        interval: the shortest time between two fetches, in seconds.
    """

    def __init__(
        self,
        core: CoreClient,
        *,
        module_id: str,
        issuer: str,
        jwks: dict[str, Any] | None = None,
        interval: float = 10.0,
    ) -> None:
        super().__init__(core.jwks, jwks=jwks, interval=interval)
        self._module_id = module_id
        self._issuer = issuer

    async def read_license(self, token: str) -> License:
        """A genuine license for this module, whatever the time.

        Raises:
            tochka_sdk.license.LicenseInvalid: it is not one.
            tochka_sdk.errors.Unavailable: its key is unknown and the keys cannot be fetched now.
        """
        return await self._with_keys(
            lambda jwks: licenses.read(token, jwks, audience=self._module_id, issuer=self._issuer)
        )

    async def verify_ticket(self, token: str) -> Ticket:
        """A genuine ticket of this minute; its `jti` is the caller's to use up. Errors as for licenses."""
        return await self._with_keys(lambda jwks: tickets.verify(token, jwks, self._module_id, self._issuer))

    async def _with_keys(self, verify: Callable[[Jwks], _T]) -> _T:
        try:
            return verify(self._jwks)
        except UnknownKey:
            if not await self._refetch():
                raise Unavailable("The platform's keys cannot be fetched at the moment.") from None
            return verify(self._jwks)
