"""Standard Webhooks 1.0: signing and verifying, `v1` (HMAC-SHA256) and `v1a` (Ed25519).

Signed content is `{webhook-id}.{webhook-timestamp}.{raw body}`; the header `webhook-signature` is a
space-separated list of `version,base64`. Keys: `whsec_` + base64 of the 24-64 secret bytes; `whsk_` +
base64 of the Ed25519 private key (seed ‖ public, 64 bytes; 32 bytes of seed alone are read as well);
`whpk_` + base64 of the 32 public bytes.

Everything that arrives is untrusted: `verify` answers any malformed header with `SignatureInvalid` and
raises nothing else, unlike the published libraries.
"""

import base64
import binascii
import hmac
import re
import secrets as random
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tochka_sdk import clock
from tochka_sdk.errors import Unauthenticated

SECRET_PREFIX = "whsec_"  # noqa: S105  a prefix, not a secret
PRIVATE_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
TOLERANCE_S = 300
MAX_SIGNATURES = 16
_MAX_HEADER = 4096
_ID = re.compile(r"[!-\-/-~]{1,256}")  # visible ASCII but for "."
_SEED = 32
_SECRET_BYTES = range(24, 65)


class SignatureInvalid(Unauthenticated):
    """401: the request does not prove that it comes from the platform."""

    code = "webhooks.signature_invalid"


def generate_secret() -> str:
    """A fresh `whsec_` secret of 32 random bytes."""
    return SECRET_PREFIX + base64.b64encode(random.token_bytes(32)).decode()


def generate_keypair() -> tuple[str, str]:
    """A fresh Ed25519 pair as `(whsk_…, whpk_…)`."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    private = key.private_bytes_raw() + public
    return (
        PRIVATE_PREFIX + base64.b64encode(private).decode(),
        PUBLIC_PREFIX + base64.b64encode(public).decode(),
    )


def public_key_of(private_key: str) -> str:
    """The `whpk_` half of a `whsk_` key. Raises ValueError when it is not one."""
    public = _private(private_key).public_key().public_bytes_raw()
    return PUBLIC_PREFIX + base64.b64encode(public).decode()


def sign(
    msg_id: str,
    timestamp: int,
    body: bytes,
    *,
    secret: str | Sequence[str] | None = None,
    private_key: str | Sequence[str] | None = None,
) -> dict[str, str]:
    """The three headers for one attempt.

    Args:
        msg_id: the event's id, the same on every attempt; ASCII, without ".".
        timestamp: unix seconds of this attempt.
        body: the raw bytes that will be sent.
        secret: `whsec_…`; several during a rotation.
        private_key: `whsk_…`; several during a rotation.

    Raises:
        ValueError: the id, the timestamp or a key is not well-formed, or there is no key at all.
    """
    if not _valid_id(msg_id):
        raise ValueError("a webhook id is 1-256 visible ASCII characters without '.'")
    if timestamp < 0:
        raise ValueError("a timestamp is a count of unix seconds")
    content = _content(msg_id, str(timestamp), body)
    entries = [f"v1,{_encode(_hmac(_secret(key), content))}" for key in _several(secret)]
    entries += [f"v1a,{_encode(_private(key).sign(content))}" for key in _several(private_key)]
    if not entries:
        raise ValueError("nothing to sign with: give a secret, a private key, or both")
    return {
        "webhook-id": msg_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(entries),
    }


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    public_keys: Sequence[str] = (),
    secrets: Sequence[str] = (),
    tolerance: int = TOLERANCE_S,
    now: datetime | None = None,
) -> None:
    """Accept the request or raise `SignatureInvalid`, and never anything else.

    One matching signature is enough: `v1a` against any of `public_keys`, `v1` against any of `secrets`. A
    key that is not well-formed matches nothing. `tolerance` is in seconds, both ways, against `now`
    (default: the clock).
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    msg_id = lowered.get("webhook-id", "")
    timestamp = lowered.get("webhook-timestamp", "")
    signatures = lowered.get("webhook-signature", "")
    if not (msg_id and timestamp and signatures):
        raise SignatureInvalid("The request carries no webhook signature.")
    if not _valid_id(msg_id) or len(signatures) > _MAX_HEADER:
        raise SignatureInvalid("The webhook headers are malformed.")
    _check_timestamp(timestamp, tolerance, now)
    content = _content(msg_id, timestamp, body)
    for version, signature in _entries(signatures):
        if version == "v1a" and any(_matches_public(key, signature, content) for key in public_keys):
            return
        if version == "v1" and any(_matches_secret(key, signature, content) for key in secrets):
            return
    raise SignatureInvalid("No signature of the request matches a known key.")


def _valid_id(msg_id: str) -> bool:
    return _ID.fullmatch(msg_id) is not None


def _check_timestamp(text: str, tolerance: int, now: datetime | None) -> None:
    """Plain ASCII digits within the tolerance; `int` would also take "١٢", " 1" and "1_0"."""
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise SignatureInvalid("The webhook timestamp is malformed.")
    age = (now or clock.now()).timestamp() - int(text)
    if abs(age) > tolerance:
        raise SignatureInvalid("The webhook timestamp is too far from the present.")


def _content(msg_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{msg_id}.{timestamp}.".encode() + body


def _entries(header: str) -> list[tuple[str, bytes]]:
    """The well-formed entries of a signature header; the others, also of future versions, are passed over."""
    found = []
    for entry in header.split(" ")[:MAX_SIGNATURES]:
        version, comma, text = entry.partition(",")
        raw = _decode(text)
        if comma and raw:
            found.append((version, raw))
    return found


def _several(keys: str | Sequence[str] | None) -> Sequence[str]:
    if keys is None:
        return ()
    return (keys,) if isinstance(keys, str) else keys


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decode(text: str) -> bytes | None:
    """Strict base64; None when it is not."""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return None


def _hmac(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, "sha256")


def _body_of(key: str, prefix: str) -> bytes:
    raw = _decode(key[len(prefix) :]) if key.startswith(prefix) else None
    if raw is None:
        raise ValueError(f"not a {prefix} key")
    return raw


@lru_cache(maxsize=256)
def _secret(key: str) -> bytes:
    raw = _body_of(key, SECRET_PREFIX)
    if len(raw) not in _SECRET_BYTES:
        raise ValueError("a webhook secret has 24 to 64 bytes")
    return raw


@lru_cache(maxsize=64)
def _private(key: str) -> Ed25519PrivateKey:
    raw = _body_of(key, PRIVATE_PREFIX)
    if len(raw) not in (_SEED, 2 * _SEED):
        raise ValueError("a webhook private key has 32 or 64 bytes")
    private = Ed25519PrivateKey.from_private_bytes(raw[:_SEED])
    if raw[_SEED:] not in (b"", private.public_key().public_bytes_raw()):
        raise ValueError("the two halves of the webhook private key do not belong together")
    return private


@lru_cache(maxsize=256)
def _public(key: str) -> Ed25519PublicKey | None:
    try:
        return Ed25519PublicKey.from_public_bytes(_body_of(key, PUBLIC_PREFIX))
    except ValueError:
        return None


def _matches_public(key: str, signature: bytes, content: bytes) -> bool:
    public = _public(key)
    if public is None:
        return False
    try:
        public.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _matches_secret(key: str, signature: bytes, content: bytes) -> bool:
    try:
        return hmac.compare_digest(_hmac(_secret(key), content), signature)
    except ValueError:
        return False
