"""Gates: a breaker that everybody shares, rate and concurrency, with Redis and without."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from core_kit.waiting import until
from redis.asyncio import Redis
from tochka_core.outbound.public import Gates, Grant, Limits, Report, Want
from tochka_stack.ports import free_ports

pytestmark = pytest.mark.anyio


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def name() -> str:
    """A peer that no other test knows."""
    return f"peer-{uuid4()}"


async def _take(gates: Gates, name: str, count: int = 1, limits: Limits = Limits()) -> Grant:  # noqa: B008  frozen
    [grant] = await gates.take([Want(name, count, limits)])
    return grant


async def _fail(gates: Gates, name: str, times: int) -> None:
    for _ in range(times):
        grant = await _take(gates, name)
        await gates.report([Report(name, grant.ids, failed=1)])


async def _pass_time(redis: Redis, name: str) -> None:
    """As it will be when the pause is over."""
    await redis.hset(f"gate:{{{name}}}", "open_until", "1")


async def test_five_failures_in_a_row_shut_the_gate_for_everybody(redis: Redis, name: str) -> None:
    mine, theirs = Gates(redis), Gates(redis)
    await _fail(mine, name, 4)
    assert len((await _take(theirs, name, 10)).ids) == 10
    await _fail(theirs, name, 1)
    for gates in (mine, theirs):
        grant = await _take(gates, name)
        assert (grant.ids, grant.why) == ((), "open")
        assert 3 < grant.wait_s <= 6


async def test_a_success_in_between_begins_the_count_anew(redis: Redis, name: str) -> None:
    gates = Gates(redis)
    await _fail(gates, name, 4)
    await gates.report([Report(name, succeeded=1)])
    await _fail(gates, name, 4)
    assert (await _take(gates, name)).ids


async def test_one_tries_for_all_and_success_opens_the_gate(redis: Redis, name: str) -> None:
    mine = Gates(redis)
    await _fail(mine, name, 5)
    await _pass_time(redis, name)
    first, second = Gates(redis), Gates(redis)
    probe = await _take(first, name, 5)
    assert (len(probe.ids), probe.why) == (1, "probing")
    waiting = await _take(second, name)
    assert (waiting.ids, waiting.why) == ((), "probing")
    await first.report([Report(name, probe.ids, succeeded=1)])
    assert len((await _take(second, name, 5)).ids) == 5


async def test_a_probe_that_fails_doubles_the_pause(redis: Redis, name: str) -> None:
    await _fail(Gates(redis), name, 5)
    waits = []
    for _ in range(9):
        await _pass_time(redis, name)
        gates = Gates(redis)  # which remembers nothing of its own
        await _fail(gates, name, 1)
        waits.append((await _take(Gates(redis), name)).wait_s)
    for wait, planned in zip(waits, (10, 20, 40, 80, 160, 300, 300, 300, 300), strict=True):
        assert planned * 0.79 <= wait <= planned * 1.21


async def test_a_probe_that_dies_gives_its_turn_to_another(redis: Redis, name: str) -> None:
    await _fail(Gates(redis), name, 5)
    await _pass_time(redis, name)
    limits = Limits(hold_s=0.05)
    assert (await _take(Gates(redis), name, limits=limits)).ids

    async def is_free() -> bool:
        return bool((await _take(Gates(redis), name, limits=limits)).ids)

    await until(is_free)


async def test_who_asks_for_a_pause_is_given_it_and_not_blamed(redis: Redis, name: str) -> None:
    gates = Gates(redis)
    grant = await _take(gates, name)
    await gates.report([Report(name, grant.ids, pause_s=30)])
    for everybody in (gates, Gates(redis)):
        refused = await _take(everybody, name)
        assert (refused.ids, refused.why) == ((), "asked")
        assert 29 < refused.wait_s <= 30
    assert await redis.hget(f"gate:{{{name}}}", "failures") is None


async def test_a_rate_is_kept_by_all_together(redis: Redis, name: str) -> None:
    limits = Limits(rate_per_second=10)
    first = await _take(Gates(redis), name, 7, limits)
    second = await _take(Gates(redis), name, 1000, limits)
    assert len(first.ids) == 7
    assert 3 <= len(second.ids) <= 10  # what is left of a second's worth, and what has come back meanwhile
    assert second.why == "rate"
    assert 0 < second.wait_s <= 0.2


async def test_no_more_are_under_way_than_may_be(redis: Redis, name: str) -> None:
    limits = Limits(concurrency=3)
    mine, theirs = Gates(redis), Gates(redis)
    first = await _take(mine, name, 2, limits)
    second = await _take(theirs, name, 2, limits)
    assert (len(first.ids), len(second.ids), second.why) == (2, 1, "concurrency")
    assert (await _take(mine, name, 1, limits)).ids == ()
    await mine.report([Report(name, first.ids, succeeded=2)])
    assert len((await _take(theirs, name, 5, limits)).ids) == 2


async def test_what_a_dead_process_held_runs_out(redis: Redis, name: str) -> None:
    limits = Limits(concurrency=1, hold_s=0.05)
    assert (await _take(Gates(redis), name, 1, limits)).ids

    async def is_free() -> bool:
        return bool((await _take(Gates(redis), name, 1, limits)).ids)

    await until(is_free)


async def test_a_shut_gate_is_known_without_asking_redis(redis_url: str, name: str) -> None:
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        gates = Gates(client)
        await _fail(gates, name, 5)
    before, counted = await _commands(redis_url), await _commands(redis_url)
    grant = await _take(gates, name)
    after = await _commands(redis_url)
    assert (grant.ids, grant.why) == ((), "open")
    assert after - counted == counted - before  # what counting costs, and nothing else


async def _commands(redis_url: str) -> int:
    async with Redis.from_url(redis_url) as client:
        return int((await client.info("stats"))["total_commands_processed"])


async def test_many_peers_are_asked_in_one_go(redis: Redis, name: str) -> None:
    gates = Gates(redis)
    names = [f"{name}-{number}" for number in range(50)]
    grants = await gates.take([Want(one, 2) for one in names])
    assert [grant.name for grant in grants] == names
    assert all(len(grant.ids) == 2 for grant in grants)


async def test_without_redis_everybody_goes_by_what_was_seen(name: str) -> None:
    async with Redis.from_url(f"redis://127.0.0.1:{free_ports(1)[0]}/0") as nobody:
        gates = Gates(nobody)
        assert len((await _take(gates, name, 3)).ids) == 3
        await _fail(gates, name, 5)
        grant = await _take(gates, name)
        assert (grant.ids, grant.why) == ((), "open")
        other = await _take(gates, f"{name}-other")
        assert len(other.ids) == 1


async def test_a_success_without_redis_opens_the_gate(name: str) -> None:
    async with Redis.from_url(f"redis://127.0.0.1:{free_ports(1)[0]}/0") as nobody:
        gates = Gates(nobody)
        await _fail(gates, name, 5)
        await gates.report([Report(name, succeeded=1)])
        assert (await _take(gates, name)).ids
