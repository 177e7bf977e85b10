"""The sink as the bench sees it: started, reset, and asked what has arrived."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from tochka_stack.ports import free_ports

from bench.processes import running

PATIENCE_S = 120.0
POLL_S = 0.05


@dataclass(frozen=True)
class Sink:
    """A receiver that answers everybody at once."""

    port: int
    http: httpx.Client

    def reset(self) -> None:
        """Forget what has arrived."""
        self.http.post("/reset", content=b"")

    def arrivals(self) -> dict[str, int]:
        """When each id arrived first, in nanoseconds of the monotonic clock."""
        return dict(self.http.get("/arrivals").json())

    def until(self, count: int, *sender: "subprocess.Popen[bytes]") -> int:
        """Wait until so many different ids have arrived; how many requests there were."""
        deadline = time.monotonic() + PATIENCE_S
        while (told := self._count())["ids"] < count:
            if time.monotonic() > deadline or any(one.poll() for one in sender):
                raise RuntimeError(f"{told['ids']} of {count} arrived")
            time.sleep(POLL_S)
        return int(told["requests"])

    def _count(self) -> dict[str, Any]:
        return dict(self.http.get("/count").json())


@contextmanager
def sinking() -> Iterator[Sink]:
    """A sink that listens."""
    port = free_ports(1)[0]
    arguments = [sys.executable, "-m", "bench.sending.sink", str(port)]
    with running(arguments, {}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as http:
            yield Sink(port, http)
