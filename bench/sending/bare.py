"""The least that a transactional outbox can be: claim, sign, send, acknowledge. Nothing is logged, nothing
is fair, nothing is tried again but by the lease.

    python -m bench.sending.bare DSN      settings as JSON on standard input
"""

import asyncio
import json
import sys
import time
from typing import Any

import asyncpg
import uvloop
from pyreqwest.client import Client, ClientBuilder
from tochka_sdk import webhooks

BATCH = 200
LOOPS = 2
IDLE_S = 0.02
CLAIM = """
    UPDATE bare_outbox o SET due_at = now() + interval '1 minute'
    FROM (
      SELECT id FROM bare_outbox WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
    ) due
    WHERE o.id = due.id RETURNING o.id, o.url, o.body
"""
ACKNOWLEDGE = "DELETE FROM bare_outbox WHERE id = ANY($1::uuid[])"


class Keys:
    """What everything is signed with."""

    def __init__(self, secret: str, private_key: str) -> None:
        self._secret = secret
        self._private_key = private_key

    def headers(self, id: str, body: bytes) -> dict[str, str]:
        """Those of one attempt."""
        signed = webhooks.sign(id, int(time.time()), body, secret=self._secret, private_key=self._private_key)
        return {"Content-Type": "application/json", **signed}


async def _loop(pool: "asyncpg.Pool[Any]", http: Client, keys: Keys) -> None:
    while True:
        rows = await pool.fetch(CLAIM, BATCH)
        if not rows:
            await asyncio.sleep(IDLE_S)
            continue
        sent = await asyncio.gather(*(_send(http, keys, row) for row in rows))
        await pool.execute(ACKNOWLEDGE, [id for id in sent if id is not None])


async def _send(http: Client, keys: Keys, row: Any) -> Any:
    request = http.post(row["url"]).headers(keys.headers(str(row["id"]), row["body"]))
    answer = await request.body_bytes(row["body"]).build().send()
    return row["id"] if answer.status < 300 else None


async def _run(dsn: str, told: dict[str, str]) -> None:
    keys = Keys(told["secret"], told["private_key"])
    async with (
        asyncpg.create_pool(dsn, min_size=LOOPS, max_size=LOOPS) as pool,
        ClientBuilder().no_proxy().build() as http,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(LOOPS):
            group.create_task(_loop(pool, http, keys))


if __name__ == "__main__":
    uvloop.run(_run(sys.argv[1], json.loads(sys.stdin.readline())))
