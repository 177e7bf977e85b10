"""`tochka audit`: verifies the audit trail beside whatever runs, or prints its newest checkpoint.

Exit codes: 0 whole · 1 broken · 2 could not be checked. Findings and counts go to standard output, the reason
why something could not be checked to standard error.
"""

import asyncio
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from pydantic import ValidationError
from tochka_sdk.db import Connections
from tochka_sdk.errors import Unavailable
from tochka_sdk.key_rings import RingInvalid

from tochka_core.audit import checkpoints
from tochka_core.audit.checkpoints import CheckpointMalformed, Kept
from tochka_core.audit.public import find_checkpoint
from tochka_core.audit.verification import Verification
from tochka_core.keyring import Keys
from tochka_core.settings import Settings

WHOLE, BROKEN, UNCHECKED = 0, 1, 2


def run(deed: str, file: Path | None) -> int:
    """Do it; the exit code."""
    try:
        kept = () if file is None else checkpoints.read(file.read_text().splitlines())
        return asyncio.run(_do(deed, Settings(), kept))
    except CheckpointMalformed as error:
        return _unchecked(f"{file} cannot be used: {error}")
    except (OSError, UnicodeDecodeError, RingInvalid, Unavailable, asyncpg.PostgresError) as error:
        return _unchecked(f"Not checked: {error}.")
    except ValidationError as error:
        names = ", ".join(".".join(map(str, wrong["loc"])) or wrong["msg"] for wrong in error.errors())
        return _unchecked(f"Not checked: these settings of the core do not make sense: {names}.")
    except Exception:  # a mistake of ours must not look like a broken trail
        traceback.print_exc()
        return _unchecked("Not checked.")


async def _do(deed: str, settings: Settings, kept: Sequence[Kept]) -> int:
    connections = Connections(
        settings.jobs_database_url.get_secret_value(), size=1, application_name="core-audit"
    )
    try:
        if deed == "checkpoint":
            return await _checkpoint(connections)
        return await _verify(connections, Keys(settings), kept)
    finally:
        await connections.close()


async def _checkpoint(connections: Connections) -> int:
    async with connections.system("prints the newest checkpoint") as connection:
        newest = await find_checkpoint(connection)
    if newest is None:
        return _unchecked("There is no checkpoint yet: nothing has been sealed.")
    sys.stdout.write(f"{newest}\n")
    return WHOLE


async def _verify(connections: Connections, keys: Keys, kept: Sequence[Kept]) -> int:
    started, found = time.monotonic(), 0
    verification = Verification(connections, keys.current.published["tochka_audit"], kept)
    async for finding in verification.findings():
        sys.stdout.write(f"✗ {finding}\n")
        found += 1
    head = verification.head
    said = f"{head.entries} entries in {head.position} seals, {verification.waiting} wait for theirs"
    verdict = (
        f"{found} findings" if found else "Not all could be checked" if verification.unchecked else "Whole"
    )
    sys.stdout.write(f"{verdict}: {said}; {time.monotonic() - started:.1f} s.\n")
    for sentence in verification.unchecked:
        sys.stderr.write(f"{sentence}\n")
    return BROKEN if found else UNCHECKED if verification.unchecked else WHOLE


def _unchecked(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return UNCHECKED
