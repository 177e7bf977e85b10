"""Secrets made on the first start: one file each, for the eyes of one user."""

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tochka_stack.refusals import NotPermitted


def random_secret() -> str:
    """256 bits, in letters that need no quoting."""
    return secrets.token_hex(32)


def signing_key() -> str:
    """A fresh Ed25519 private key as a JWK."""
    from tochka_sdk.tokens import generate_key

    return json.dumps(generate_key().as_dict(private=True))


def key_rings() -> str:
    """Fresh rings of the core's signing keys."""
    from tochka_sdk.key_rings import Rings

    return Rings.fresh().render()


def public_half(private_jwk: str) -> str:
    """The public JWK of a `signing_key`."""
    from tochka_sdk.tokens import public_jwk, read_key

    return json.dumps(public_jwk(read_key(private_jwk)))


KEYRING = "core-keyring"
BEFORE_RINGS = ("core-signing-key", "core-license-key", "core-webhook-key")
KINDS: dict[str, Callable[[], str]] = {
    KEYRING: key_rings,
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
SHORTEST = {random_secret: 64}


@dataclass(frozen=True)
class SecretFiles:
    """The directory of secrets. A secret is made once; the rings of keys change when they are turned."""

    folder: Path

    def ensure_all(self, made: Collection[str] = ()) -> list[Path]:
        """Make what is missing and set the modes right; which of them others could read until now.

        What was `made` before is never made anew: the data that it opens would be lost without a word.
        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        too_open = self.too_open()
        for path in too_open:
            path.chmod(path.stat().st_mode & ~0o077)
        for name, make in KINDS.items():
            path = self.folder / name
            if path.exists():
                if name == KEYRING:
                    self._complete_rings()
                self._check(name)
            elif name in made:
                raise NotPermitted(
                    f"The secret {path} is gone: restore it from a backup, "
                    f"or remove {self.folder.parent} to begin anew."
                )
            else:
                self._write(path, self._rings_of_before(made) if name == KEYRING else make())
        for name in BEFORE_RINGS:
            (self.folder / name).unlink(missing_ok=True)
        return too_open

    def __getitem__(self, name: str) -> str:
        """The secret of that name."""
        try:
            return (self.folder / name).read_text().strip()
        except OSError as error:
            raise NotPermitted(
                f"The secret {self.folder / name} cannot be read: {error.strerror}."
            ) from error

    @contextmanager
    def exchange(self, name: str) -> Iterator[Callable[[str], None]]:
        """Hold the secrets while one of them is exchanged; gives what writes the new one in its place."""
        self[name]  # or it is not here to be exchanged
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield lambda value: self._write(self.folder / name, value)
        finally:
            os.close(folder)

    def too_open(self) -> list[Path]:
        """Files and the directory itself that somebody else could read."""
        if not self.folder.exists():
            return []
        return [path for path in (self.folder, *self.folder.iterdir()) if path.stat().st_mode & 0o077]

    def _check(self, name: str) -> None:
        """Refuse what is cut off or empty: a secret that was made here looks like every other of its kind."""
        if not _is_whole(KINDS[name], self[name]):
            raise NotPermitted(f"The secret {self.folder / name} is damaged: restore it from a backup.")

    def _complete_rings(self) -> None:
        """Add the rings of purposes that an older version did not have."""
        from tochka_sdk.key_rings import RingInvalid, Rings

        with self.exchange(KEYRING) as write, suppress(RingInvalid):  # which is said by the check
            text = self[KEYRING]
            if (complete := Rings.completed(text)) != text:
                write(complete)

    def _rings_of_before(self, made: Collection[str]) -> str:
        """Rings around the keys that were secrets of their own once; fresh ones where there were none."""
        from tochka_sdk.key_rings import Rings

        if not any((self.folder / name).exists() or name in made for name in BEFORE_RINGS):
            return key_rings()
        signing, license, webhook = (self[name] for name in BEFORE_RINGS)
        rings = Rings.of(signing, license, webhook, signing_key())
        try:
            rings.check()
        except ValueError as error:
            raise NotPermitted(f"A key in {self.folder} is damaged: {error}.") from None
        return rings.render()

    def _write(self, path: Path, value: str) -> None:
        """All or nothing, and on the disk before anything is signed or encrypted with it."""
        scratch = path.with_name(f".{path.name}.new")
        scratch.unlink(missing_ok=True)
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{value}\n")
            file.flush()
            os.fsync(file.fileno())
        scratch.rename(path)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _is_whole(make: Callable[[], str], value: str) -> bool:
    """Whether a secret is one of its kind, from beginning to end."""
    try:
        if make is signing_key:
            return "d" in json.loads(value)
        if make is key_rings:
            from tochka_sdk.key_rings import Rings

            Rings.parse(value)
            return True
    except ValueError:
        return False
    return len(value) >= SHORTEST[make]
