"""How often: every cap on codes, in one place, and the counter that holds the caps per network address.

Caps per code and per phone are the same everywhere. Caps per address multiply by 100 under relaxed limits.
A phone's caps count what was *not* answered: a code that is typed back correctly proves that its owner asked
for it, and clears the phone's counters, so that signing in again and again is not held up.
"""

import ipaddress
from dataclasses import dataclass
from typing import Any, Literal

from redis.asyncio import Redis

from tochka_core.accounts.errors import TooManyFromAddress

CODE_LENGTH = 6
CODE_TTL_S = 300
TRIES_PER_CHALLENGE = 5
RESEND_COOLDOWN_S = 60
TOMBSTONE_S = 600  # how long a used or expired challenge is still told from an unknown one

HOUR_S = 3600
DAY_S = 24 * HOUR_S
SENDS_PER_PHONE_HOUR = 5
SENDS_PER_PHONE_DAY = 10
FAILURES_PER_PHONE_HOUR = 10
FAILURES_PER_PHONE_DAY = 30

RELAXED_FACTOR = 100
PREFIX_V6 = 64  # one customer of a provider, not one of 2^64 addresses of theirs


@dataclass(frozen=True, slots=True)
class AddressCap:
    """So many requests of one kind from one network address within a window."""

    name: str
    count: int
    window_s: int


# one mobile operator's address may stand for a whole block of flats
SENDS = AddressCap("sends", 30, HOUR_S)
CONFIRMS = AddressCap("confirms", 120, 600)

HIT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if count > tonumber(ARGV[1]) then return redis.call('PTTL', KEYS[1]) end
return 0
"""


def known(address: str | None) -> str | None:
    """The network address in its usual notation, or None for what is none (a Unix socket, a test)."""
    try:
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def bucket(address: str | None) -> str:
    """Whom an address stands for: itself, or the /64 of an IPv6 address; all unknown ones share a bucket."""
    text = known(address)
    if text is None:
        return "unknown"
    return str(ipaddress.ip_network(f"{text}/{PREFIX_V6}", strict=False)) if ":" in text else text


async def admit(
    redis: "Redis[Any]", cap: AddressCap, address: str | None, mode: Literal["strict", "relaxed"]
) -> None:
    """Count one request of an address.

    Raises:
        TooManyFromAddress: with the seconds until its window ends.
    """
    allowed = cap.count * (RELAXED_FACTOR if mode == "relaxed" else 1)
    key = f"limit:{cap.name}:{{{bucket(address)}}}"
    wait_ms = int(await redis.register_script(HIT)(keys=[key], args=[allowed, cap.window_s * 1000]))
    if wait_ms > 0:
        raise TooManyFromAddress(wait_ms / 1000)
