"""Logs of the children are JSON lines of limited size; warnings reach the terminal, one line each."""

import asyncio
import json
from pathlib import Path

import pytest
from tochka_stack import child_logs
from tochka_stack.child_logs import ChildLog, Entry, for_people, parse


def test_our_own_lines_are_kept_as_they_are() -> None:
    line = '{"event": "late", "level": "warning", "timestamp": "2026-01-02T03:04:05Z", "tenant": "a"}'
    assert parse("core-web", line) == {
        "timestamp": "2026-01-02T03:04:05Z",
        "level": "warning",
        "service": "core-web",
        "event": "late",
        "tenant": "a",
    }


def test_caddys_lines_get_our_names() -> None:
    entry = parse("gateway", '{"level": "warn", "ts": 0, "msg": "odd", "logger": "http"}')
    assert (entry["level"], entry["event"], entry["timestamp"]) == (
        "warning",
        "odd",
        "1970-01-01T00:00:00+00:00",
    )


@pytest.mark.parametrize(
    ("service", "line", "level"),
    [
        ("postgres", "LOG:  checkpoint starting: time", "info"),
        ("postgres", "ERROR:  relation does not exist", "error"),
        ("postgres", "FATAL:  could not map memory", "critical"),
        ("redis", "7:M 01 Jan 2026 00:00:00.000 * Ready to accept connections", "info"),
        ("redis", "7:M 01 Jan 2026 00:00:00.000 # Server initialized", "info"),
        ("redis", "7:M 01 Jan 2026 00:00:00.000 # MISCONF Redis is unable to write", "warning"),
        ("shop", "{not json", "info"),
        ("shop", "Traceback (most recent call last):", "info"),
    ],
)
def test_plain_lines_become_entries_with_a_level(service: str, line: str, level: str) -> None:
    entry = parse(service, line)
    assert (entry["service"], entry["event"], entry["level"]) == (service, line, level)


def test_an_entry_for_people_is_one_line_that_cannot_play_tricks_on_the_terminal() -> None:
    entry: Entry = {
        "timestamp": "2026-01-02T03:04:05Z",
        "level": "error",
        "service": "shop",
        "event": "\x1b[2Jboom",
        "order": 7,
        "exception": "Traceback\n  File\nValueError: no",
    }
    assert for_people(entry) == "03:04:05 shop  [2Jboom order=7 ValueError: no"


def test_what_matters_is_passed_on_and_all_of_it_is_kept(tmp_path: Path) -> None:
    passed: list[Entry] = []
    log = ChildLog("postgres", tmp_path, passed.append)

    async def follow(*chunks: bytes) -> None:
        reader = asyncio.StreamReader()
        for chunk in chunks:
            reader.feed_data(chunk)
        reader.feed_eof()
        await log.follow(reader)

    expected = "FATAL:  terminating connection due to administrator command"
    asyncio.run(follow(b"LOG:  one\nERR", b"OR:  two\n\n", f"{expected}\n".encode(), b"last words \xff"))
    log.close()

    written = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [entry["event"] for entry in written] == ["LOG:  one", "ERROR:  two", expected, "last words �"]
    assert [entry["event"] for entry in passed] == ["ERROR:  two"]
    assert log.last_words() == "last words �"
    assert log.path.stat().st_mode & 0o777 == 0o600


def test_a_log_does_not_grow_forever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_logs, "CAP_BYTES", 2000)
    log = ChildLog("shop", tmp_path, lambda entry: None)
    for number in range(200):
        log.add(f"line {number}")
    log.close()

    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["shop.log", "shop.log.1", "shop.log.2", "shop.log.3"]
    assert all(path.stat().st_size <= 2000 for path in tmp_path.iterdir())
    assert "line 199" in log.path.read_text()


def test_a_line_without_an_end_is_cut(tmp_path: Path) -> None:
    log = ChildLog("shop", tmp_path, lambda entry: None)

    async def follow() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(b"x" * (child_logs.LONGEST_LINE * 3))
        reader.feed_eof()
        await log.follow(reader)

    asyncio.run(follow())
    log.close()
    assert 2 <= len(log.path.read_text().splitlines()) <= 3
