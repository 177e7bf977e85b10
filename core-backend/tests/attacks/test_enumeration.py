"""Telling known phones from unknown ones: by what answers say, by the work behind them, by time."""

import itertools
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import argon2
import bcrypt
import httpx
import pytest
from core_kit.codes import StartCore, answer, ask, look
from core_kit.members import invite
from core_kit.passwords import PASSWORD, login, set_password
from core_kit.people import API, Owner, unique_phone
from core_kit.running import RunningCore
from core_kit.wired import Wired, wired_core
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?")
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
LEFT = re.compile(r"r=\d+;t=\d+")
LATER = re.compile(r"(?<=retry-after: )\d+")
DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
Step = Callable[[httpx.AsyncClient, str], Awaitable[list[httpx.Response]]]


def _bytes(got: httpx.Response, phone: str) -> str:
    """The whole answer, with a mark in the place of every id, time and secret, and of the phone itself.

    Times may end in zeros that are not written, so the length is not compared.
    """
    known = got.headers.multi_items()
    head = "\r\n".join(f"{name}: {value}" for name, value in known if name != "content-length")
    text = f"{got.status_code}\r\n{head}\r\n\r\n{got.text}".replace(phone, "<phone>")
    for kind in (ID, DATE, TIME, SECRET, LEFT, LATER):
        text = kind.sub(f"<{len(kind.pattern)}>", text)
    return text


async def _work(core: RunningCore) -> Counter[str]:
    """How often Redis was asked for what."""
    stats = await core.resources.redis.info("commandstats")
    return Counter({name: int(told["calls"]) for name, told in stats.items() if "info" not in name})


async def _difference(house: Wired, phones: tuple[str, str], step: Step) -> None:
    """Take the same steps with both phones: the same bytes come back, for the same work."""
    bytes_, work, statements = [], [], []
    async with httpx.AsyncClient(base_url=house.core.url, timeout=20) as client:
        await step(client, unique_phone())  # scripts are loaded and statements prepared from here on
    for phone in phones:
        async with httpx.AsyncClient(base_url=house.core.url, timeout=20) as client:
            before, since = await _work(house.core), len(house.wire.statements)
            answers = await step(client, phone)
            work.append(await _work(house.core) - before)
            statements.append([ID.sub("<id>", said) for said in house.wire.statements[since:]])
            bytes_.append([_bytes(got, phone) for got in answers])
    assert bytes_[0] == bytes_[1]
    assert work[0] == work[1]
    assert statements[0] == statements[1]


async def _all_of_signing_in_but_the_end(client: httpx.AsyncClient, phone: str) -> list[httpx.Response]:
    asked = await ask(client, phone)
    path = f"{API}/auth/challenges/{asked.json()['challenge_id']}"
    wrong = [await client.post(f"{path}/confirm", json={"code": "000000"}) for _ in range(7)]
    return [asked, await client.post(f"{path}/resend"), *wrong]


async def _too_often(client: httpx.AsyncClient, phone: str) -> list[httpx.Response]:
    return [await ask(client, phone) for _ in range(7)]


async def _as_a_program(client: httpx.AsyncClient, phone: str) -> list[httpx.Response]:
    key = {"Idempotency-Key": "press"}
    body = {"phone": phone, "channel": "max", "token_delivery": "body"}
    return [await client.post(f"{API}/auth/challenges", json=body, headers=key) for _ in range(2)]


@pytest.mark.parametrize("step", [_all_of_signing_in_but_the_end, _too_often, _as_a_program])
async def test_a_known_phone_is_not_told_from_an_unknown_one_at_any_step(
    core_database: ScratchDatabase, redis_url: str, step: Step
) -> None:
    async with wired_core(core_database, redis_url) as house:
        await _difference(house, (house.owner.phone, unique_phone()), step)


async def test_an_invitation_does_not_tell_whether_the_phone_is_known(
    core_database: ScratchDatabase, redis_url: str, stranger: Owner
) -> None:
    async with wired_core(core_database, redis_url) as house:

        async def step(_client: httpx.AsyncClient, phone: str) -> list[httpx.Response]:
            return [await invite(house.owner, phone) for _ in range(2)]

        await _difference(house, (stranger.phone, unique_phone()), step)


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How much was hashed: times of Argon2, and rounds of bcrypt, which double with its cost."""
    done: Counter[str] = Counter()

    def counted(real: Callable[..., object], kind: str, rounds: Callable[..., int]) -> Callable[..., object]:
        def work(*given: object) -> object:
            done[kind] += rounds(*given)
            return real(*given)

        return work

    def doubled(_password: bytes, salt: bytes) -> int:
        return 1 << int(salt.split(b"$")[2])

    for name in ("hashpw", "checkpw"):
        monkeypatch.setattr(bcrypt, name, counted(getattr(bcrypt, name), "bcrypt", doubled))
    verify = argon2.PasswordHasher.verify
    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted(verify, "argon2", lambda *_: 1))
    return done


async def test_neither_is_an_account_with_an_older_system_s_hash(
    core_database: ScratchDatabase, redis_url: str, stranger: Owner, owner: Owner, hashing: Counter[str]
) -> None:
    put = "INSERT INTO passwords (user_id, hash) VALUES ($1, $2)"
    for who, cost in ((stranger, 6), (owner, 8)):
        old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(cost)).decode()
        await look(core_database, put, who.user_id, old)
    async with wired_core(core_database, redis_url) as house:
        assert (await set_password(house.owner.client)).status_code == 204
        work = []

        async def step(client: httpx.AsyncClient, phone: str) -> list[httpx.Response]:
            hashing.clear()
            answers = [await login(client, phone, "not the password") for _ in range(2)]
            work.append(dict(hashing))
            return answers

        for known in (stranger.phone, owner.phone, house.owner.phone):
            await _difference(house, (known, unique_phone()), step)
        await look(core_database, "DELETE FROM passwords WHERE hash LIKE '$2%'")
        await _difference(house, (unique_phone(), unique_phone()), step)  # the last one has been replaced
    assert work == [{"argon2": 2, "bcrypt": 2 * 2**8}] * 9 + [{"argon2": 2}] * 3


async def _quartiles(work: Callable[[str], Awaitable[None]], phones: dict[str, str]) -> None:
    """Do it a few hundred times with both in turn; show how long it took."""
    took: dict[str, list[float]] = {kind: [] for kind in phones}
    for kind in itertools.islice(itertools.cycle(phones), 400):
        started = time.perf_counter()
        await work(phones[kind])
        took[kind].append((time.perf_counter() - started) * 1000)
    for kind, times in took.items():
        low, middle, high = statistics.quantiles(times, n=4)
        sys.stdout.write(
            f"\n{kind} phone, {len(times)} times: quartiles {low:.2f}, {middle:.2f}, {high:.2f} ms"
        )


async def test_time_does_not_tell_them_apart_either(
    start_core: StartCore, owner: Owner, capsys: pytest.CaptureFixture[str]
) -> None:
    """The work is the same, which the tests above assert; how long it takes is shown, not judged."""
    quotas = {"phone_codes_hour": 1000, "phone_codes_day": 1000, "phone_failures_hour": 1000}
    phones = {"a known": owner.phone, "an unknown": unique_phone()}
    async with start_core(quotas=quotas) as core, httpx.AsyncClient(base_url=core.url) as client:

        async def step(phone: str) -> None:
            asked = await ask(client, phone)
            await answer(client, asked.json()["challenge_id"], "000000")

        with capsys.disabled():
            await _quartiles(step, phones)
