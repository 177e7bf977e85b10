"""Webhooks delivered per second by one process: ours beside Celery, a bare outbox loop and the client alone,
in turns, to one receiver and to a thousand.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psutil
import uvloop
from tochka_stack.testing import running_redis, scratch_folder

from bench.durable import Server, durable_postgres, prepare
from bench.others import Others
from bench.processes import aside, pin, work
from bench.report import Figure, median, per_second, spread
from bench.sending.letters import write
from bench.sending.receiving import Sink, sinking
from bench.sending.senders import Bare, Celery, Ours, Plain, Sender

TO = {"one": "to one receiver", "many": "to 1 000 receivers"}
AIMS = {"Celery": "≥ 12 ×", "bare loop": "≥ 0.8 ×", "plain client": ""}


@dataclass
class Rates:
    """What each round gave: deliveries per second, and milliseconds of the processor for each."""

    rates: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    costs: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class Ground:
    """What all of them stand on."""

    server: Server
    redis_url: str
    sink: Sink


@contextmanager
def ground() -> Iterator[Ground]:
    """PostgreSQL, Redis and the receiver, off the first processor: that is the sender's."""
    with ExitStack() as stack, asyncio.Runner() as runner:
        stack.enter_context(aside())
        server = runner.run(prepare(stack.enter_context(durable_postgres())))
        redis = stack.enter_context(running_redis(stack.enter_context(scratch_folder())))
        yield Ground(server, redis.url(), stack.enter_context(sinking()))


def measure(rounds: int, share: float, say: Callable[[str], None]) -> list[Figure]:
    """Everybody in every round, so that whatever else the machine does meets all. `share` is the part of the
    letters that is sent: few of them show that it works.
    """
    with ground() as stand, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        senders = (
            Ours(stand.server, stand.redis_url),
            Bare(stand.server),
            Plain(),
            Celery(stand.redis_url),
        )
        rates, watch = Rates(), Others()
        for number in range(1, rounds + 1):
            for to, words in TO.items():
                for sender in senders:
                    runner.run(_turn(sender, to, stand.sink, round(sender.letters * share), rates))
                said = ", ".join(f"{one.name} {per_second(rates.rates[one.name, to][-1])}" for one in senders)
                say(f"round {number}, {words}: {said}")
        return list(_figures(rates, senders, watch.share()))


async def _turn(sender: Sender, to: str, sink: Sink, count: int, rates: Rates) -> None:
    """One sender's: from the first arrival to the last one."""
    letters = list(write(count, to, sink.port))
    await sender.load(letters, to)
    sink.reset()
    with sender.start() as process:
        pin(process)
        root = psutil.Process(process.pid)
        await asyncio.to_thread(sink.until, 1, process)
        pin(process)  # what it has started meanwhile
        before, already = work(root), len(sink.arrivals())
        await asyncio.to_thread(sink.until, count, process)
        spent = work(root) - before
        await asyncio.sleep(0.5)  # its last acknowledgements are not part of the figure
        await sender.check(count)
    arrivals = sink.arrivals()
    if arrivals.keys() != {str(letter.id) for letter in letters}:
        raise RuntimeError(f"{sender.name} has not delivered what it was given")
    rates.rates[sender.name, to].append((count - 1) / (max(arrivals.values()) - min(arrivals.values())) * 1e9)
    rates.costs[sender.name, to].append(spent / (count - already) * 1000)


def _figures(rates: Rates, senders: Sequence[Sender], share: float) -> Iterator[Figure]:
    for to, words in TO.items():
        for sender in senders:
            mine, cost = rates.rates[sender.name, to], median(rates.costs[sender.name, to])
            note = f"{cost:.2f} ms of its processor; {spread(mine)}"
            yield Figure(f"deliveries {words}, {sender.name}", per_second(median(mine)), "", note)
        for sender in senders[1:]:
            pairs = zip(rates.rates["ours", to], rates.rates[sender.name, to], strict=True)
            ratios = [ours / theirs for ours, theirs in pairs]
            note = f"{min(ratios):.2f} to {max(ratios):.2f}; others took {share:.0%}"
            yield Figure(f"… ours beside {sender.name}", f"{median(ratios):.2f} ×", AIMS[sender.name], note)
