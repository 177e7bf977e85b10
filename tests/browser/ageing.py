"""Lets time pass for one account: nobody waits ten minutes, or half a year."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import asyncpg

from tests.browser.running_stack import RunningStack

PROOF = """
UPDATE sessions SET authenticated_at = coalesce(authenticated_at, created_at) - $2::interval
WHERE user_id = (SELECT id FROM users WHERE phone = $1)
"""
ACCOUNT = """
WITH old AS (UPDATE users SET created_at = created_at - $2::interval WHERE phone = $1 RETURNING id)
UPDATE sessions SET last_used_at = last_used_at - $2::interval,
  idle_expires_at = idle_expires_at - $2::interval
WHERE user_id IN (SELECT id FROM old)
"""


def age_proof(stack: RunningStack, number: str) -> None:
    """An hour since its owner was last asked for a code; pages learn of it when they are opened anew."""
    _change(stack, PROOF, number, timedelta(hours=1))


def age_account(stack: RunningStack, number: str) -> None:
    """A year since anybody used it: long enough for an operator to give the number to somebody else."""
    _change(stack, ACCOUNT, number, timedelta(days=365))


def _change(stack: RunningStack, statement: str, number: str, age: timedelta) -> None:
    async def change() -> str:
        connection = await asyncpg.connect(stack.dsn("tochka"), timeout=30)
        try:
            return await connection.execute(statement, number, age)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:  # the browser's driver has the event loop of this one
        done = thread.submit(asyncio.run, change()).result()
    assert done != "UPDATE 0", f"{number} has no session"
