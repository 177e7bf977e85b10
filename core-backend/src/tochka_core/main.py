"""Entries of the core: web, worker, migrate, register a module, look after the audit trail, print the OpenAPI
document.
"""

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import uvicorn
import uvloop
from pydantic import ValidationError
from starlette.types import ASGIApp
from tochka_sdk import logs
from tochka_sdk.errors import DomainError
from tochka_sdk.heads import punctual

from tochka_core import crashes, mailroom, trail
from tochka_core.settings import ChannelSettings, Settings

GRACE_S = 5
MISCONFIGURED, UNWELL = 2, 11  # as in the `tochka` command


class _Listener(uvicorn.Server):
    """A server whose signals are another's business: the process has one handler, not one per listener."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def _listener(app: ASGIApp, settings: Settings, host: str, port: int) -> _Listener:
    return _Listener(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=punctual(settings.quotas.head_seconds),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the application knows its proxies
            timeout_graceful_shutdown=GRACE_S,
        )
    )


def _stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _serve(listeners: list[_Listener], stop: asyncio.Event) -> None:
    """Run the listeners until `stop`; one that ends by itself ends all."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # what a request leaves behind is seldom in circles

    async def run(listener: _Listener) -> None:
        await listener.serve()
        stop.set()

    async with asyncio.TaskGroup() as group:
        for listener in listeners:
            group.create_task(run(listener))
        await stop.wait()
        for listener in listeners:
            listener.should_exit = True


async def web(settings: Settings) -> None:
    """Serve the public and the private listener as the app role."""
    from tochka_core.app import create_app, create_private_app, open_resources

    async with open_resources(settings, database_url=settings.database_url, name="core-web") as resources:
        public = create_app(settings, resources)
        private = create_private_app(resources)
        listeners = [
            _listener(public, settings, settings.host, settings.port),
            _listener(private, settings, settings.private_host, settings.private_port),
        ]
        await _serve(listeners, _stop_on_signals())


async def worker(settings: Settings) -> None:
    """Run the dispatcher and the sealer as the jobs role, with a private listener of their own."""
    from tochka_core.accounts import tasks as accounts
    from tochka_core.app import open_resources
    from tochka_core.audit import tasks as audit
    from tochka_core.health import private_app
    from tochka_core.webhooks import tasks

    url = settings.jobs_database_url
    async with open_resources(settings, database_url=url, name="core-worker") as resources:
        stop = _stop_on_signals()
        private = private_app(resources, [])
        listener = _listener(private, settings, settings.private_host, settings.worker_port)
        async with asyncio.TaskGroup() as group:
            group.create_task(_serve([listener], stop))
            group.create_task(tasks.run(resources, stop))
            group.create_task(accounts.run(resources, stop))
            group.create_task(audit.run(resources, stop))


async def register(settings: Settings, url: str, key: str) -> None:
    """Enter a module in the catalogue, or bring its entry up to date."""
    from tochka_core.app import open_resources
    from tochka_core.catalogue import tasks

    database_url = settings.jobs_database_url
    async with open_resources(settings, database_url=database_url, name="core-register") as resources:
        module = await tasks.register(resources, url, json.loads(key))
    sys.stdout.write(f"{module.id} {module.version}\n")


async def recover(settings: Settings, arguments: argparse.Namespace) -> int:
    """Let somebody in again whose number opens nothing any more; the exit code."""
    from tochka_core.accounts import tasks
    from tochka_core.app import open_resources

    given, take = arguments, arguments.take
    user_id = UUID(given.user_id) if given.user_id else None
    async with open_resources(settings, database_url=settings.database_url, name="core-recover") as resources:
        try:
            said = await tasks.recover(resources, given.was, given.phone, user_id, take=take)
        except DomainError as refusal:
            sys.stdout.write(f"✗ {refusal.detail}\n")
            return UNWELL
    sys.stdout.write(f"✓ {said}\n")
    return 0


async def check_channels() -> int:
    """Ask every service that shall carry codes whether it takes our word; the exit code."""
    from tochka_core.app import channel_plan
    from tochka_core.channels.public import check, open_channels

    try:
        settings = ChannelSettings()
    except ValidationError as error:
        for wrong in error.errors(include_input=False):
            sys.stdout.write(f"✗ {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}\n")
        return MISCONFIGURED
    async with open_channels(channel_plan(settings), None) as channels:
        found = await check(channels, settings.public_url.rstrip("/"))
    for name, finding in found:
        sys.stdout.write(f"{'✓' if finding.is_well else '✗'} {name}: {finding.sentence}\n")
    if not found:
        sys.stdout.write("✗ nothing is set up that carries codes: nobody can sign in\n")
    return 0 if found and all(finding.is_well for _, finding in found) else UNWELL


def openapi() -> None:
    """Print the OpenAPI document; needs no settings, no database, no keys."""
    from tochka_core.app import create_app

    settings = Settings.model_construct(dev_inbox=True, cors_origins=())
    json.dump(create_app(settings).openapi(), sys.stdout, ensure_ascii=False, indent=2, sort_keys=True)
    sys.stdout.write("\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tochka_core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (
        ("web", "serve the API"),
        ("worker", "deliver events, seal the audit trail"),
        ("migrate", "bring the database to the newest revision"),
        ("openapi", "print the OpenAPI document"),
        ("channels", "ask the services that carry codes whether they take our word"),
    ):
        commands.add_parser(name, help=about)
    entry = commands.add_parser("register", help="enter a module in the catalogue")
    entry.add_argument("--url", required=True, help="where the module answers")
    entry.add_argument("--public-key", required=True, help="its Ed25519 public JWK")
    audit = commands.add_parser("audit", help="verify the audit trail, print its newest checkpoint")
    audit.add_argument("deed", choices=("verify", "checkpoint"))
    audit.add_argument("--checkpoint", type=Path, help="a file with checkpoints that were kept elsewhere")
    mailroom.add_commands(commands.add_parser("webhooks", help="how the queues stand, and sending again"))
    again = commands.add_parser("recover", help="let somebody in again whose number opens nothing any more")
    again.add_argument("--was", required=True, help="the number that opened the account")
    again.add_argument("--phone", required=True, help="the number that shall open it from now on")
    again.add_argument("--user-id", help="which account, where the number opened several")
    again.add_argument("--take", action="store_true", help="take the number from whoever has it by now")
    return parser.parse_args()


def _run(arguments: argparse.Namespace) -> None:
    if arguments.command == "openapi":
        openapi()
        return
    if arguments.command == "channels":
        code = asyncio.run(check_channels())
        sys.stdout.flush()
        # threads of the HTTP client may outlive it by a moment, and abort a Python that is being taken down
        os._exit(code)
    if arguments.command == "audit":
        sys.exit(trail.run(arguments.deed, arguments.checkpoint))
    if arguments.command == "webhooks":
        sys.exit(mailroom.run(arguments))
    if arguments.command == "migrate":
        from tochka_core.migrate import MigrationSettings, upgrade

        asyncio.run(upgrade(MigrationSettings().owner_database_url.get_secret_value()))
        return
    settings = Settings()
    logs.configure(
        f"core-{arguments.command}",
        level=settings.log_level,
        json=settings.log_json,
        on_error=crashes.report,
    )
    if settings.sentry_dsn is not None:
        crashes.report_to(settings.sentry_dsn.get_secret_value(), settings.environment)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if arguments.command == "register":
            runner.run(register(settings, arguments.url, arguments.public_key))
        elif arguments.command == "recover":
            sys.exit(runner.run(recover(settings, arguments)))
        else:
            runner.run({"web": web, "worker": worker}[arguments.command](settings))


if __name__ == "__main__":
    _run(_arguments())
