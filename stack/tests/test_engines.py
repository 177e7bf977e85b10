"""The embedded engines are real, reachable only with a password, and only on loopback."""

import asyncpg
import pytest
import redis.asyncio
from tochka_stack.testing import ScratchPostgres

pytestmark = pytest.mark.anyio


async def test_a_role_reaches_its_own_database_and_no_other(postgres: ScratchPostgres) -> None:
    core = await postgres.create_database("core", "tochka_owner", "tochka_app", "tochka_jobs")
    shop = await postgres.create_database("shop", "shop_owner", "shop_app")

    connection = await asyncpg.connect(core.dsn("tochka_app"))
    assert await connection.fetchval("SELECT current_user") == "tochka_app"
    await connection.close()

    for role in ("shop_owner", "shop_app"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(postgres.dsn(core.name, role))
    for role in ("tochka_owner", "tochka_app", "tochka_jobs"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(postgres.dsn(shop.name, role))


async def test_only_the_owner_creates_tables(postgres: ScratchPostgres) -> None:
    core = await postgres.create_database("core", "tochka_owner", "tochka_app", "tochka_jobs")
    owner = await asyncpg.connect(core.owner_dsn)
    await owner.execute("CREATE TABLE things (id int)")
    await owner.close()

    app = await asyncpg.connect(core.dsn("tochka_app"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("CREATE TABLE others (id int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.fetch("SELECT * FROM things")
    await app.close()


async def test_redis_keeps_an_append_only_file_and_wants_a_password(redis_url: str) -> None:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        info = await client.info("persistence")
        assert info["aof_enabled"] == 1
    bare = redis_url.split(":", 1)[0] + "://" + redis_url.rsplit("@", 1)[1]
    async with redis.asyncio.Redis.from_url(bare) as client:
        with pytest.raises(redis.exceptions.AuthenticationError):
            await client.ping()
