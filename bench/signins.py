"""Sign-ins and authenticated requests per second: ours beside better-auth, in turns on one PostgreSQL."""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import psutil
import uvloop
from pyreqwest.client import Client, ClientBuilder
from tochka_stack.testing import ScratchPostgres, running_redis, scratch_folder

from bench.durable import durable_postgres, prepare
from bench.others import Others
from bench.processes import aside, pin, work
from bench.report import Figure, median, per_second, spread
from bench.rivals import VARIANTS, Rival, ours, theirs

CONCURRENCY = 16
AIM = "≥ 3 ×"
ORIGIN = {"Origin": "http://localhost"}  # without one, the peer refuses
ACTIONS = ("newcomers", "returning", "requests", "members")
NAMES = {
    "newcomers": "sign-ins of somebody new",
    "returning": "sign-ins of somebody known",
    "requests": "authenticated requests",
    "members": "the same for a tenant, as one of its members",
}
_phones = itertools.count()


class Door(Protocol):
    """How to sign in somewhere, and how to ask as somebody who is signed in."""

    async def sign_in(self, phone: str) -> dict[str, str]:
        """Ask for a code, read it, type it; the headers that say who asks from then on."""

    async def ask(self, headers: dict[str, str]) -> None:
        """Ask who is signed in."""

    async def ask_as_member(self, headers: dict[str, str]) -> None:
        """Ask for something that takes a role, where there is such a thing."""


class Caller:
    """JSON over a rival's connections."""

    def __init__(self, rival: Rival, http: Client) -> None:
        self.rival = rival
        self._http = http

    async def call(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
        """The answer's body and its cookies. Raises RuntimeError for a refusal."""
        request = self._http.request(method, self.rival.url + path).headers(headers)
        built = request.build() if body is None else request.body_json(body).build()
        answer = await built.send()
        if answer.status >= 400:
            raise RuntimeError(f"{self.rival.name}: {method} {path} was answered with {answer.status}")
        return await answer.json(), answer.get_header_all("set-cookie")


class Ours(Caller):
    """The API of this platform."""

    def __init__(self, rival: Rival, http: Client) -> None:
        super().__init__(rival, http)
        self._tenants: dict[str, str] = {}

    async def sign_in(self, phone: str) -> dict[str, str]:
        wanted = {"phone": phone, "channel": "max", "token_delivery": "body"}
        asked, _ = await self.call("POST", "/api/v1/auth/challenges", {}, wanted)
        path = f"/api/v1/auth/challenges/{asked['challenge_id']}/confirm"
        signed_in, _ = await self.call("POST", path, {}, {"code": self.rival.codes.read(phone)})
        self._tenants[token := f"Bearer {signed_in['access_token']}"] = signed_in["tenant_id"]
        return {"Authorization": token}

    async def ask(self, headers: dict[str, str]) -> None:
        await self.call("GET", "/api/v1/me", headers)

    async def ask_as_member(self, headers: dict[str, str]) -> None:
        await self.call("GET", f"/api/v1/tenants/{self._tenants[headers['Authorization']]}", headers)


class Theirs(Caller):
    """better-auth's."""

    async def sign_in(self, phone: str) -> dict[str, str]:
        await self.call("POST", "/api/auth/phone-number/send-otp", ORIGIN, {"phoneNumber": phone})
        typed = {"phoneNumber": phone, "code": self.rival.codes.read(phone)}
        _, cookies = await self.call("POST", "/api/auth/phone-number/verify", ORIGIN, typed)
        return {"Cookie": "; ".join(cookie.partition(";")[0] for cookie in cookies)}

    async def ask(self, headers: dict[str, str]) -> None:
        signed_in, _ = await self.call("GET", "/api/auth/get-session", headers)
        if not signed_in:
            raise RuntimeError("nobody is signed in")

    ask_as_member = ask  # it tells no role


@dataclass
class Contestant:
    """One rival with the people who have signed up with it."""

    name: str
    door: Door
    process: psutil.Process
    phones: list[str] = field(default_factory=list)
    people: list[dict[str, str]] = field(default_factory=list)
    rates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    costs: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def run(self, action: str, seconds: float) -> None:
        """One turn; its rate is kept, and what it took of the processor."""
        before = work(self.process)
        done, rate = await _rate(getattr(self, f"_{action}"), seconds)
        self.rates[action].append(rate)
        self.costs[action].append((work(self.process) - before) / done)

    async def _newcomers(self, _number: int) -> None:
        phone = f"+7900{next(_phones):07d}"
        self.people.append(await self.door.sign_in(phone))
        self.phones.append(phone)

    async def _returning(self, number: int) -> None:
        await self.door.sign_in(self.phones[number % len(self.phones)])

    async def _requests(self, number: int) -> None:
        await self.door.ask(self._somebody(number))

    async def _members(self, number: int) -> None:
        await self.door.ask_as_member(self._somebody(number))

    def _somebody(self, number: int) -> dict[str, str]:
        return self.people[-1 - number % min(len(self.people), 500)]


async def _rate(work: Callable[[int], Awaitable[None]], seconds: float) -> tuple[int, float]:
    """How often, and how often in a second, by callers who begin anew as soon as they are answered."""
    numbers, started = itertools.count(), time.monotonic()
    until = started + seconds
    done = 0

    async def caller() -> None:
        nonlocal done
        while time.monotonic() < until:
            await work(next(numbers))
            done += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(caller())
    return done, done / (time.monotonic() - started)


def measure(rounds: int, seconds: float, say: Callable[[str], None]) -> list[Figure]:
    """Every rival in turn, every action in every round, so that whatever else the machine does meets all."""
    with aside(), _rivals() as rivals, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for rival in rivals:
            pin(rival.process)
        return runner.run(_compare(rivals, rounds, seconds, say))


@contextmanager
def _rivals() -> Iterator[list[Rival]]:
    with ExitStack() as stack, asyncio.Runner() as runner:
        engine = stack.enter_context(durable_postgres())
        server = runner.run(prepare(engine))
        redis = stack.enter_context(running_redis(stack.enter_context(scratch_folder())))
        rivals = [stack.enter_context(ours(server, redis.url()))]
        scratch = ScratchPostgres(engine.dsn())
        for variant in VARIANTS:
            database = runner.run(scratch.create_database("peer", f"peer_{variant}"))
            rivals.append(stack.enter_context(theirs(database.owner_dsn, variant)))
        yield rivals


async def _compare(
    rivals: list[Rival], rounds: int, seconds: float, say: Callable[[str], None]
) -> list[Figure]:
    async with _http() as http:
        first, *others = (
            Contestant(
                rival.name,
                Ours(rival, http) if rival.name == "ours" else Theirs(rival, http),
                psutil.Process(rival.process.pid),
            )
            for rival in rivals
        )
        both = (first, *others)
        for contestant in both:  # connections are opened, code is compiled
            for action in ACTIONS:
                await _rate(getattr(contestant, f"_{action}"), min(seconds, 2))
        watch = Others()
        for number in range(1, rounds + 1):
            for action in ACTIONS:
                for contestant in both:
                    await contestant.run(action, seconds)
                said = ", ".join(f"{one.name} {per_second(one.rates[action][-1])}" for one in both)
                say(f"round {number}, {NAMES[action]}: {said}")
        share = watch.share()
    return [figure for action in ACTIONS for figure in _figures(action, first, others, share)]


def _figures(action: str, first: Contestant, others: list[Contestant], share: float) -> Iterator[Figure]:
    best = max(others, key=lambda one: median(one.rates[action]))
    yield _figure(NAMES[action], first, action)
    for one in others:
        yield _figure(f"… better-auth, {one.name}", one, action)
    ratios = [mine / theirs for mine, theirs in zip(first.rates[action], best.rates[action], strict=True)]
    note = f"beside {best.name}: {min(ratios):.1f} to {max(ratios):.1f}; others took {share:.0%}"
    yield Figure("… ratio", f"{median(ratios):.1f} ×", AIM, note)


def _figure(name: str, one: Contestant, action: str) -> Figure:
    rates, each = one.rates[action], median(one.costs[action]) * 1000
    return Figure(name, per_second(median(rates)), "", f"{each:.2f} ms of its processor; {spread(rates)}")


@asynccontextmanager
async def _http() -> AsyncIterator[Client]:
    async with ClientBuilder().no_proxy().follow_redirects(False).http1_only().build() as http:
        yield http
