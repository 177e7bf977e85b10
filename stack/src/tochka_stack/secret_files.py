"""Secrets made on the first start: one file each, for the eyes of one user."""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tochka_stack.refusals import NotPermitted


def random_secret() -> str:
    """256 bits, in letters that need no quoting."""
    return secrets.token_hex(32)


def signing_key() -> str:
    """A fresh Ed25519 private key as a JWK."""
    import json

    from tochka_sdk.tokens import generate_key

    return json.dumps(generate_key().as_dict(private=True))


def webhook_key() -> str:
    """A fresh `whsk_` key."""
    from tochka_sdk.webhooks import generate_keypair

    return generate_keypair()[0]


def public_half(private_jwk: str) -> str:
    """The public JWK of a `signing_key`."""
    import json

    from tochka_sdk.tokens import public_jwk, read_key

    return json.dumps(public_jwk(read_key(private_jwk)))


KINDS: dict[str, Callable[[], str]] = {
    "core-signing-key": signing_key,
    "core-license-key": signing_key,
    "core-webhook-key": webhook_key,
    "core-code-pepper": random_secret,
    "core-session-key": random_secret,
    "core-secret-key-master": random_secret,
    "shop-private-key": signing_key,
    "postgres-tochka_admin": random_secret,
    "postgres-tochka_owner": random_secret,
    "postgres-tochka_app": random_secret,
    "postgres-tochka_jobs": random_secret,
    "postgres-shop_owner": random_secret,
    "postgres-shop_app": random_secret,
    "redis": random_secret,
}


@dataclass(frozen=True)
class SecretFiles:
    """The directory of secrets. A secret is made once and never changed by the stack."""

    folder: Path

    def ensure_all(self) -> None:
        """Make what is missing, and set the modes right."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.folder.chmod(0o700)
        for name, make in KINDS.items():
            path = self.folder / name
            if path.exists():
                path.chmod(0o600)
            else:
                self._write(path, make())

    def __getitem__(self, name: str) -> str:
        """The secret of that name."""
        try:
            return (self.folder / name).read_text().strip()
        except OSError as error:
            raise NotPermitted(
                f"The secret {self.folder / name} cannot be read: {error.strerror}."
            ) from error

    def too_open(self) -> list[Path]:
        """Files and the directory itself that somebody else could read."""
        if not self.folder.exists():
            return []
        return [path for path in (self.folder, *self.folder.iterdir()) if path.stat().st_mode & 0o077]

    def _write(self, path: Path, value: str) -> None:
        """All or nothing, and on the disk before anything is encrypted with it."""
        scratch = path.with_name(f".{path.name}.new")
        scratch.unlink(missing_ok=True)
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{value}\n")
            file.flush()
            os.fsync(file.fileno())
        scratch.rename(path)
