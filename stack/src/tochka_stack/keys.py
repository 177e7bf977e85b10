"""`tochka keys`: shows the core's signing keys, and turns their rings while everything runs."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from tochka_sdk.key_rings import PURPOSES, Purpose, RingInvalid, Rings, TurnTooSoon

from tochka_stack.data_dir import DataDir
from tochka_stack.probes import answers
from tochka_stack.refusals import Misconfigured, NotPermitted, Refusal, Unhealthy
from tochka_stack.secret_files import KEYRING

PATIENCE = 15.0
POLL = 0.1
PROCESSES = {"core-web": "core_private", "core-worker": "core_worker"}


def show(data_dir: DataDir) -> Iterator[tuple[str, str, str, str]]:
    """Purpose, state, since when, and the public name of every key."""
    for ring in _read(data_dir):
        for key in ring.keys:
            since = datetime.fromtimestamp(key.since, UTC).isoformat(timespec="seconds")
            yield ring.purpose, key.state, since, key.name


def purposes_of(texts: Sequence[str]) -> tuple[Purpose, ...]:
    """What a person typed, as purposes. Raises Misconfigured."""
    unknown = set(texts) - set(PURPOSES)
    if unknown:
        raise Misconfigured(f"--only is {min(unknown)!r}: it must be {', '.join(PURPOSES)}.")
    return tuple(purpose for purpose in PURPOSES if purpose in texts)


def rotate(data_dir: DataDir, purposes: tuple[Purpose, ...], *, at_once: bool, leaked: bool) -> Rings:
    """Turn the rings of `purposes` (all when there are none), or replace them by fresh ones when `leaked`.

    Raises:
        Refusal: a next key has not been published for long enough, or too many retired ones may still count.
    """
    with data_dir.secrets.exchange(KEYRING) as write:
        moment = int(time.time())
        if leaked and set(purposes or PURPOSES) == set(PURPOSES):
            turned = _all_new(data_dir, moment)
        else:
            rings, chosen = _read(data_dir), purposes or PURPOSES
            turned = rings.replaced(chosen, moment) if leaked else _turned(rings, chosen, moment, at_once)
        write(turned.render())
    return turned


def _all_new(data_dir: DataDir, moment: int) -> Rings:
    """Fresh rings, whatever there was: a file that cannot be used is no reason to keep it."""
    try:
        return _read(data_dir).replaced(PURPOSES, moment)
    except Refusal:
        return Rings.fresh(moment)


def _turned(rings: Rings, purposes: tuple[Purpose, ...], moment: int, at_once: bool) -> Rings:
    try:
        turned = rings.turned(purposes, moment, at_once=at_once)
        turned.check()
    except TurnTooSoon as soon:
        raise Refusal(
            f"Not rotated: {soon}, so that everybody has heard of it when it signs. "
            "Wait, or rotate at once with --now."
        ) from None
    except RingInvalid as error:
        raise Refusal(f"Not rotated: {error}.") from None
    return turned


async def until_taken(data_dir: DataDir, rings: Rings) -> tuple[str, ...]:
    """Wait until every process of the core that runs here has taken the rings; which ones those are.

    Raises:
        Unhealthy: one of them does not.
    """
    if not data_dir.is_locked():
        return ()
    ports = {name: int(data_dir.read("ports.json")[port]) for name, port in PROCESSES.items()}
    async with asyncio.TaskGroup() as group:
        waiting = {name: group.create_task(_has_taken(port, rings)) for name, port in ports.items()}
    missing = [name for name, task in waiting.items() if not task.result()]
    if missing:
        raise Unhealthy(
            f"The keys are rotated, but {' and '.join(missing)} did not take them within {PATIENCE:.0f} s: "
            f"see the logs in {data_dir.logs}."
        )
    return tuple(waiting)


async def _has_taken(port: int, rings: Rings) -> bool:
    names = [quote(key.name, safe="") for ring in rings if (key := ring.following) is not None]
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if all([await answers(port, f"GET /health/keys?name={name}") for name in names]):
            return True
        await asyncio.sleep(POLL)
    return False


def _read(data_dir: DataDir) -> Rings:
    try:
        return Rings.parse(data_dir.secrets[KEYRING])
    except ValueError as error:
        raise NotPermitted(
            f"The keys in {data_dir.secrets.folder / KEYRING} cannot be used: {error}. "
            "Restore them from a backup."
        ) from None
