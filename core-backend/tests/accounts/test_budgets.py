"""What codes may cost in a day: counted before they are sent, and refused when it is spent."""

import asyncio
import itertools
from collections import Counter
from datetime import UTC, datetime

import httpx
import pytest
from core_kit.codes import StartCore, ask, challenge, refusal, spent
from core_kit.people import API, unique_phone
from core_kit.running import RunningCore
from tochka_core.accounts.phones import country

pytestmark = pytest.mark.anyio

_armenian = itertools.count(100_000)


def _phone_in_armenia() -> str:
    return f"+37477{next(_armenian)}"


async def _messages(client: httpx.AsyncClient, phone: str) -> int:
    headers = {"Host": "localhost"}
    return len((await client.get(f"{API}/dev/inbox", params={"phone": phone}, headers=headers)).json())


async def test_a_country_that_has_cost_enough_gets_no_more_codes_until_tomorrow(
    core: RunningCore, start_core: StartCore
) -> None:
    budgets = {"AM": await spent(core, "AM") + 2}
    async with start_core(quotas={"budgets": budgets}) as own, httpx.AsyncClient(base_url=own.url) as client:
        for _ in range(2):
            assert (await ask(client, _phone_in_armenia())).status_code == 202
        phone = _phone_in_armenia()
        got = await ask(client, phone)
        assert refusal(got) == (503, "accounts.sending_paused")
        now = datetime.now(UTC)
        left = 86_400 - now.hour * 3600 - now.minute * 60 - now.second
        assert abs(int(got.headers["retry-after"]) - left) <= 5
        assert await _messages(client, phone) == 0
        assert (await ask(client, unique_phone())).status_code == 202


async def test_a_channel_that_has_cost_enough_leaves_the_other_open(
    core: RunningCore, start_core: StartCore
) -> None:
    quotas = {"budgets": {"telegram": await spent(core, "telegram") + 250}, "prices": {"telegram": 100}}
    async with start_core(quotas=quotas) as own, httpx.AsyncClient(base_url=own.url) as client:
        statuses = [(await ask(client, unique_phone(), channel="telegram")).status_code for _ in range(3)]
        assert statuses == [202, 202, 503]
        assert (await ask(client, unique_phone())).status_code == 202


async def test_of_many_at_once_no_more_are_sent_than_the_budget_pays(
    core: RunningCore, start_core: StartCore
) -> None:
    before = await spent(core, "AM")
    async with (
        start_core(quotas={"budgets": {"AM": before + 5}}) as own,
        httpx.AsyncClient(base_url=own.url) as client,
    ):
        answers = await asyncio.gather(*(ask(client, _phone_in_armenia()) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {202: 5, 503: 15}
    assert await spent(core, "AM") == before + 5


async def test_a_code_that_is_not_sent_costs_nothing(core: RunningCore, client: httpx.AsyncClient) -> None:
    phone = _phone_in_armenia()
    challenge_id, _, _ = await challenge(client, phone)
    before = await spent(core, "AM")
    early = await client.post(f"{API}/auth/challenges/{challenge_id}/resend")
    assert refusal(early) == (429, "accounts.too_many_codes")
    assert await spent(core, "AM") == before
    for _ in range(4):
        await challenge(client, phone)
    assert refusal(await ask(client, phone)) == (429, "accounts.too_many_codes")
    assert await spent(core, "AM") == before + 4


async def test_sending_again_costs_as_much(core: RunningCore, start_core: StartCore) -> None:
    budgets = {"AM": await spent(core, "AM") + 1}
    quotas = {"budgets": budgets, "resend_seconds": 1}
    async with start_core(quotas=quotas) as own, httpx.AsyncClient(base_url=own.url) as client:
        challenge_id, _, _ = await challenge(client, _phone_in_armenia())
        got = await client.post(f"{API}/auth/challenges/{challenge_id}/resend")
        assert refusal(got) == (503, "accounts.sending_paused")


async def test_a_budget_of_nothing_closes_a_country(start_core: StartCore) -> None:
    quotas = {"budgets": {"AM": 0}, "prices": {"max": 0}}
    async with start_core(quotas=quotas) as own, httpx.AsyncClient(base_url=own.url) as client:
        assert refusal(await ask(client, _phone_in_armenia())) == (503, "accounts.sending_paused")
        assert (await ask(client, unique_phone())).status_code == 202


@pytest.mark.parametrize(
    ("phone", "code"),
    [("+79991234567", "RU"), ("+77011234567", "KZ"), ("+37477123456", "AM"), ("+88812345678", "001")],
)
def test_a_number_has_a_country(phone: str, code: str) -> None:
    assert country(phone) == code
