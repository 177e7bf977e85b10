"""kill -9 of one part after the other, chosen by a seeded chance, while the supervisor starts them again."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from tests.proof.running import ENGINES, SERVICES, Stack

BACKEND = "postgres-backend"
VICTIMS = (*SERVICES, *ENGINES, BACKEND)
SHORTEST_S, LONGEST_S = 0.8, 3.2


@dataclass
class Killer:
    """Everybody dies equally often; when and in which order is left to chance."""

    stack: Stack
    chance: random.Random
    victims: Sequence[str] = VICTIMS
    killed: Counter[str] = field(default_factory=Counter)

    async def run(self, seconds: float) -> None:
        """Kill for so long."""
        end, bag = time.monotonic() + seconds, list[str]()
        while time.monotonic() < end:
            bag = bag or self.chance.sample(self.victims, len(self.victims))
            if self.kill(bag[-1]):
                bag.pop()
            else:
                self.chance.shuffle(bag)  # it is down just now: another one first
            await asyncio.sleep(self.chance.uniform(SHORTEST_S, LONGEST_S))

    def kill(self, name: str) -> bool:
        """End one with -9; False if it does not run just now."""
        victim = self._find(name)
        if victim is None:
            return False
        with suppress(psutil.NoSuchProcess):
            victim.kill()
            self.killed[name] += 1
            return True
        return False

    def _find(self, name: str) -> psutil.Process | None:
        if name != BACKEND:
            return self.stack.part(name)
        backends = self.stack.backends()
        return self.chance.choice(backends) if backends else None
