"""The platform's public keys as a module holds them: given at start, fetched anew when an unknown one
appears.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tochka_sdk import license as licenses
from tochka_sdk import logs, tickets, webhooks
from tochka_sdk.core_client import CoreClient, CoreUnavailable
from tochka_sdk.errors import Unavailable
from tochka_sdk.license import License
from tochka_sdk.tickets import Ticket
from tochka_sdk.tokens import Jwks, UnknownKey
from tochka_sdk.webhooks import SignatureInvalid

WHPK_MEMBER = "tochka_whpk"
"""Where `jwks.json` has the webhook keys in Standard Webhooks' own form: a list beside `keys`, or in a JWK
itself.
"""

_T = TypeVar("_T")
_log = logs.get_logger(__name__)


class PlatformKeys:
    """Verifies what the core signed. Fetches keys at most once per `interval` seconds, however many
    strangers ask.

    Args:
        core: where to fetch them.
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
        self._core = core
        self._module_id = module_id
        self._issuer = issuer
        self._jwks: dict[str, Any] = jwks or {"keys": []}
        self._interval = interval
        self._tried = float("-inf")
        self._reachable = True
        self._lock = asyncio.Lock()

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
        """Accept a signed request (`v1a` alone) or raise `SignatureInvalid`."""
        try:
            webhooks.verify(headers, body, public_keys=self.webhook_keys)
        except SignatureInvalid:
            known = self.webhook_keys
            if "v1a," not in headers.get("webhook-signature", "") or not await self._refetch():
                raise
            if self.webhook_keys == known:
                raise
            webhooks.verify(headers, body, public_keys=self.webhook_keys)

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

    async def _refetch(self) -> bool:
        """Fetch the keys unless that was done a moment ago; False when the core is away."""
        asked = time.monotonic()
        async with self._lock:
            if self._tried >= asked - (self._interval if self._reachable else self._interval / 10):
                return self._reachable
            try:
                self._jwks = await self._core.jwks()
                self._reachable = True
            except CoreUnavailable:
                # both may have been started at the same moment: the first time is nothing to worry about
                (_log.info if self._tried == float("-inf") else _log.warning)("keys.unavailable")
                self._reachable = False
            self._tried = time.monotonic()
            return self._reachable
