"""What many ask of Redis at the same moment goes out together, and is nobody else's business."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Away
from redis.exceptions import ResponseError
from tochka_core.gathering import GatheringRedis
from tochka_core.scripts import Script

pytestmark = pytest.mark.anyio


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client with nothing asked yet."""
    client: Redis = GatheringRedis.from_url(redis_url, decode_responses=True)
    yield client
    await client.aclose()


async def test_each_gets_the_answer_to_what_it_asked(redis: Redis) -> None:
    key = f"tests:{uuid4()}"
    found = await asyncio.gather(*(redis.incr(key) for _ in range(50)))
    assert found == list(range(1, 51))


async def test_what_is_asked_at_the_same_moment_takes_one_connection(redis: Redis) -> None:
    before = (await redis.info("stats"))["total_connections_received"]
    await asyncio.gather(*(redis.ping() for _ in range(50)))
    assert (await redis.info("stats"))["total_connections_received"] - before <= 1


async def test_a_refusal_is_told_to_whoever_asked_for_it(redis: Redis) -> None:
    key = f"tests:{uuid4()}"
    await redis.set(key, "no list", ex=60)
    pushed, read = await asyncio.gather(redis.lpush(key, "x"), redis.get(key), return_exceptions=True)
    assert isinstance(pushed, ResponseError)
    assert read == "no list"


async def test_a_script_that_the_server_does_not_know_is_sent_whole(redis: Redis) -> None:
    script = Script(f"return ARGV[1] .. '{uuid4()}'")
    found = await asyncio.gather(*(script.run(redis, [], [str(number)]) for number in range(5)))
    assert [answer[0] for answer in found] == ["0", "1", "2", "3", "4"]


async def test_somebody_who_waits_no_longer_disturbs_nobody(redis: Redis) -> None:
    leaving, staying = asyncio.ensure_future(redis.get("a")), asyncio.ensure_future(redis.get("b"))
    await asyncio.sleep(0)  # both have asked
    leaving.cancel()
    assert await staying is None
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_a_server_that_is_away_is_away_for_all_who_wait() -> None:
    redis: Redis = GatheringRedis.from_url("redis://127.0.0.1:1")
    told = await asyncio.gather(*(redis.ping() for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in told] == [Away] * 3
    await redis.aclose()
