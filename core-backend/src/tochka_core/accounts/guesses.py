"""How often the password of a phone may be guessed: counted in Redis before any is looked at.

Counted apart from codes: whoever uses up the tries of another's password closes that one way, for an hour or
a day, and the way by code stays open. The count is of the phone that was typed, known or not.
"""

from dataclasses import dataclass

from redis.asyncio import Redis

from tochka_core.accounts.code_scripts import CLOCK
from tochka_core.accounts.codes import DAY_MS, HOUR_MS, tag
from tochka_core.accounts.errors import TooManyPasswords
from tochka_core.quotas import Quotas
from tochka_core.resources import Resources
from tochka_core.scripts import Script

# KEYS: guesses in an hour, in a day, whether somebody was refused. ARGV: windows and caps.
COUNT = Script(
    CLOCK
    + """
local wait = math.max(blocked(KEYS[1], ARGV[3]), blocked(KEYS[2], ARGV[4]))
if wait > 0 then
  return {wait, redis.call('SET', KEYS[3], 1, 'NX', 'PX', wait) and 1 or 0}
end
count(KEYS[1], ARGV[1])
count(KEYS[2], ARGV[2])
return {0, 0}
"""
)


@dataclass(frozen=True, slots=True)
class Guesses:
    """The counters of one phone, or of whoever has none by another name."""

    redis: Redis
    pepper: bytes
    quotas: Quotas
    of: str

    async def count(self) -> None:
        """Charge one guess.

        Raises:
            TooManyPasswords: there are none left for now.
        """
        caps = [self.quotas.phone_passwords_hour, self.quotas.phone_passwords_day]
        wait, first = await COUNT.run(self.redis, keys=self._keys, args=[HOUR_MS, DAY_MS, *caps])
        if int(wait) > 0:
            raise TooManyPasswords(int(wait) / 1000, is_first=bool(first))

    async def forget(self) -> None:
        """The password was right: nobody guesses."""
        await self.redis.delete(*self._keys)

    @property
    def _keys(self) -> list[str]:
        slot = tag(self.pepper, self.of)
        return [f"passwords-{what}:{{{slot}}}" for what in ("hour", "day", "refused")]


def guesses_of(resources: Resources, phone: str) -> Guesses:
    """The counters of a phone."""
    return Guesses(resources.redis, resources.keyring.code_pepper, resources.quotas, phone)
