"""What messages to phones may cost in a day, per channel and per country: counted in Redis, before they go.

Whoever can make the platform send messages can make it pay for them. A budget that is spent stops the
channel, or the country, until the next day (UTC) begins. What one code costs is charged before it is made, so
that no burst gets past, and given back when it is not made after all.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError
from tochka_sdk import clock, logs

from tochka_core.accounts import phones
from tochka_core.accounts.errors import SendingPaused
from tochka_core.channels.schemas import ChannelKind
from tochka_core.quotas import Quotas
from tochka_core.scripts import Script

KEPT_S = 2 * 24 * 3600
REFUSALS = Counter("tochka_code_budget_refusals", "Codes not sent: the budget of the day is spent.", ["over"])
_log = logs.get_logger(__name__)

# KEYS: the channel's counter, the country's. ARGV: price, budget of each. Back: 0, or whose budget is spent.
SPEND = Script(
    """
for number, key in ipairs(KEYS) do
  local budget = tonumber(ARGV[1 + number])
  local spent = tonumber(redis.call('GET', key) or '0') + ARGV[1]
  if budget == 0 or spent > budget then return number end
end
for _, key in ipairs(KEYS) do
  redis.call('INCRBY', key, ARGV[1])
  redis.call('EXPIRE', key, ARGV[4])
end
return 0
"""
)

GIVE_BACK = Script(
    """
for _, key in ipairs(KEYS) do redis.call('DECRBY', key, ARGV[1]) end
"""
)


@asynccontextmanager
async def spending(redis: Redis, quotas: Quotas, channel: ChannelKind, phone: str) -> AsyncIterator[None]:
    """Charge one message to a phone; a block that ends in an exception has sent nothing and costs nothing.

    Raises:
        SendingPaused: the budget of the channel or of the country is spent for today.
    """
    moment = clock.now()
    over = (channel, phones.country(phone))
    keys = [f"spent:{{{moment:%Y-%m-%d}}}:{name}" for name in over]
    price = quotas.price(*over)
    budgets = (quotas.budget_of_channel(over[0]), quotas.budget_of_country(over[1]))
    spent = int(await SPEND.run(redis, keys=keys, args=[price, *budgets, KEPT_S]))
    if spent:
        REFUSALS.labels(over[spent - 1]).inc()
        _log.warning("accounts.budget_spent", over=over[spent - 1])
        raise SendingPaused(_until_tomorrow(moment))
    try:
        yield
    except BaseException:
        with suppress(RedisError):  # it is away: then a code that was not sent has cost something today
            await GIVE_BACK.run(redis, keys=keys, args=[price])
        raise


def _until_tomorrow(moment: datetime) -> float:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - moment).total_seconds()
