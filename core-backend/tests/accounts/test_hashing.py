"""Hashes of passwords, in their own few threads: what they cost, how many at once, and who waits."""

import asyncio
import threading
from collections.abc import Iterator

import bcrypt
import pytest
from tochka_core.hashing import CHECKS, Hasher, PasswordCosts, PasswordsBusy

pytestmark = pytest.mark.anyio

CHEAP = PasswordCosts(memory_kib=7168, passes=1, workers=2, waiting=3)


@pytest.fixture
def hasher() -> Iterator[Hasher]:
    """A cheap one."""
    made = Hasher(CHEAP)
    yield made
    made.close()


class Gate:
    """Holds every hash back until it is opened."""

    def __init__(self, hasher: Hasher) -> None:
        self._opened = threading.Event()
        self.begun = threading.Semaphore(0)
        self._argon2 = hasher._argon2
        hasher._argon2 = self  # type: ignore[assignment]  # the real one behind a gate

    def hash(self, password: str) -> str:
        self.begun.release()
        assert self._opened.wait(20)
        return self._argon2.hash(password)

    def open(self) -> None:
        self._opened.set()


async def test_the_default_costs_are_those_that_owasp_names() -> None:
    hasher = Hasher(PasswordCosts())
    hash = await hasher.hash("a password of mine")
    hasher.close()
    assert hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_the_right_password_is_told_from_any_other(hasher: Hasher) -> None:
    hash = await hasher.hash("пароль с пробелами")
    assert await hasher.verify("пароль с пробелами", hash) == (True, None)
    for wrong in ("пароль  с пробелами", "Пароль с пробелами", "", "пароль с пробелами\0"):
        assert await hasher.verify(wrong, hash) == (False, None)


@pytest.mark.parametrize("dearest", [0, 4, 6])
async def test_the_dearest_hash_of_others_changes_no_answer(hasher: Hasher, dearest: int) -> None:
    old = bcrypt.hashpw(b"a password of mine", bcrypt.gensalt(5)).decode()
    new = await hasher.hash("a password of mine")
    for stored in (old, new):
        assert (await hasher.verify("a password of mine", stored, dearest)).is_right
        assert await hasher.verify("another password", stored, dearest) == (False, None)
    assert await hasher.verify("nobody", None, dearest) == (False, None)


async def test_without_a_stored_hash_the_same_work_comes_to_no(hasher: Hasher) -> None:
    before = CHECKS._value.get()
    assert await hasher.verify("whatever", None) == (False, None)
    assert CHECKS._value.get() == before + 1


async def test_a_hash_at_other_costs_is_made_anew_when_its_password_is_right() -> None:
    cheap, dear = Hasher(CHEAP), Hasher(CHEAP.model_copy(update={"passes": 2}))
    old = await cheap.hash("a password of mine")
    assert await dear.verify("another password", old) == (False, None)
    is_right, fresh = await dear.verify("a password of mine", old)
    assert is_right
    assert fresh is not None
    assert "t=2" in fresh
    assert await dear.verify("a password of mine", fresh) == (True, None)
    cheap.close()
    dear.close()


@pytest.mark.parametrize("password", ["short one", "ж" * 60, "x" * 128])
async def test_a_bcrypt_hash_is_taken_and_replaced(hasher: Hasher, password: str) -> None:
    """Of a long password bcrypt has read 72 bytes; what replaces it reads the whole."""
    old = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    assert await hasher.verify("another password", old) == (False, None)
    is_right, fresh = await hasher.verify(password, old)
    assert is_right
    assert fresh is not None
    assert fresh.startswith("$argon2id$")
    assert await hasher.verify(password, fresh) == (True, None)
    assert await hasher.verify(password[:-1] + "!", fresh) == (False, None)


async def test_what_is_no_hash_is_never_right(hasher: Hasher) -> None:
    good = bcrypt.hashpw(b"plain", bcrypt.gensalt(4)).decode()
    for odd in (
        "",
        "plain",
        "$argon2id$",
        "$2b$04$short",
        *(good.replace("$04$", at) for at in ("$03$", "$15$")),
    ):
        assert await hasher.verify("plain", odd) == (False, None)


async def test_so_many_work_so_many_wait_and_the_rest_is_told_to_come_back(hasher: Hasher) -> None:
    gate = Gate(hasher)
    inside = [asyncio.create_task(hasher.hash(f"password {number}")) for number in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(PasswordsBusy) as refused:
        await hasher.hash("one too many")
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "2")
    for _ in range(CHEAP.workers):
        assert await asyncio.to_thread(gate.begun.acquire, timeout=20)
    assert not gate.begun.acquire(blocking=False)  # no third thread has begun
    gate.open()
    assert len({await one for one in inside}) == 5
    assert await hasher.hash("now there is room")


async def test_whoever_leaves_the_line_gives_the_place_back(hasher: Hasher) -> None:
    gate = Gate(hasher)
    inside = [asyncio.create_task(hasher.hash(f"password {number}")) for number in range(5)]
    await asyncio.sleep(0)
    for one in inside:
        one.cancel()
    await asyncio.gather(*inside, return_exceptions=True)
    gate.open()
    while True:  # two were being worked on, and are given up when their thread has ended
        try:
            assert all(await asyncio.gather(*(hasher.hash(f"next {number}") for number in range(5))))
            return
        except PasswordsBusy:
            await asyncio.sleep(0.01)
