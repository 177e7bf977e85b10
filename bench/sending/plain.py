"""The client alone: what is to be sent comes on standard input, one JSON object a line, and an empty line
ends it. Signed like everything else, kept nowhere.

    python -m bench.sending.plain
"""

import asyncio
import json
import sys
from collections.abc import Iterator

import uvloop
from pyreqwest.client import Client, ClientBuilder

from bench.sending.bare import Keys

CONCURRENCY = 64


async def _send_all(http: Client, keys: Keys, letters: Iterator[dict[str, str]]) -> None:
    for letter in letters:
        body = letter["body"].encode()
        request = http.post(letter["url"]).headers(keys.headers(letter["id"], body))
        await request.body_bytes(body).build().send()


async def _run(told: dict[str, str], letters: Iterator[dict[str, str]]) -> None:
    keys = Keys(told["secret"], told["private_key"])
    async with ClientBuilder().no_proxy().build() as http, asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(_send_all(http, keys, letters))


if __name__ == "__main__":
    keys = json.loads(sys.stdin.readline())
    waiting = [json.loads(line) for line in iter(sys.stdin.readline, "\n")]
    uvloop.run(_run(keys, iter(waiting)))
