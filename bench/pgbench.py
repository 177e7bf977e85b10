"""The ceiling: pgbench sends the very statements of the product, with values of the same kinds and sizes."""

import asyncio
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

from tochka_core.catalogue.repository import FIND_OFFER
from tochka_core.installations.repository import ACTIVATE
from tochka_core.tenants.repository import STANDING
from tochka_sdk.db import Scope

from bench.durable import MODULE, TENANTS, Server

PLACEHOLDER = re.compile(r"\$(\d+)")
DONE = re.compile(r"number of transactions actually processed: (\d+)")
FAILED = re.compile(r"number of failed transactions: (\d+)")
TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)

TENANT = "lpad(:tenant, 32, '0')"
TENANT_ID = f"{TENANT}::uuid"
HEAD = f"""\\set tenant random(1, {TENANTS})
\\set count :count + 1
\\set serial :base + :count * 1000 + :client_id
\\set domain :serial * 10 + 1
\\set installation :serial * 10 + 2
\\set subscription :serial * 10 + 3
\\set event :serial * 10 + 4
"""


def _identity(name: str) -> str:
    return f"lpad(:{name}, 32, '0')::uuid"


MODULE_ID = f"'{MODULE}'"
WRITTEN = {
    1: TENANT_ID,
    2: _identity("domain"),
    3: "('p' || :serial::text || '.localhost')",
    4: _identity("installation"),
    5: _identity("subscription"),
    6: MODULE_ID,
    7: "'free'",
    8: "'trialing'",
    9: "(now() + interval '14 days')",
    10: TENANT_ID,
    11: "(now() + interval '60 seconds')",
    12: ":serial",
    13: ":entitlements",
    14: _identity("event"),
    15: ":event_data",
}


def script() -> str:
    """One transaction as the hot door runs it: BEGIN and scope in one round trip, then a statement each."""
    begin, _, scope = _scope().partition("; ")
    statements = (
        _filled(STANDING, {1: TENANT_ID, 2: TENANT_ID, 3: TENANT_ID}),
        _filled(FIND_OFFER, {1: MODULE_ID, 2: "nullif(:plan, 'none')"}),
        _filled(ACTIVATE, WRITTEN),
    )
    opening = f"\\startpipeline\n{begin};\n{scope};\n\\endpipeline\n"
    return HEAD + opening + "".join(f"{statement};\n" for statement in statements) + "COMMIT;\n"


def _scope() -> str:
    """What the door sends first, with pgbench's variable in the place of the ids."""
    anyone = UUID(int=0)
    return Scope(tenant_id=anyone, user_id=anyone).begin().replace(f"'{anyone}'", TENANT)


def _filled(statement: str, values: Mapping[int, str]) -> str:
    return PLACEHOLDER.sub(lambda found: values[int(found[1])], statement.strip())


class Ceiling:
    """pgbench against one server; each run writes rows of its own."""

    def __init__(self, server: Server, sample: Mapping[str, str], concurrency: int) -> None:
        self._server = server
        self._sample = sample
        self._concurrency = concurrency
        self._runs = 0

    async def run(self, seconds: int) -> tuple[int, float]:
        """How many transactions it made, and how many in a second (connecting not counted).

        Raises:
            RuntimeError: pgbench failed, or a statement of its did.
        """
        self._runs += 1
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script())
            file.flush()
            process = await asyncio.create_subprocess_exec(
                str(self._server.pgbench),
                *self._arguments(Path(file.name), seconds),
                env=self._environment(),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            output, errors = (part.decode() for part in await process.communicate())
        done, failed, tps = DONE.search(output), FAILED.search(output), TPS.search(output)
        if process.returncode != 0 or not done or not tps or (failed and failed[1] != "0"):
            raise RuntimeError(f"pgbench failed:\n{errors}{output}")
        return int(done[1]), float(tps[1])

    def _arguments(self, file: Path, seconds: int) -> list[str]:
        values = {"base": str(self._runs * 10**12), "count": "0", "plan": "none", **self._sample}
        defined = [part for name, value in values.items() for part in ("-D", f"{name}={value}")]
        size = str(self._concurrency)
        return ["-n", "-M", "prepared", "-c", size, "-T", str(seconds), *defined, "-f", str(file)]

    def _environment(self) -> dict[str, str]:
        parts = urlsplit(self._server.app_dsn)
        return {
            "PGHOST": parts.hostname or "",
            "PGPORT": str(parts.port),
            "PGUSER": parts.username or "",
            "PGPASSWORD": unquote(parts.password or ""),
            "PGDATABASE": parts.path.lstrip("/"),
            "PGAPPNAME": "bench",
        }
