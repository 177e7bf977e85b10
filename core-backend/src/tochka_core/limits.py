"""Caps per network address: a counter in Redis per kind of request, address and window."""

import ipaddress
from dataclasses import dataclass
from typing import Literal

from redis.asyncio import Redis
from tochka_sdk.errors import TooManyRequests

RELAXED_FACTOR = 100
PREFIX_V6 = 64  # one customer of a provider, not one of 2^64 addresses of theirs

HIT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if count > tonumber(ARGV[1]) then return redis.call('PTTL', KEYS[1]) end
return 0
"""


@dataclass(frozen=True, slots=True)
class AddressCap:
    """So many requests of one kind from one network address within a window of seconds."""

    name: str
    count: int
    window_s: int


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
    redis: Redis, cap: AddressCap, address: str | None, mode: Literal["strict", "relaxed"]
) -> None:
    """Count one request of an address.

    Raises:
        TooManyRequests: with the seconds until its window ends.
    """
    allowed = cap.count * (RELAXED_FACTOR if mode == "relaxed" else 1)
    key = f"limit:{cap.name}:{{{bucket(address)}}}"
    wait_ms = int(await redis.register_script(HIT)(keys=[key], args=[allowed, cap.window_s * 1000]))
    if wait_ms > 0:
        raise TooManyRequests("Too many requests. Try again later.", retry_after=wait_ms / 1000)
