"""What an attacker would try on the way in: telling phones apart, guessing codes, lying about who asks."""

import itertools
import statistics
import sys
import time
from collections import Counter
from typing import Any

import httpx
import pytest
from core_kit.codes import StartCore, answer, ask, challenge, look, other, refusal
from core_kit.people import API, Owner, read_code, unique_phone
from core_kit.running import RunningCore
from core_kit.wired import wired_core
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

CODES_OF_A_PHONE, FAILURES_OF_A_PHONE, TRIES = 5, 10, 5
_addresses = itertools.count(1)


def _elsewhere() -> dict[str, str]:
    """As if from a network address that was never used before."""
    number = next(_addresses)
    return {"X-Forwarded-For": f"100.{64 + number // 65536}.{number // 256 % 256}.{number % 256}"}


async def _work(core: RunningCore) -> Counter[str]:
    """How often Redis was asked for what."""
    stats = await core.resources.redis.info("commandstats")
    return Counter({name: int(told["calls"]) for name, told in stats.items() if "info" not in name})


def _shape(got: httpx.Response) -> tuple[Any, ...]:
    passing = {"date", "x-request-id", "ratelimit", "set-cookie", "content-length"}
    headers = {name: value for name, value in got.headers.items() if name not in passing}
    body = got.json()
    return got.status_code, headers, body.keys(), [body.get(name) for name in ("code", "detail", "channel")]


async def test_a_known_phone_is_not_told_from_an_unknown_one_at_any_step(
    core_database: ScratchDatabase, redis_url: str
) -> None:
    async with wired_core(core_database, redis_url) as house:
        shapes, work = [], []
        async with httpx.AsyncClient(base_url=house.core.url) as client:
            warm, _, code = await challenge(client)  # scripts are loaded from here on
            await client.post(f"{API}/auth/challenges/{warm}/resend")
            await answer(client, warm, other(code))
            for phone in (house.owner.phone, unique_phone()):
                client.cookies.clear()
                statements = len(house.wire.statements)
                before = await _work(house.core)
                asked = await ask(client, phone)
                path = f"{API}/auth/challenges/{asked.json()['challenge_id']}"
                resent = await client.post(f"{path}/resend")
                guessed = await client.post(f"{path}/confirm", json={"code": "000000"})
                work.append(await _work(house.core) - before)
                assert house.wire.statements[statements:] == []
                shapes.append([_shape(got) for got in (asked, resent, guessed)])
        assert [shape[0] for shape in shapes[0]] == [202, 429, 422]
        assert shapes[0] == shapes[1]
        assert work[0] == work[1]


async def test_time_does_not_tell_them_apart_either(
    start_core: StartCore, owner: Owner, capsys: pytest.CaptureFixture[str]
) -> None:
    """The work is the same, which the test above asserts; how long it takes is shown, not judged."""
    quotas = {"phone_codes_hour": 1000, "phone_codes_day": 1000}
    took: dict[str, list[float]] = {"known": [], "unknown": []}
    async with start_core(quotas=quotas) as core, httpx.AsyncClient(base_url=core.url) as client:
        phones = {"known": owner.phone, "unknown": unique_phone()}
        for kind in itertools.islice(itertools.cycle(phones), 400):
            started = time.perf_counter()
            got = await ask(client, phones[kind])
            took[kind].append((time.perf_counter() - started) * 1000)
            assert got.status_code == 202
    with capsys.disabled():
        for kind, times in took.items():
            low, middle, high = statistics.quantiles(times, n=4)
            line = f"{len(times)} challenges, {kind} phone: quartiles {low:.2f}, {middle:.2f}, {high:.2f} ms"
            sys.stdout.write(f"\n{line}")


async def test_guessing_over_challenges_instances_and_addresses_ends_after_ten(
    core: RunningCore, start_core: StartCore, core_database: ScratchDatabase
) -> None:
    phone = unique_phone()
    verdicts: Counter[str] = Counter()
    async with start_core() as second:
        urls = itertools.cycle((core.url, second.url))
        last: tuple[str, str] | None = None
        for _ in range(CODES_OF_A_PHONE):
            async with httpx.AsyncClient(base_url=next(urls)) as client:
                challenge_id, _, code = await challenge(client, phone)
                last = (challenge_id, code)
                for _ in range(TRIES + 2):
                    path = f"{next(urls)}{API}/auth/challenges/{challenge_id}/confirm"
                    got = await client.post(path, json={"code": other(code)}, headers=_elsewhere())
                    verdicts[refusal(got)[1]] += 1
        assert last is not None
        async with httpx.AsyncClient(base_url=second.url, headers=_elsewhere()) as client:
            assert refusal(await answer(client, *last)) == (429, "accounts.too_many_tries")
            assert refusal(await ask(client, phone)) == (429, "accounts.too_many_codes")
    assert verdicts == {
        "accounts.code_wrong": FAILURES_OF_A_PHONE,
        "accounts.too_many_tries": CODES_OF_A_PHONE * (TRIES + 2) - FAILURES_OF_A_PHONE,
    }
    assert await look(core_database, "SELECT 1 FROM users WHERE phone = $1", phone) == []


async def test_sending_again_from_elsewhere_gives_no_more_guesses(core: RunningCore) -> None:
    async with httpx.AsyncClient(base_url=core.url) as client:
        challenge_id, phone, code = await challenge(client)
        wrong = 0
        for _ in range(3):
            for _ in range(2):
                client.headers.update(_elsewhere())
                wrong += refusal(await answer(client, challenge_id, other(code)))[1] == "accounts.code_wrong"
            (key,) = [name async for name in core.resources.redis.scan_iter(f"code:*{challenge_id}")]
            await core.resources.redis.hincrby(key, "resend", -61_000)
            client.headers.update(_elsewhere())
            resent = await client.post(f"{API}/auth/challenges/{challenge_id}/resend")
            if resent.status_code == 202:
                client.headers.pop("X-Forwarded-For")
                code = await read_code(client, phone)
        assert wrong == TRIES
        assert refusal(await answer(client, challenge_id, code)) == (429, "accounts.too_many_tries")


REAL = "203.0.113.99"
LIES: list[list[tuple[str, str]]] = [
    [("X-Forwarded-For", f"1.2.3.1, {REAL}")],  # what a client wrote before the gateway
    [("X-Forwarded-For", "1.2.3.2"), ("X-Forwarded-For", REAL)],
    [("X-Forwarded-For", f"liar, unknown, {REAL}")],
    [("X-Forwarded-For", f"{REAL}:4004")],
    [("X-Forwarded-For", f"::ffff:{REAL}"), ("X-Real-IP", "1.2.3.5")],
    [("Forwarded", "for=1.2.3.6"), ("True-Client-IP", "1.2.3.6"), ("X-Forwarded-For", REAL)],
]


async def test_lying_about_the_address_does_not_open_another_bucket(start_core: StartCore) -> None:
    async with (
        start_core(limits="strict", quotas={"codes": "3/1h"}) as core,
        httpx.AsyncClient(base_url=core.url) as client,
    ):
        body = {"phone": "112", "channel": "max"}
        statuses = []
        for lie in LIES:
            got = await client.post(f"{API}/auth/challenges", json=body, headers=lie)
            statuses.append(got.status_code)
        assert statuses == [422] * 3 + [429] * 3
        statuses = []
        for address in ("2001:db8:77::1", "2001:db8:77::2", "2001:db8:77:0:1::3", "2001:db8:77::4"):
            from_there = {"X-Forwarded-For": address}
            got = await client.post(f"{API}/auth/challenges", json=body, headers=from_there)
            statuses.append(got.status_code)
        assert statuses == [422] * 3 + [429]


@pytest.mark.parametrize(
    "path",
    [
        "/auth/challenges/",
        "//auth/challenges",
        "/auth//challenges",
        "/AUTH/CHALLENGES",
        "/auth/challenges%2F",
        "/auth%2Fchallenges",
        "/auth/./challenges",
        "/auth/x/../challenges",
        "/auth/challenges;a=b",
        "/auth/challenges%00",
        "/auth/challenges?x=1",
        "/auth/challenges/%72esend",
    ],
)
async def test_no_spelling_of_an_address_passes_by_its_limit(client: httpx.AsyncClient, path: str) -> None:
    phone = unique_phone()
    request = client.build_request("POST", f"{API}/auth/challenges", json={"phone": phone, "channel": "max"})
    request.url = request.url.copy_with(raw_path=f"{API}{path}".encode())
    got = await client.send(request)
    assert '"codes"' in got.headers["ratelimit"] or got.status_code in (404, 405, 422)
    shown = await client.get(f"{API}/dev/inbox", params={"phone": phone}, headers={"Host": "localhost"})
    assert len(shown.json()) == (1 if '"codes"' in got.headers["ratelimit"] and got.status_code == 202 else 0)


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
async def test_a_method_is_what_it_is(client: httpx.AsyncClient, name: str) -> None:
    got = await client.get(f"{API}/auth/challenges", headers={name: "POST"})
    assert refusal(got) == (405, "request.method_not_allowed")


HOSTS: list[dict[str, str]] = [
    {"Host": "evil.example"},
    {"Host": "localhost:8080@evil.example"},
    {"X-Forwarded-Host": "evil.example"},
    {"X-Host": "evil.example"},
    {"Forwarded": "host=evil.example"},
    {"X-Original-URL": "https://evil.example/"},
    {"X-Rewrite-URL": "/dev/inbox"},
    {"X-Forwarded-Prefix": "//evil.example"},
]


@pytest.mark.parametrize("headers", HOSTS)
async def test_a_forged_host_ends_up_in_nothing_that_is_sent(
    owner: Owner, client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    phone = unique_phone()
    asked = await client.post(
        f"{API}/auth/challenges", json={"phone": phone, "channel": "max"}, headers=headers
    )
    shown = await client.get(f"{API}/dev/inbox", params={"phone": phone}, headers={"Host": "localhost"})
    answers = [asked, shown]
    answers += [await owner.client.get(path, headers=headers) for path in ("/docs", f"{API}/me", f"{API}/x")]
    answers.append(await owner.client.get(f"{API}/subdomains/pekarnya", headers=headers))
    for got in answers:
        assert got.status_code in (200, 202, 404)
        assert "location" not in got.headers
        assert "evil" not in got.text
        assert "evil" not in str(got.headers)


async def test_a_forged_host_does_not_make_a_foreign_page_ours(owner: Owner) -> None:
    for headers in (
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {
            "X-Forwarded-Host": "evil.example",
            "Origin": "http://evil.example",
            "Sec-Fetch-Site": "same-origin",
        },
        {"X-Forwarded-Proto": "https", "Origin": "https://localhost:8080"},
    ):
        for call in ("refresh", "logout"):
            got = await owner.client.post(f"{API}/auth/{call}", headers={**headers, "Authorization": ""})
            assert refusal(got) == (403, "accounts.cross_site")
    assert (await owner.client.get(f"{API}/me")).status_code == 200
