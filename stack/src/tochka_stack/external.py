"""Servers of somebody else's, used instead of the embedded engines: reachable, new enough, rights enough."""

from urllib.parse import urlsplit

import asyncpg
import redis.asyncio
import redis.exceptions

from tochka_stack.databases import check_server
from tochka_stack.refusals import NotPermitted, Unreachable, WrongVersion

OLDEST_REDIS = (6, 2)
PATIENCE = 10.0


async def check_postgres(dsn: str) -> str:
    """The version of the server. Raises a Refusal that never repeats the password."""
    connection = await connect(dsn)
    try:
        await check_server(connection)
        version = connection.get_server_version()
    finally:
        await connection.close()
    return f"{version.major}.{version.minor}"


async def connect(dsn: str) -> asyncpg.Connection:
    """A connection, or one sentence why not."""
    where = _where(dsn)
    try:
        return await asyncpg.connect(dsn, timeout=PATIENCE)
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidPasswordError) as error:
        raise NotPermitted(f"The PostgreSQL server at {where} refuses the role: {error}.") from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise Unreachable(f"The PostgreSQL server at {where} does not answer: {_said(error)}.") from error


async def check_redis(url: str) -> str:
    """The version of the server, which may be Valkey. Raises a Refusal."""
    where = _where(url)
    try:
        async with redis.asyncio.Redis.from_url(url, socket_timeout=PATIENCE) as client:
            information = await client.info("server")
            await client.set("tochka:probe", "1", ex=1)
    except (redis.exceptions.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        raise NotPermitted(f"The Redis server at {where} refuses us: {error}.") from error
    except (redis.exceptions.RedisError, OSError, ValueError) as error:
        raise Unreachable(f"The Redis server at {where} does not answer: {_said(error)}.") from error
    version = str(information["redis_version"])
    if tuple(int(number) for number in version.split(".")[:2]) < OLDEST_REDIS:
        raise WrongVersion(f"The Redis server at {where} is version {version}; 6.2 or newer is needed.")
    return version


def _where(url: str) -> str:
    """The address without the password."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or url.partition("@")[2] or "the given address"


def _said(error: BaseException) -> str:
    return str(error).rstrip(".") or type(error).__name__
