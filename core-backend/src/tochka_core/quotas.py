"""Every limit that the core keeps, with its figure: how often, how many, how much. The settings tell them.

The operator's guide lists them; a test holds the two together.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
WRITTEN = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,4})?([smhd])")
PRICE = 1  # of a message of a channel whose price nobody told: a budget then counts messages


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests at once, and as many again, evenly, within every window of seconds."""

    count: int
    window_s: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Read `30/1h`, `30/h`, `120/10m`. Raises ValueError for anything else."""
        match = WRITTEN.fullmatch(text.strip())
        if match is None:
            raise ValueError("must be like 30/1h: a number of requests, a slash, and a time in s, m, h or d")
        return cls(int(match[1]), int(match[2] or 1) * SECONDS[match[3]])


def _read(value: Any) -> Any:
    return Rate.parse(value) if isinstance(value, str) else value


Often = Annotated[Rate, BeforeValidator(_read), NoDecode]
Few = Annotated[int, Field(ge=1, le=1000)]
Money = Annotated[int, Field(ge=0)]


class Quotas(BaseModel):
    """The figures. Rates per address, route and tenant are relaxed a hundredfold in development; what is
    counted per code, per phone and in money never is.

    An address is one network address, or the /64 of an IPv6 one. It may be a mobile operator's, and stand
    for a whole block of flats.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: Often = Rate(3000, 60)
    changes: Often = Rate(600, 60)
    codes: Often = Rate(30, 3600)
    codes_day: Often = Rate(120, 86400)
    answers: Often = Rate(120, 600)
    passwords: Often = Rate(60, 600)
    refreshes: Often = Rate(300, 60)
    labels: Often = Rate(120, 60)
    modules: Often = Rate(12000, 60)
    messengers: Often = Rate(12000, 60)
    tenant: Often = Rate(3000, 60)

    code_seconds: Annotated[int, Field(ge=60, le=600)] = 300
    code_tries: Annotated[int, Field(ge=1, le=10)] = 5
    resend_seconds: Annotated[int, Field(ge=1, le=600)] = 60
    phone_codes_hour: Few = 5
    phone_codes_day: Few = 10
    phone_failures_hour: Few = 10
    phone_failures_day: Annotated[int, Field(ge=1, le=100)] = 30

    chat_answers_minute: Few = 10

    phone_passwords_hour: Few = 10
    phone_passwords_day: Annotated[int, Field(ge=1, le=100)] = 30

    recent_seconds: Annotated[int, Field(ge=60, le=3600)] = 600
    phone_hold_hours: Annotated[int, Field(ge=1, le=720)] = 72
    unused_days: Annotated[int, Field(ge=30, le=3650)] = 180

    head_seconds: Annotated[int, Field(ge=1, le=600)] = 10
    body_bytes: Annotated[int, Field(ge=1024)] = 256 * 1024
    body_seconds: Annotated[int, Field(ge=1, le=600)] = 20

    channel_budget: Money = 100_000
    country_budget: Money = 100_000
    budgets: dict[str, Money] = {}
    prices: dict[str, Money] = {}

    def price(self, channel: str, country: str) -> int:
        """What a message costs: of this channel to this country, else of this channel."""
        return self.prices.get(f"{channel}/{country}", self.prices.get(channel, PRICE))

    def budget_of_channel(self, channel: str) -> int:
        """What a channel may cost in a day."""
        return self.budgets.get(channel, self.channel_budget)

    def budget_of_country(self, country: str) -> int:
        """What messages to a country may cost in a day, over all channels."""
        return self.budgets.get(country, self.country_budget)
