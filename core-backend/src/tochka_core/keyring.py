"""The platform's keys, one purpose each, and what is published of them."""

from dataclasses import dataclass
from typing import Any

from joserfc.jwk import OKPKey
from tochka_sdk.signing import receiver_secret
from tochka_sdk.tokens import public_jwk, read_key

from tochka_core.settings import Settings


@dataclass(frozen=True)
class Keyring:
    """Private keys and peppers: `access` signs tokens, `license` licenses and tickets, `webhook` events.

    `webhook` is a Standard Webhooks `whsk_` key. `master` derives the `whsec_` secret of each receiver, so
    that none has to be stored.
    """

    access: OKPKey
    license: OKPKey
    webhook: str
    webhook_public: str
    code_pepper: bytes
    session_key: bytes
    master: bytes

    @classmethod
    def of(cls, settings: Settings, *, webhook_public: str) -> "Keyring":
        """Import the keys that `settings` carry."""
        return cls(
            access=read_key(settings.signing_key.get_secret_value()),
            license=read_key(settings.license_key.get_secret_value()),
            webhook=settings.webhook_key.get_secret_value(),
            webhook_public=webhook_public,
            code_pepper=settings.code_pepper.get_secret_value().encode(),
            session_key=settings.session_key.get_secret_value().encode(),
            master=settings.secret_key_master.get_secret_value().encode(),
        )

    def receiver_secret(self, receiver: str) -> str:
        """The `whsec_` secret with which deliveries to `receiver` are signed as `v1`."""
        return receiver_secret(self.master, receiver)

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JWKS (RFC 7517). The webhook key stands beside `keys`, not among them: it
        signs deliveries and never a token.
        """
        return {
            "keys": [public_jwk(self.access), public_jwk(self.license)],
            "tochka_whpk": [self.webhook_public],
        }
