"""What dies is started again, ever more slowly; what is stopped is gone; nothing outlives its supervisor."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import pytest
from tochka_stack.child_logs import Entry
from tochka_stack.data_dir import DataDir
from tochka_stack.parts import Part
from tochka_stack.ports import LOOPBACK, free_ports
from tochka_stack.probes import answers, speaks
from tochka_stack.processes import Command
from tochka_stack.refusals import ChildFailed, PortTaken
from tochka_stack.supervisor import Supervisor

pytestmark = pytest.mark.anyio

PATIENCE = 20.0
STEADY = "import pathlib, signal; pathlib.Path('ready').touch(); signal.pause()"
DEAF = "import pathlib, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + STEADY.partition("; ")[2]
MORTAL = "import pathlib, sys; pathlib.Path('ready').touch(); print('out of luck'); sys.exit(3)"


@dataclass
class Notes:
    """A reporter that remembers."""

    deaths: list[tuple[str, float, tuple[str, ...]]] = field(default_factory=list)
    readied: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def starting(self, name: str, title: str) -> None:
        """Not remembered."""

    def ready(self, name: str, seconds: float) -> None:
        """Remember who."""
        self.readied.append(name)

    def died(self, name: str, how: str, delay: float, tail: Iterable[str]) -> None:
        """Remember how."""
        self.deaths.append((how, delay, tuple(tail)))

    def important(self, entry: Entry) -> None:
        """Remember what."""
        self.entries.append(entry)


def part(folder: Path, program: str, *, name: str = "part", stop_patience: float = 10.0) -> Part:
    """A Python program that is ready as soon as it has made a file."""
    ready = folder / "ready"

    async def is_ready() -> bool:
        return ready.exists()

    return Part(
        name=name,
        title=name.title(),
        command=lambda: Command((sys.executable, "-u", "-c", program), folder=folder),
        is_ready=is_ready,
        is_alive=is_ready,
        start_patience=PATIENCE,
        stop_patience=stop_patience,
    )


def web_server(folder: Path) -> Part:
    """A server that answers, as long as it is not suspended."""
    port = free_ports(1)[0]
    return Part(
        name="part",
        title="Part",
        command=lambda: Command(
            (sys.executable, "-m", "http.server", str(port), "--bind", LOOPBACK), folder=folder
        ),
        is_ready=lambda: answers(port, "GET /"),
        is_alive=lambda: speaks(port, "GET /", patience=0.2),
        ports=(port,),
    )


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that other processes do."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  other processes cannot set an event of ours
            await asyncio.sleep(0.01)


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    """An empty data directory."""
    opened = DataDir(tmp_path / "data")
    opened.open()
    return opened


@pytest.fixture
async def supervisor(data_dir: DataDir) -> AsyncIterator[Supervisor]:
    """A supervisor with little patience, which stops everything at the end."""
    supervisor = Supervisor(data_dir, Notes(), first_delay=0.01)
    yield supervisor
    await supervisor.stop()


def notes(supervisor: Supervisor) -> Notes:
    """What the supervisor reported."""
    assert isinstance(supervisor.reporter, Notes)
    return supervisor.reporter


def pid_of(data_dir: DataDir, name: str = "part") -> int:
    """The pid that the record names."""
    return data_dir.recorded()[name].pid


async def test_a_part_that_is_killed_is_started_again(
    supervisor: Supervisor, data_dir: DataDir, tmp_path: Path
) -> None:
    await supervisor.start(part(tmp_path, STEADY))
    first = pid_of(data_dir)

    psutil.Process(first).kill()
    await until(lambda: pid_of(data_dir) != first and notes(supervisor).readied == ["part", "part"])

    assert notes(supervisor).deaths == [("was killed by SIGKILL", 0.01, ())]
    assert psutil.pid_exists(pid_of(data_dir))


async def test_a_part_that_keeps_dying_is_started_ever_more_slowly(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    (tmp_path / "ready").touch()
    await supervisor.start(part(tmp_path, MORTAL))
    await until(lambda: len(notes(supervisor).deaths) >= 4)

    assert [delay for _, delay, _ in notes(supervisor).deaths[:4]] == [0.01, 0.02, 0.04, 0.08]
    how, _, tail = notes(supervisor).deaths[0]
    assert (how, tail) == ("exited with 3", ("out of luck",))


async def test_a_part_that_hangs_is_ended_and_started_again(
    supervisor: Supervisor, data_dir: DataDir, tmp_path: Path
) -> None:
    supervisor.hung_after = 0.3
    await supervisor.start(web_server(tmp_path))
    first = psutil.Process(pid_of(data_dir))

    first.suspend()
    await until(lambda: pid_of(data_dir) != first.pid and len(notes(supervisor).readied) == 2)

    assert [how for how, _, _ in notes(supervisor).deaths] == [
        "has answered nothing for 0.3 s and was stopped"
    ]
    assert not first.is_running()


async def test_a_part_that_answers_is_left_alone_however_it_answers(
    supervisor: Supervisor, data_dir: DataDir, tmp_path: Path
) -> None:
    asked = 0

    async def is_alive() -> bool:
        nonlocal asked
        asked += 1
        return await speaks(server.ports[0], "GET /missing", patience=PATIENCE)

    supervisor.hung_after = 0.03
    server = replace(web_server(tmp_path), is_alive=is_alive)
    await supervisor.start(server)
    first = pid_of(data_dir)
    await until(lambda: asked > 10)

    assert (pid_of(data_dir), notes(supervisor).deaths) == (first, [])


async def test_a_port_that_somebody_else_took_is_told_apart_from_a_failure(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    server = web_server(tmp_path)
    with socket.create_server((LOOPBACK, server.ports[0])), pytest.raises(PortTaken) as refusal:
        await supervisor.start(server)
    assert refusal.value.port == server.ports[0]
    assert "another program uses" in str(refusal.value)


async def test_a_port_that_is_taken_at_the_last_moment_is_told_apart_too(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    server = web_server(tmp_path)
    thief = socket.socket()
    thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    def steal() -> Command:
        thief.bind((LOOPBACK, server.ports[0]))
        thief.listen()
        return server.command()

    with thief, pytest.raises(PortTaken):
        await supervisor.start(replace(server, command=steal))


async def test_a_part_that_dies_before_it_is_ready_is_a_failure_with_its_last_words(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    dying = "raise SystemExit('the roof is on fire')"
    with pytest.raises(ChildFailed, match=r"Part exited with 1: the roof is on fire\. Its log: .*part\.log"):
        await supervisor.start(part(tmp_path, dying))
    assert notes(supervisor).deaths == []


async def test_a_part_that_is_deaf_to_asking_is_killed(
    supervisor: Supervisor, data_dir: DataDir, tmp_path: Path
) -> None:
    await supervisor.start(part(tmp_path, DEAF, stop_patience=0.2))
    pid = pid_of(data_dir)

    await supervisor.stop()

    assert not psutil.pid_exists(pid)
    assert set(data_dir.recorded()) == {"supervisor"}


async def test_parts_stop_in_the_given_order(supervisor: Supervisor, tmp_path: Path) -> None:
    farewell = (
        "import pathlib, signal, sys\n"
        "def leave(*_): open('../order', 'a').write(pathlib.Path.cwd().name + ' '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, leave)\n"
        "pathlib.Path('ready').touch()\n"
        "while True: signal.pause()"
    )
    for name in ("engine", "service", "door", "other"):
        (tmp_path / name).mkdir()
        await supervisor.start(part(tmp_path / name, farewell, name=name))

    await supervisor.stop(["door"], ["service"], ["engine"])

    assert (tmp_path / "order").read_text().split() == ["other", "door", "service", "engine"]


async def test_a_command_that_fails_is_a_failure_and_one_that_does_not_says_its_last_line(
    supervisor: Supervisor,
) -> None:
    def python(program: str) -> Command:
        return Command((sys.executable, "-c", program))

    assert await supervisor.run_once("once", "Once", python("print('one'); print('two')")) == "two"
    with pytest.raises(ChildFailed, match="Once exited with 1: no"):
        await supervisor.run_once("once", "Once", python("raise SystemExit('no')"))


async def test_a_child_knows_its_own_environment_and_nothing_of_ours(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCHKA_TEST_SECRET", "ours")
    program = "import os; print(sorted(os.environ))"
    command = Command((sys.executable, "-c", program), environment={"MINE": "1", "LC_ALL": "C.UTF-8"})
    assert await supervisor.run_once("once", "Once", command) == "['LC_ALL', 'MINE']"


KILLED = """
import asyncio, pathlib, signal, sys
from test_supervisor import DEAF, STEADY, Notes, part
from tochka_stack.data_dir import DataDir
from tochka_stack.supervisor import Supervisor

async def main() -> None:
    root = pathlib.Path(sys.argv[1])
    data_dir = DataDir(root / "data")
    data_dir.open()
    supervisor = Supervisor(data_dir, Notes())
    for name, program in (("steady", STEADY), ("deaf", DEAF)):
        (root / name).mkdir()
        await supervisor.start(part(root / name, program, name=name))
    print("up", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_no_child_outlives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parent
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        records = DataDir(tmp_path / "data").recorded()
        children = [found for name in ("steady", "deaf") if (found := records[name].find())]
        assert len(children) == 2

        process.send_signal(signal.SIGKILL)
        process.wait()

        _, alive = psutil.wait_procs(children, timeout=PATIENCE)
        assert alive == []
