"""What the children write: kept as JSON lines in files with a size limit; what matters is passed on."""

import asyncio
import json
import logging
import logging.handlers
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CAP_BYTES = 10 * 1024 * 1024
KEPT = 3
LONGEST_LINE = 64 * 1024
TAIL = 12
IMPORTANT = frozenset({"warning", "error", "critical"})
LEVELS = {"warn": "warning", "fatal": "critical", "panic": "critical"}
_POSTGRES = re.compile(r"^(?P<level>DEBUG\d?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT):\s+")
_REDIS = re.compile(r"^\d+:[A-Z] \d+ \w+ \d+ [\d:.]+ (?P<mark>[.\-*#]) ")
_REDIS_TROUBLE = re.compile(r"WARNING|rror|ailed|[Cc]an't|Bad file|MISCONF|Out Of Memory|Fatal|crash")
_EXPECTED = re.compile(
    r"terminating connection due to administrator command|the database system is (starting up|shutting down)"
    r"|Memory overcommit must be enabled|overcommit_memory is set to 0|The TCP backlog setting"
    r"|Transparent Huge Pages|admin endpoint disabled|exiting; byeee"
)

Entry = dict[str, Any]


def parse(service: str, line: str) -> Entry:
    """One line as an object with at least `timestamp, level, service, event`."""
    if line.startswith("{"):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if isinstance(entry, dict):
            return _normalised(service, entry)
    return {
        "timestamp": datetime.now(UTC).isoformat(),
        "level": _level_of_text(line),
        "service": service,
        "event": line,
    }


def for_people(entry: Entry) -> str:
    """An entry on one line: time, who, what, and the details."""
    known = {"timestamp", "level", "service", "event", "logger", "exception", "ts", "msg"}
    details = " ".join(f"{name}={value}" for name, value in entry.items() if name not in known)
    last_line = str(entry.get("exception", "")).strip().rpartition("\n")[2]
    time = str(entry["timestamp"])[11:19]
    text = " ".join(filter(None, (time, entry["service"], str(entry["event"]), details, last_line)))
    return "".join(letter if letter.isprintable() else " " for letter in text)


class _File(logging.handlers.RotatingFileHandler):
    """A rotated file whose own troubles (a full disk) do not end up on the terminal, line by line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the name is logging's
        """Lose the line."""


@dataclass
class ChildLog:
    """The log of one part: `<folder>/<service>.log`, rotated by size, and its last lines in memory."""

    service: str
    folder: Path
    on_important: Callable[[Entry], None]
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))

    def __post_init__(self) -> None:
        """Open the file."""
        self._file = _File(
            self.path, maxBytes=CAP_BYTES, backupCount=KEPT, encoding="utf-8", errors="replace"
        )
        self.path.chmod(0o600)

    @property
    def path(self) -> Path:
        """The newest file."""
        return self.folder / f"{self.service}.log"

    def last_words(self) -> str:
        """The last line, which mostly says why it ended."""
        return self.tail[-1] if self.tail else ""

    def add(self, line: str) -> None:
        """Take in one line."""
        entry = parse(self.service, line)
        self.tail.append(str(entry["event"]) + _reason(entry))
        text = json.dumps(entry, ensure_ascii=False, default=str)
        self._file.emit(logging.makeLogRecord({"msg": "%s", "args": (text,)}))
        if entry["level"] in IMPORTANT and not _EXPECTED.search(str(entry["event"])):
            self.on_important(entry)

    async def follow(self, stream: asyncio.StreamReader) -> None:
        """Take in a child's output to its end; a line that does not end is cut."""
        buffer = b""
        while chunk := await stream.read(LONGEST_LINE):
            *lines, buffer = (buffer + chunk).split(b"\n")
            if len(buffer) > LONGEST_LINE:
                lines.append(buffer)
                buffer = b""
            for line in lines:
                self._add_bytes(line)
        self._add_bytes(buffer)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _add_bytes(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        if text:
            self.add(text)


def _reason(entry: Entry) -> str:
    """The last line of a traceback says what went wrong."""
    exception = str(entry.get("exception", "")).strip()
    return f": {exception.splitlines()[-1]}" if exception else ""


def _normalised(service: str, entry: Entry) -> Entry:
    """Our own services' names for what Caddy calls `ts`, `msg` and `warn`."""
    level = str(entry.pop("level", "info")).lower()
    moment = entry.pop("timestamp", None) or entry.pop("ts", None)
    if isinstance(moment, int | float):
        moment = datetime.fromtimestamp(moment, UTC).isoformat()
    return {
        "timestamp": moment or datetime.now(UTC).isoformat(),
        "level": LEVELS.get(level, level),
        "service": service,
        "event": entry.pop("event", None) or entry.pop("msg", ""),
        **{name: value for name, value in entry.items() if name not in {"service", "color_message"}},
    }


def _level_of_text(line: str) -> str:
    """How bad a line of PostgreSQL or Redis is; anything else is plain information."""
    if found := _POSTGRES.match(line):
        level = found["level"].lower()
        return LEVELS.get(level, level) if level in {"warning", "error", "fatal", "panic"} else "info"
    if (found := _REDIS.match(line)) and found["mark"] == "#":  # Redis' mark for warnings and for greetings
        return "warning" if _REDIS_TROUBLE.search(line) else "info"
    return "info"
