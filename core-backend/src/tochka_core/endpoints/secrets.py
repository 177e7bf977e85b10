"""Secrets of endpoints as they lie in the database: AES-256-GCM, each bound to its place.

The key is derived from the platform's master secret for this purpose alone. Tenant and endpoint are
authenticated along, so that a row's secret cannot be moved into another one.
"""

import os
from functools import lru_cache
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PURPOSE = b"tochka webhook endpoint secrets v1"
NONCE = 12


@lru_cache(maxsize=4)
def _cipher(master: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(master))


def seal(master: bytes, tenant_id: UUID, endpoint_id: UUID, secret: str) -> bytes:
    """What is stored: nonce, then ciphertext and tag."""
    nonce = os.urandom(NONCE)
    return nonce + _cipher(master).encrypt(nonce, secret.encode(), _place(tenant_id, endpoint_id))


def unseal(master: bytes, tenant_id: UUID, endpoint_id: UUID, sealed: bytes) -> str:
    """The `whsec_` secret again.

    Raises:
        InvalidTag: it was sealed under another master secret, for another place, or changed.
    """
    place = _place(tenant_id, endpoint_id)
    return _cipher(master).decrypt(sealed[:NONCE], sealed[NONCE:], place).decode()


def _place(tenant_id: UUID, endpoint_id: UUID) -> bytes:
    return f"{tenant_id}|{endpoint_id}".encode()
