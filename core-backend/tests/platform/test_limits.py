"""Rate limits: who is counted together, what answers say of it, and what still works when nobody counts."""

import asyncio
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from core_kit.codes import StartCore, ask, refusal
from core_kit.people import API, Owner, unique_phone
from core_kit.processes import environment
from core_kit.relay import Relay
from core_kit.running import core_settings, loopback_socket, run_core
from pydantic import ValidationError
from tochka_core.limits import RELAXED_FACTOR, bucket
from tochka_core.quotas import Quotas, Rate
from tochka_core.settings import Settings
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

GUIDE = Path(__file__).resolve().parents[3] / "docs/operator-guide.md"
_networks = itertools.count(1)


@pytest.fixture
def address() -> str:
    """A network address that no other test uses."""
    number = next(_networks)
    return f"198.51.{number // 256}.{number % 256}"


@pytest.fixture
def nobody_listens() -> Iterator[str]:
    """The address of a Redis that is away."""
    with loopback_socket() as bound:
        yield f"redis://127.0.0.1:{bound.getsockname()[1]}/0"


def _from(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def _fields(answer: httpx.Response) -> dict[str, dict[str, int]]:
    """What the two fields say, by the name of the limit."""
    told: dict[str, dict[str, int]] = {}
    for field in ("ratelimit-policy", "ratelimit"):
        for item in answer.headers[field].split(", "):
            match = re.fullmatch(r'"([a-z-]+)"((?:;[a-z]=[0-9]+)+)', item)
            assert match is not None, item
            parameters = (part.split("=") for part in match[2].strip(";").split(";"))
            told.setdefault(match[1], {}).update({name: int(value) for name, value in parameters})
    return told


async def test_every_answer_says_how_the_caller_stands(start_core: StartCore, address: str) -> None:
    quotas = {"address": "10/1h"}
    async with start_core(limits="strict", quotas=quotas) as core, httpx.AsyncClient() as client:
        for left, path in enumerate(("/modules", "/nothing", "/me")):
            answer = await client.get(f"{core.url}{API}{path}", headers=_from(address))
            (told,) = _fields(answer).items()
            assert told[0] == "address"
            assert 300 < told[1].pop("t") <= 360
            assert told[1] == {"q": 10, "w": 3600, "r": 9 - left}


async def test_over_the_limit_the_answer_says_when_to_come_back(start_core: StartCore, address: str) -> None:
    quotas = {"address": "5/50s"}
    async with start_core(limits="strict", quotas=quotas) as core, httpx.AsyncClient() as client:
        answers = [await client.get(f"{core.url}{API}/modules", headers=_from(address)) for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        assert refusal(answers[-1]) == (429, "request.too_many")
        assert answers[-1].json()["limit"] == "address"
        assert 0 < int(answers[-1].headers["retry-after"]) <= 10
        told = _fields(answers[-1])["address"]
        assert (told["r"], told["q"], told["w"]) == (0, 5, 50)
        assert 0 < told["t"] <= 10
        assert "content-security-policy" in answers[-1].headers
        other = await client.get(f"{core.url}{API}/modules", headers=_from(f"{address}1"))
        assert other.status_code == 200


async def test_a_bucket_fills_evenly_again(start_core: StartCore, address: str) -> None:
    quotas = {"address": "2/1h"}
    async with start_core(limits="strict", quotas=quotas) as core, httpx.AsyncClient() as client:

        async def is_let_in() -> bool:
            url = f"{core.url}{API}/modules"
            return (await client.get(url, headers=_from(address))).status_code == 200

        async def elapse(minutes: int) -> None:
            """As if so much time had passed: what a bucket holds is a moment in microseconds."""
            await core.resources.redis.decrby(f"limit:{{{address}}}:address", minutes * 60_000_000)

        assert [await is_let_in() for _ in range(4)] == [True, True, False, False]
        await elapse(29)
        assert not await is_let_in()
        await elapse(1)  # half an hour for one more, and refusals have not put it off
        assert [await is_let_in() for _ in range(2)] == [True, False]


async def test_of_many_at_once_exactly_as_many_pass_as_fit(start_core: StartCore, address: str) -> None:
    settings: dict[str, Any] = {"limits": "strict", "quotas": {"address": "20/1d"}}
    async with start_core(**settings) as one, start_core(**settings) as two, httpx.AsyncClient() as client:
        urls = [f"{core.url}{API}/modules" for core in (one, two)] * 30
        answers = await asyncio.gather(*(client.get(url, headers=_from(address)) for url in urls))
    assert Counter(answer.status_code for answer in answers) == {200: 20, 429: 40}


async def test_a_route_has_a_limit_of_its_own(start_core: StartCore, address: str) -> None:
    quotas = {"labels": "2/1h", "codes": "1/1h", "answers": "1/1h", "refreshes": "1/1h", "changes": "1/1h"}
    async with (
        start_core(limits="strict", quotas=quotas) as core,
        httpx.AsyncClient(base_url=core.url + API, headers=_from(address)) as client,
    ):
        calls = {
            "labels": ("GET", "/subdomains/pekarnya"),
            "codes": ("POST", "/auth/challenges"),
            "answers": ("POST", "/auth/challenges/00000000-0000-4000-8000-000000000000/confirm"),
            "refreshes": ("POST", "/auth/refresh"),
            "changes": ("PATCH", "/me"),
        }
        for name, (method, path) in calls.items():
            answers = [await client.request(method, path) for _ in range(3)]
            assert refusal(answers[-1]) == (429, "request.too_many"), name
            assert answers[-1].json()["limit"] == name
            assert set(_fields(answers[-1])) >= {"address", name}
        resend = "/auth/challenges/00000000-0000-4000-8000-000000000000/resend"
        assert (await client.post(resend)).json()["limit"] == "codes"
        assert (await client.get("/modules")).status_code == 200


async def test_a_day_has_a_limit_beside_that_of_the_hour(start_core: StartCore, address: str) -> None:
    quotas = {"codes_day": "2/1d"}
    async with (
        start_core(limits="strict", quotas=quotas) as core,
        httpx.AsyncClient(base_url=core.url, headers=_from(address)) as client,
    ):
        for _ in range(2):
            assert (await ask(client, unique_phone())).status_code == 202
        got = await ask(client, unique_phone())
        assert (refusal(got)[0], got.json()["limit"]) == (429, "codes-day")
        assert 40_000 < int(got.headers["retry-after"]) <= 43_200


async def test_a_tenant_is_counted_over_all_addresses_and_others_are_not(
    start_core: StartCore, owner: Owner, stranger: Owner, address: str
) -> None:
    quotas = {"tenant": "3/1h"}
    async with start_core(limits="strict", quotas=quotas) as core, httpx.AsyncClient() as client:

        async def get(who: Owner, number: int, **more: str) -> httpx.Response:
            headers = {"Authorization": who.client.headers["Authorization"], **more}
            return await client.get(
                f"{core.url}{API}/installations", headers={**headers, **_from(f"{address}{number}")}
            )

        tenant = {"X-Tenant-ID": str(owner.tenant_id)}
        for _ in range(4):  # a stranger spends nothing of the tenant's, only of what is his own
            refused = await get(stranger, 7, **tenant)
        assert refusal(refused) == (429, "request.too_many")
        answers = [await get(owner, number) for number in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].json()["limit"] == "tenant"
        told = _fields(answers[0])["tenant"]
        assert 1100 < told.pop("t") <= 1200
        assert told == {"q": 3, "w": 3600, "r": 2}
        assert _fields(answers[-1])["tenant"]["r"] == 0
        assert int(answers[-1].headers["retry-after"]) <= 1200
        assert (await get(stranger, 8)).status_code == 200


async def test_modules_share_an_address_and_have_a_limit_of_their_own(
    start_core: StartCore, address: str
) -> None:
    quotas = {"address": "1/1h"}
    async with (
        start_core(limits="strict", quotas=quotas) as core,
        httpx.AsyncClient(base_url=core.url + API, headers=_from(address)) as client,
    ):
        for _ in range(3):
            answer = await client.get("/module/events")
            assert answer.status_code == 401
            assert set(_fields(answer)) == {"modules"}


async def test_relaxed_limits_are_a_hundredfold_but_for_codes_and_phones(
    start_core: StartCore, address: str
) -> None:
    async with start_core(limits="relaxed") as core, httpx.AsyncClient(base_url=core.url) as client:
        phone = unique_phone()
        first = await ask(client, phone)
        told = _fields(first)
        assert told["address"]["q"] == Quotas().address.count * RELAXED_FACTOR
        assert told["codes"]["q"] == Quotas().codes.count * RELAXED_FACTOR
        for _ in range(Quotas().phone_codes_hour - 1):
            assert (await ask(client, phone)).status_code == 202
        assert refusal(await ask(client, phone)) == (429, "accounts.too_many_codes")


async def test_without_redis_no_code_is_sent_and_everything_else_goes_on(
    core_database: ScratchDatabase, owner: Owner, nobody_listens: str
) -> None:
    settings = core_settings(core_database, nobody_listens, limits="strict")
    async with (
        run_core(settings) as core,
        httpx.AsyncClient(base_url=core.url, headers=owner.client.headers) as client,
    ):
        for _ in range(2):
            got = await ask(client, unique_phone())
            assert got.status_code == 503
            assert int(got.headers["retry-after"]) > 0
        for path in ("/me", "/installations", "/modules", "/subdomains/pekarnya"):
            answer = await client.get(f"{API}{path}")
            assert answer.status_code == 200, path
            assert "ratelimit" not in answer.headers
        assert (await client.patch(f"{API}/me", json={"name": "Анна"})).status_code == 200
        client.cookies = owner.client.cookies
        assert (await client.post(f"{API}/auth/refresh")).status_code == 200
        ready = await client.get(f"{core.private_url}/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        metrics = (await client.get(f"{core.private_url}/metrics")).text
        assert re.search(r"^tochka_limit_uncounted_total [1-9]", metrics, re.MULTILINE)


async def test_counting_goes_on_when_redis_is_back(
    core_database: ScratchDatabase, redis_url: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tochka_core.limits.BLIND_S", 0.05)
    relay = Relay(redis_url)
    await relay.open()
    async with (
        run_core(core_settings(core_database, relay.url)) as own,
        httpx.AsyncClient(base_url=own.url, headers=_from(address)) as client,
    ):

        async def is_counted() -> bool:
            answer = await client.get(f"{API}/modules")
            assert answer.status_code == 200
            return "ratelimit" in answer.headers

        assert await is_counted()
        await relay.close()
        assert not await is_counted()
        await relay.open()
        async with asyncio.timeout(10):
            while not await is_counted():  # noqa: ASYNC110  time is no event
                await asyncio.sleep(0.02)
        await relay.close()


def test_an_ipv6_customer_is_one_address() -> None:
    assert bucket("2001:db8:1:2::1") == bucket("2001:db8:1:2:ffff::9") != bucket("2001:db8:1:3::1")
    assert bucket("::ffff:203.0.113.7") == bucket("203.0.113.7") == "203.0.113.7"
    assert bucket(None) == bucket("testclient") == "unknown"


@pytest.mark.parametrize("path", ["/x%0Ay", "/%00", "/%FF", "//", "/" + "x" * 5000])
async def test_every_path_is_counted(client: httpx.AsyncClient, path: str) -> None:
    assert "address" in _fields(await client.post(f"{API}{path}"))


def test_the_guide_tells_every_figure() -> None:
    text = GUIDE.read_text().partition("## Limits")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([A-Z_]+)` \|([^|]*)\|", text, re.MULTILINE)
    told = {name.lower(): figure.strip() for name, figure in rows}
    known = Quotas().model_dump()
    assert told.keys() == known.keys()
    for name, value in known.items():
        figure = getattr(Quotas(), name)
        if isinstance(figure, Rate):
            assert Rate.parse(told[name]) == figure, name
        else:
            assert told[name] == ("" if value == {} else str(value)), name


def test_each_figure_can_be_told_alone(
    core_database: ScratchDatabase, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(core_settings(core_database, redis_url)).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TOCHKA_CORE_QUOTAS__CODES", "7/10m")
    monkeypatch.setenv("TOCHKA_CORE_QUOTAS__PHONE_CODES_DAY", "3")
    monkeypatch.setenv("TOCHKA_CORE_QUOTAS__BUDGETS", '{"max": 5, "RU": 0}')
    quotas = Settings().quotas
    assert (quotas.codes, quotas.phone_codes_day) == (Rate(7, 600), 3)
    assert (quotas.budget_of_channel("max"), quotas.budget_of_country("RU")) == (5, 0)
    assert quotas.address == Quotas().address


@pytest.mark.parametrize(
    "wrong", ["", "30", "30/", "/1h", "0/1h", "30/0h", "-1/1h", "30/1w", "30 / 1h", "1e3/1h"]
)
def test_a_rate_that_is_none_stops_the_start(wrong: str) -> None:
    with pytest.raises(ValidationError, match="30/1h"):
        Quotas.model_validate({"codes": wrong})


@pytest.mark.parametrize(
    "wrong", [{"code": "30/1h"}, {"code_tries": 100}, {"code_seconds": 3600}, {"phone_failures_day": 1000}]
)
def test_a_figure_that_would_open_a_door_stops_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Quotas(**wrong)
