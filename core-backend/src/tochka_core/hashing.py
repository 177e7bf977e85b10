"""Hashes of passwords: Argon2id, worked out in a few threads of their own and never in the event loop.

Hashing is dear on purpose, in time and in memory. So only `workers` go on at once, `waiting` more may stand
in line, and whoever comes beyond that is told to come back: memory has a bound, and nobody waits for long.

Of which kind somebody's hash is must not be told by the time that it takes. So every check does all of the
work: one of Argon2 and, while bcrypt hashes of an older system are stored, the rounds of the dearest of them.
"""

import asyncio
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, TypeVar

from prometheus_client import Counter
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher
from pydantic import BaseModel, ConfigDict, Field
from tochka_sdk.errors import Unavailable

BCRYPT_BYTES = 72  # bcrypt has never read more of a password
BCRYPT_COSTS = range(4, 13)  # powers of two; no hash of a higher one is taken: it would hold everybody up
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
    nobody: str
    password: str

    def hash(self) -> str:
        return self.hasher.hash(self.password)

    def verify(self, stored: str | None, dearest: int) -> Verdict:
        new, old = _by_kind(stored)
        shown = new or self.nobody
        is_old = self._verify_bcrypt(old, dearest)
        is_new = self.hasher.verify(self.password, shown) and new is not None
        is_stale = is_old or (is_new and self.hasher.check_needs_rehash(shown))
        return Verdict(is_old or is_new, self.hash() if is_stale else None)

    def _verify_bcrypt(self, stored: str | None, dearest: int) -> bool:
        """Whether it is right, for the work of the dearest: a step more of the cost is twice the work."""
        if stored is None:
            return bool(dearest) and self._toil(dearest)
        for cost in range(_cost(stored), dearest):
            self._toil(cost)
        return BcryptHasher().verify(self.password.encode()[:BCRYPT_BYTES], stored)

    def _toil(self, cost: int) -> Literal[False]:
        """The rounds of a bcrypt hash that is nobody's."""
        BcryptHasher(cost).hash(b"nobody")
        return False


def _by_kind(stored: str | None) -> tuple[str | None, str | None]:
    """A hash of Argon2, or one of bcrypt; neither when there is none, or one of a cost that is not taken."""
    if stored is None or not BcryptHasher.identify(stored):
        return stored, None
    return None, stored if _cost(stored) in BCRYPT_COSTS else None


def _cost(bcrypt: str) -> int:
    return int(bcrypt[4:6])


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
        return await self._run(_Job(self._argon2, self._nobody, password).hash)

    async def verify(self, password: str, stored: str | None, dearest_bcrypt: int = 0) -> Verdict:
        """Whether a password is the stored one; without one the same work comes to «no».

        Args:
            password: what was typed.
            stored: the hash of whoever it should be.
            dearest_bcrypt: the highest of `BCRYPT_COSTS` that anybody's hash has; 0 when nobody has such a
                hash, or when it is no secret whose this one is.

        Raises:
            PasswordsBusy: too many stand in line.
        """
        job = _Job(self._argon2, self._nobody, password)
        verdict = await self._run(lambda: job.verify(stored, dearest_bcrypt))
        CHECKS.inc()
        return verdict

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
