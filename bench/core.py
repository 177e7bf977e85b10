"""The core's resources, as one of its processes opens them, on the server under test."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr
from tochka_core.app import open_resources
from tochka_core.resources import Resources
from tochka_core.settings import Settings
from tochka_sdk.tokens import generate_key
from tochka_sdk.webhooks import generate_keypair

from bench.durable import Server

KEYS = ("signing_key", "license_key", "audit_key")
SECRETS = ("code_pepper", "session_key", "secret_key_master")


def new_secrets() -> dict[str, str]:
    """Keys and secrets that nothing else has, as settings."""
    return {
        "webhook_key": generate_keypair()[0],
        **{name: json.dumps(generate_key().as_dict(private=True)) for name in KEYS},
        **{name: secrets.token_urlsafe(48) for name in SECRETS},
    }


@asynccontextmanager
async def core(server: Server, dsn: str, connections: int) -> AsyncIterator[Resources]:
    """As the role of `dsn`, with at most so many connections. There is no Redis behind it."""
    settings = Settings.model_validate(
        {
            "database_url": server.app_dsn,
            "jobs_database_url": server.jobs_dsn,
            "redis_url": "redis://127.0.0.1:1",
            "pool_size": connections,
            **new_secrets(),
        }
    )
    async with open_resources(settings, database_url=SecretStr(dsn), name="bench") as resources:
        yield resources
