"""A core that really runs: both listeners on free loopback ports, in the event loop of the test."""

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from tochka_core.app import create_app, create_private_app, open_resources
from tochka_core.resources import Resources
from tochka_core.settings import Settings
from tochka_sdk.tokens import generate_key
from tochka_sdk.webhooks import generate_keypair
from tochka_stack.testing import ScratchDatabase

SIGNING_KEY = json.dumps(generate_key().as_dict(private=True))
LICENSE_KEY = json.dumps(generate_key().as_dict(private=True))
WEBHOOK_KEY, _ = generate_keypair()
AUDIT_KEY = json.dumps(generate_key().as_dict(private=True))
SIGNING = {"signing_key", "license_key", "webhook_key", "audit_key"}
SECRETS = {name: secrets.token_urlsafe(48) for name in ("code_pepper", "session_key", "secret_key_master")}


@dataclass(frozen=True)
class RunningCore:
    """One instance: its addresses, its settings, and its resources as the app role and as the jobs role."""

    url: str
    private_url: str
    settings: Settings
    resources: Resources
    jobs: Resources


def core_settings(database: ScratchDatabase, redis_url: str, **overrides: object) -> Settings:
    """Settings of a development core; all instances of a session share their keys."""
    values: dict[str, object] = {
        "environment": "test",
        "public_url": "http://localhost:8080",
        "storefront_domain": "localhost",
        "storefront_port_suffix": ":8080",
        "database_url": database.dsn("tochka_app"),
        "jobs_database_url": database.dsn("tochka_jobs"),
        "redis_url": redis_url,
        "signing_key": SIGNING_KEY,
        "license_key": LICENSE_KEY,
        "webhook_key": WEBHOOK_KEY,
        "audit_key": AUDIT_KEY,
        "limits": "relaxed",
        "dev_inbox": True,
        "webhook_private_addresses": True,
        **SECRETS,
    }
    return Settings(**{**values, **overrides})  # type: ignore[arg-type]  # checked by pydantic


def with_key_file(settings: Settings, file: Path) -> Settings:
    """The same settings, their signing keys in a file that the core follows."""
    given = {name: getattr(settings, name) for name in settings.model_fields_set - SIGNING}
    return Settings(**{**given, "keyring_file": file})


def loopback_socket() -> socket.socket:
    """A bound socket on a free port, so that nobody takes the port in between."""
    # Named in full: of a socket whose protocol is 0, Python leaves out to send small parts at once.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    return bound


async def close_listener(server: asyncio.Server) -> None:
    """Close a server; a connection that it has accepted in this very moment is given its transport first.

    Before Python 3.12 such a connection finds the server closed, and its socket is left to the collector.
    """
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())
    await asyncio.sleep(0)
    server.close()


class _Server(uvicorn.Server):
    """A server that leaves signals to the test runner."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application until the block ends; yields its `http://127.0.0.1:port`."""
    bound = loopback_socket()
    bound.listen()  # from here on a connection waits until it is served
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,  # longer than a client keeps one: else it may use what is just being closed
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        bound.close()


@asynccontextmanager
async def run_core(settings: Settings) -> AsyncIterator[RunningCore]:
    """Run one instance until the block ends."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        resources = await enter(open_resources(settings, database_url=settings.database_url, name="test-web"))
        jobs_url = settings.jobs_database_url
        jobs = await enter(open_resources(settings, database_url=jobs_url, name="test-jobs"))
        url = await enter(serving(create_app(settings, resources)))
        private_url = await enter(serving(create_private_app(resources)))
        yield RunningCore(url, private_url, settings, resources, jobs)
