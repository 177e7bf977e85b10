"""`tochka webhooks`: how the queues stand, waiting until they are empty, and sending again.

Exit codes: 0 as it should be · 1 something is late, or still not sent · 2 it could not be looked at.
"""

import argparse
import asyncio
import json
import sys
import time
from datetime import datetime
from itertools import chain
from uuid import UUID

import asyncpg
from pydantic import ValidationError
from tochka_sdk.db import Connections
from tochka_sdk.errors import DomainError

from tochka_core.settings import Settings
from tochka_core.webhooks import public as webhooks
from tochka_core.webhooks.schemas import ReplayRead, ReplayRequest

WELL, LATE, UNKNOWN = 0, 1, 2
LOOK_S = 0.5
MOST_LINES = 50
TAKEN = {
    "endpoint": ("since", "until", "type", "status", "rate", "dry_run"),
    "delivery": ("tenant",),
    "module": ("since", "tenant", "dry_run"),
}
"""What can be sent again, and what may be said about it."""


def add_commands(parser: argparse.ArgumentParser) -> None:
    """What can be asked for, and how."""
    deeds = parser.add_subparsers(dest="deed", required=True)
    stats = deeds.add_parser("stats", help="how the queues stand")
    stats.add_argument("--json", action="store_true", help="for programs")
    stats.add_argument("--older-than", type=float, default=60.0, help="seconds after which something is late")
    drain = deeds.add_parser("drain", help="wait until everything that is due is sent")
    drain.add_argument("--timeout", type=float, default=60.0, help="seconds")
    replay = deeds.add_parser("replay", help="send deliveries again")
    replay.add_argument("--endpoint", type=UUID, help="by a job of the worker's")
    replay.add_argument("--delivery", type=UUID, help="one, by a job of the worker's")
    replay.add_argument("--module", help="its news, by this command, without a limit of its own")
    replay.add_argument("--tenant", type=UUID, help="of the delivery; of a module's news, one tenant's alone")
    replay.add_argument("--since", type=_moment)
    replay.add_argument("--until", type=_moment, help="of an endpoint's")
    replay.add_argument("--type", action="append", help="of an endpoint's")
    replay.add_argument("--status", action="append", help="of an endpoint's")
    replay.add_argument("--rate", type=int, help="how many of an endpoint's a second")
    replay.add_argument("--dry-run", action="store_true", default=None, help="count only")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.astimezone()


def run(arguments: argparse.Namespace) -> int:
    """Do it with the settings of the environment; the exit code."""
    return asyncio.run(answer(arguments, Settings()))


async def answer(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do it; the exit code."""
    try:
        return await _do(arguments, settings)
    except DomainError as refusal:
        return _cannot(refusal.detail)
    except (OSError, asyncpg.PostgresError) as error:
        return _cannot(f"{error}")
    except ValidationError as error:
        names = ", ".join(".".join(map(str, wrong["loc"])) or wrong["msg"] for wrong in error.errors())
        return _cannot(f"this does not make sense: {names}")


async def _do(given: argparse.Namespace, settings: Settings) -> int:
    url = settings.jobs_database_url.get_secret_value()
    connections = Connections(url, size=1, application_name="core-webhooks")
    try:
        match given.deed:
            case "stats":
                return await _stats(connections, given)
            case "drain":
                return await _drain(connections, given.timeout)
            case _:
                return await _replay(connections, given)
    finally:
        await connections.close()


async def _stats(connections: Connections, given: argparse.Namespace) -> int:
    async with connections.system("shows how the queues stand") as connection:
        state = await webhooks.look(connection)
    if given.json:
        _say(json.dumps(state.as_dict(), default=str, indent=2))
        return LATE if state.oldest_s > given.older_than else WELL
    _say(f"{state.events} events wait for fan-out, the oldest for {state.oldest_event_s:.0f} s.")
    if not state.queues:
        _say("No delivery waits.")
    for queue in state.queues[:MOST_LINES]:
        facts = [f"{queue.pending} pending", f"{queue.due} due", f"{queue.in_flight} in flight"]
        facts += [f"{queue.held} held"] if queue.held else []
        facts += [f"late by {queue.oldest_s:.0f} s"] if queue.oldest_s >= 1 else []
        facts += [f"gate shut until {queue.blocked_until:%H:%M:%S}"] if queue.blocked_until else []
        facts += [f"failing since {queue.failing_since:%Y-%m-%d %H:%M}"] if queue.failing_since else []
        mark = "✗" if queue.oldest_s > given.older_than else "✓"
        _say(f"{mark} {queue.to} · {queue.lane} · tenant {queue.tenant_id}: {', '.join(facts)}")
    if len(state.queues) > MOST_LINES:
        _say(f"… and {len(state.queues) - MOST_LINES} more queues; --json has them all.")
    return LATE if state.oldest_s > given.older_than else WELL


async def _drain(connections: Connections, seconds: float) -> int:
    end, said = time.monotonic() + seconds, (-1, -1)
    while True:
        async with connections.system("looks whether the queues are empty") as connection:
            left = await webhooks.unsettled(connection)
        if left == (0, 0):
            _say("Everything that was due is sent.")
            return WELL
        if left != said:
            _say(f"{left[0]} events wait for fan-out, {left[1]} deliveries are due or being sent.")
            said = left
        if time.monotonic() >= end:
            _say(f"Not empty after {seconds:.0f} s.")
            return LATE
        await asyncio.sleep(LOOK_S)


async def _replay(connections: Connections, given: argparse.Namespace) -> int:
    if why := _nonsense(given):
        return _cannot(why)
    if given.module is not None:
        return await _replay_module(connections, given)
    async with connections.system("writes a replay down") as connection:
        if given.delivery:
            _tell_of(await webhooks.send_again(connection, given.tenant, given.delivery))
            return WELL
        tenant_id = await webhooks.tenant_of_endpoint(connection, given.endpoint)
        if tenant_id is None:
            return _cannot("there is no such endpoint")
        asked = _asked(given)
        if given.dry_run:
            counted = await webhooks.count(connection, tenant_id, given.endpoint, asked)
            _say(f"{counted.total} deliveries would be sent again.")
        else:
            _tell_of(await webhooks.start(connection, tenant_id, given.endpoint, asked))
    return WELL


def _nonsense(given: argparse.Namespace) -> str:
    """Why this cannot be sent again; empty if it can. Nothing that was said is passed over."""
    named = [to for to in TAKEN if getattr(given, to) is not None]
    if len(named) != 1:
        return "name an --endpoint, a --delivery with its --tenant, or a --module"
    [to] = named
    said = [name for name in dict.fromkeys(chain(*TAKEN.values())) if getattr(given, name) is not None]
    if foreign := [f"--{name.replace('_', '-')}" for name in said if name not in TAKEN[to]]:
        return f"--{to} takes no {', '.join(foreign)}"
    if to == "delivery" and given.tenant is None:
        return "a --delivery needs its --tenant: both stand in the worker's log"
    return "--module needs --since" if to == "module" and given.since is None else ""


def _asked(given: argparse.Namespace) -> ReplayRequest:
    asked = {
        "since": given.since,
        "until": given.until,
        "event_types": given.type,
        "statuses": given.status,
        "rate_per_second": given.rate,
    }
    return ReplayRequest.model_validate({name: value for name, value in asked.items() if value is not None})


async def _replay_module(connections: Connections, given: argparse.Namespace) -> int:
    """News alone: a command is repeated by whoever waits for it, or not at all. Ended early, it begins anew
    when it is asked again.
    """
    if given.dry_run:
        async with connections.system("counts news") as connection:
            total = await webhooks.count_news(connection, given.module, given.since, given.tenant)
        _say(f"{total} deliveries would be sent again.")
        return WELL
    position = total = 0
    while True:
        async with connections.system("sends news again") as connection:
            count, position = await webhooks.send_news_again(
                connection, given.module, given.since, given.tenant, position
            )
        if not count:
            _say(f"{total} deliveries are being sent again.")
            return WELL
        total += count


def _tell_of(job: ReplayRead) -> None:
    _say(f"Replay {job.id}: {job.total} deliveries, {job.rate_per_second} a second.")


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def _cannot(why: str) -> int:
    sys.stderr.write(f"Not done: {why}.\n")
    return UNKNOWN
