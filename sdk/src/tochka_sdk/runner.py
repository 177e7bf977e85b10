"""The command line of a module: `web` serves it, `migrate` brings its database up to date, `key` makes a key.

A module's `__main__.py`::

    from tochka_sdk.runner import main
    from tochka_shop.module import MIGRATIONS, module
    from tochka_shop.tables import Model

    main(module, migrations=MIGRATIONS, metadata=Model.metadata)
"""

import argparse
import gc
import json
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import uvicorn
from pydantic import ValidationError
from sqlalchemy import MetaData
from sqlalchemy.exc import SQLAlchemyError

from tochka_sdk import logs
from tochka_sdk import migrations as migrating
from tochka_sdk.heads import punctual
from tochka_sdk.module import Module
from tochka_sdk.settings import ModuleSettings
from tochka_sdk.tokens import generate_key

GRACE_S = 10
HEAD_S = 10


class _Server(uvicorn.Server):
    """uvicorn that, once started, takes what was loaded out of the garbage collector's sight."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then freeze: it halves the latency at saturation."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()


def serve(module: Module, settings: ModuleSettings) -> None:
    """Serve until SIGINT or SIGTERM; running requests get ten seconds to end.

    Forwarded headers (scheme, client) are believed from loopback alone, where the gateway is.
    """
    logs.configure(module.id, level=settings.log_level, json=settings.log_json)
    config = uvicorn.Config(
        module.asgi(settings),
        host=settings.host,
        port=settings.port,
        http=punctual(HEAD_S),
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1,::1",
        server_header=False,
        date_header=True,
        access_log=False,
        log_config=None,
        lifespan="on",
        timeout_graceful_shutdown=GRACE_S,
    )
    _Server(config).run()


def migrate(settings: ModuleSettings, script_location: Path, metadata: MetaData | None = None) -> None:
    """Upgrade the module's database as its owner, and grant to the role of `database_url`."""
    owner = settings.owner_database_url
    if owner is None:
        raise ValueError("TOCHKA_MODULE_OWNER_DATABASE_URL is not set")
    migrating.run(owner.get_secret_value(), script_location, metadata, app_role=settings.app_role)


def main(
    module: Module,
    *,
    migrations: Path,
    metadata: MetaData | None = None,
    argv: Sequence[str] | None = None,
) -> NoReturn:
    """Run a sub-command and exit: 0 when it went well, 1 when it failed, 2 when it was not understood.

    Args:
        module: what to serve.
        migrations: the module's Alembic folder, with `env.py` and `versions/`.
        metadata: the module's tables, for `alembic check`.
        argv: the arguments; those of the process when None.
    """
    parser = argparse.ArgumentParser(prog=module.id, description=module.described.summary.en)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("web", help="serve the module")
    commands.add_parser("migrate", help="bring the module's database up to date")
    commands.add_parser("key", help="print a fresh private key, for TOCHKA_MODULE_PRIVATE_KEY")
    chosen = parser.parse_args(argv)
    if chosen.command == "key":
        sys.stdout.write(json.dumps(generate_key().as_dict(private=True)) + "\n")
        sys.exit(0)
    try:
        settings = ModuleSettings()
        if chosen.command == "migrate":
            migrate(settings, migrations, metadata)
        else:
            serve(module, settings)
    except ValidationError as error:
        wrong = [".".join(map(str, item["loc"])) + ": " + item["msg"] for item in error.errors()]
        _say("the settings are not valid: " + "; ".join(wrong))
    except (OSError, ValueError, SQLAlchemyError) as error:
        _say(str(error))
    sys.exit(0)


def _say(reason: str) -> NoReturn:
    sys.stderr.write(reason + "\n")
    sys.exit(1)
