"""Lua scripts that Redis runs, known to it by their digests."""

import hashlib
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError


class Script:
    """One script. Its digest is worked out once; the client's own `register_script` does so at every call."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()

    async def run(self, redis: Redis, keys: Sequence[str], args: Sequence[str | int | float]) -> Any:
        """What it returns. A server that does not know it is sent the whole of it, and knows it then."""
        try:
            return await redis.evalsha(self._digest, len(keys), *keys, *args)
        except NoScriptError:
            return await redis.eval(self._source, len(keys), *keys, *args)

    @property
    def source(self) -> str:
        """What it is."""
        return self._source

    @property
    def digest(self) -> str:
        """What the server calls it."""
        return self._digest


Arguments = tuple[Sequence[str], Sequence[str | int | float]]
"""Keys and arguments of one run."""


async def run_all(redis: Redis, script: Script, runs: Sequence[Arguments]) -> list[Any]:
    """What each of many runs returns, in one round trip; each is atomic by itself, all together are not.

    Raises:
        RedisError: one of them failed.
    """

    async def ask(command: str, name: str) -> list[Any]:
        pipeline = redis.pipeline(transaction=False)
        for keys, args in runs:
            pipeline.execute_command(command, name, len(keys), *keys, *args)
        return list(await pipeline.execute())

    try:
        return await ask("EVALSHA", script.digest)
    except NoScriptError:  # then it has run for none of them
        return await ask("EVAL", script.source)
