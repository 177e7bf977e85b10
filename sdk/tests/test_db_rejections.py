"""What a statement was given is told from how the database fares."""

import asyncpg
import pytest
from tochka_sdk.db import Connections, is_rejection
from tochka_sdk.errors import DatabaseUnavailable

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("query", "value", "is_rejected"),
    [
        ("SELECT $1::text", "\x00", True),
        ("SELECT $1::text", 5, True),
        ("SELECT $1::smallint::text", 99999, True),
        ("SELECT chr($1::integer)", 0, True),
        ("SELECT nothing FROM nowhere WHERE $1::text IS NULL", "x", False),
        ("SELECT pg_terminate_backend(pg_backend_pid() + $1::integer)", 0, False),
    ],
)
async def test_a_statement_fails_by_its_values_or_by_something_else(
    connections: Connections, query: str, value: object, is_rejected: bool
) -> None:
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, DatabaseUnavailable)) as caught:
        async with connections.system("tests") as connection:
            await connection.fetchval(query, value)
    assert is_rejection(caught.value) is is_rejected
