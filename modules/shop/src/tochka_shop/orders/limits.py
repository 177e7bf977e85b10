"""How many orders one person may leave: a flood of them would empty the shelves for nobody.

All the figures stand here. They are counted within one shop, while the shop's counter is locked.
"""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from datetime import timedelta

from tochka_shop.owners import Owner

RELAXED_FACTOR = 100
PREFIX_V6 = 64  # one customer of a provider, not one of 2^64 addresses of theirs


@dataclass(frozen=True, slots=True)
class OrderLimits:
    """`unanswered` orders of one telephone may wait for the shop; within `window`, `by_visitor` may come from
    one network address, which may be that of a whole village behind one provider.
    """

    unanswered: int = 5
    by_visitor: int = 30
    window: timedelta = timedelta(hours=1)


STRICT = OrderLimits()
RELAXED = OrderLimits(STRICT.unanswered * RELAXED_FACTOR, STRICT.by_visitor * RELAXED_FACTOR)


def order_limits(*, is_relaxed: bool) -> OrderLimits:
    """The limits to keep: as they are, or those for development and load tests."""
    return RELAXED if is_relaxed else STRICT


def visitor_of(address: str, owner: Owner, secret: bytes) -> str:
    """A network address as orders remember it: enough to see that two came from one, and no more without the
    `secret` that keys the digest.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    ip = getattr(ip, "ipv4_mapped", None) or ip
    network = ipaddress.ip_network((ip, PREFIX_V6 if ip.version == 6 else 32), strict=False)
    told = f"visitor|{owner.installation_id}|{network}"
    return hmac.digest(secret, told.encode(), hashlib.sha256).hex()[:32]
