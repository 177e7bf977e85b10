"""Hashes of passwords: Argon2id, worked out in a few threads of their own and never in the event loop.

Hashing is dear on purpose, in time and in memory. So only `workers` go on at once, `waiting` more may stand
in line, and whoever comes beyond that is told to come back: memory has a bound, and nobody waits for long.
"""

import asyncio
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, NamedTuple, TypeVar

from prometheus_client import Counter
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher
from pydantic import BaseModel, ConfigDict, Field
from tochka_sdk.errors import Unavailable

BCRYPT_BYTES = 72  # bcrypt has never read more of a password
CHECKS = Counter("tochka_password_checks", "Passwords looked at, known or not.")
REFUSALS = Counter("tochka_password_refusals", "Passwords not looked at: too many stood in line.")
T = TypeVar("T")


class PasswordCosts(BaseModel):
    """What a hash costs; the defaults are OWASP's for Argon2id: 19 MiB, two passes, one lane.

    A hash that was made at other costs is made anew when its password is typed the next time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    memory_kib: Annotated[int, Field(ge=7168, le=1024 * 1024)] = 19456
    passes: Annotated[int, Field(ge=1, le=20)] = 2
    lanes: Annotated[int, Field(ge=1, le=16)] = 1
    workers: Annotated[int, Field(ge=1, le=32)] = 2
    waiting: Annotated[int, Field(ge=0, le=1000)] = 64


class PasswordsBusy(Unavailable):
    """503: more passwords are being checked than this process takes on."""

    code = "accounts.passwords_busy"

    def __init__(self) -> None:
        super().__init__("Too many people are signing in. Try again in a moment.", retry_after=2)


class Verdict(NamedTuple):
    """Whether the password is right; `fresh` is a hash to be stored instead of one that is out of date."""

    is_right: bool
    fresh: str | None


@dataclass(frozen=True, slots=True)
class _Job:
    """What a thread does with one password."""

    hasher: Argon2Hasher
    password: str

    def hash(self) -> str:
        return self.hasher.hash(self.password)

    def verify(self, stored: str) -> Verdict:
        if BcryptHasher.identify(stored):
            is_right = BcryptHasher().verify(self.password.encode()[:BCRYPT_BYTES], stored)
            return Verdict(is_right, self.hash() if is_right else None)
        is_right = self.hasher.verify(self.password, stored)
        is_stale = is_right and self.hasher.check_needs_rehash(stored)
        return Verdict(is_right, self.hash() if is_stale else None)


class Hasher:
    """One value per process. Passwords come in their stored form (see `accounts/passwords.py`)."""

    def __init__(self, costs: PasswordCosts) -> None:
        self._argon2 = Argon2Hasher(costs.passes, costs.memory_kib, costs.lanes)
        self._threads = ThreadPoolExecutor(costs.workers, thread_name_prefix="passwords")
        self._room = threading.BoundedSemaphore(costs.workers + costs.waiting)
        self._nobody = self._argon2.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """A hash to store.

        Raises:
            PasswordsBusy: too many stand in line.
        """
        return await self._run(_Job(self._argon2, password).hash)

    async def verify(self, password: str, stored: str | None) -> Verdict:
        """Whether a password is the stored one; without one the same work comes to «no».

        Raises:
            PasswordsBusy: too many stand in line.
        """
        job = _Job(self._argon2, password)
        verdict = await self._run(lambda: job.verify(self._nobody if stored is None else stored))
        CHECKS.inc()
        return verdict if stored is not None else Verdict(False, None)

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._room.acquire(blocking=False):
            REFUSALS.inc()
            raise PasswordsBusy
        try:
            future = self._threads.submit(work)
        except BaseException:
            self._room.release()
            raise
        future.add_done_callback(lambda _: self._room.release())  # also for a caller who has gone meanwhile
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let nobody in any more; what a thread has begun it ends."""
        self._threads.shutdown(wait=False, cancel_futures=True)
