"""Which addresses tenants' URLs may lead to: the public internet, and nothing else.

The table is written out, since `ipaddress.is_global` lets through what leads inside all the same: addresses
that wrap an IPv4 one (NAT64, 6to4, Teredo), multicast, site-local ones, whatever a cloud put into the open.
"""

from collections.abc import Collection, Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# A developer's own machine and network: open to `Policy.private_addresses` alone.
PRIVATE = (
    "10.0.0.0/8",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",  # unique local
)
METADATA = ("fd00:ec2::/32", "fd20:ce::/32")  # of Amazon and Google: in a private network, and open to nobody
DENIED = (
    "0.0.0.0/8",  # «this network»: Linux takes it for itself
    "100.64.0.0/10",  # shared by providers' customers (CGNAT); metadata of Alibaba
    "100.100.100.200/32",
    "168.63.129.16/32",  # Azure's wire server, by its looks a public address
    "169.254.0.0/16",  # link-local; metadata of nearly every cloud
    "192.0.0.0/24",  # protocol assignments; metadata of Oracle
    "192.0.2.0/24",  # documentation, as 198.51.100.0/24 and 203.0.113.0/24
    "192.31.196.0/24",  # AS112
    "192.52.193.0/24",  # AMT
    "192.88.99.0/24",  # relays of 6to4
    "192.175.48.0/24",  # AS112
    "198.18.0.0/15",  # benchmarking
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, broadcast
    "::/96",  # unspecified, IPv4-compatible; loopback is private
    "::ffff:0:0:0/96",  # IPv4-translated (SIIT)
    "64:ff9b:1::/48",  # a network's own NAT64
    "100::/64",  # discard
    "100:0:0:1::/64",  # dummy
    "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID, AMT, AS112
    "2001:db8::/32",  # documentation, as 3fff::/20
    "2002::/16",  # 6to4: wraps an IPv4 address
    "2620:4f:8000::/48",  # AS112
    "3ffe::/16",  # the 6bone, long given back
    "3fff::/20",
    "5f00::/16",  # segment routing (SRv6)
    "fe80::/10",  # link-local
    "fec0::/10",  # site-local
    "ff00::/8",  # multicast
)
MAPPED = IPv6Network("::ffff:0:0/96")
# A resolver of an IPv6-only network answers with these for every host that has an IPv4 address only.
NAT64 = IPv6Network("64:ff9b::/96")
GLOBAL = IPv6Network("2000::/3")  # no other IPv6 address has been given to anybody
ISATAP = (0x00005EFE, 0x02005EFE)  # the upper half of an interface id that ends in an IPv4 address


_PRIVATE, _METADATA, _DENIED = (tuple(map(ip_network, texts)) for texts in (PRIVATE, METADATA, DENIED))


def is_denied(address: str, *, private_addresses: bool = False, denied: Collection[Network] = ()) -> bool:
    """Whether nobody may be asked there. What is no address is denied.

    `denied` are networks of the operator's own, which look public.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return True
    if isinstance(found, IPv6Address) and found.scope_id is not None:
        return True
    return any(_is_in(face, denied) or _is_inner(face, private_addresses) for face in _faces(found))


def _is_inner(address: Address, private_addresses: bool) -> bool:
    if private_addresses and _is_in(address, _PRIVATE):
        return _is_in(address, _METADATA)
    if _is_in(address, _PRIVATE) or _is_in(address, _DENIED):
        return True
    return isinstance(address, IPv6Address) and address not in GLOBAL and address not in NAT64


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(network.version == address.version and address in network for network in networks)


def _faces(address: Address) -> Iterator[Address]:
    """The address, and every IPv4 one that a router would find in it."""
    if isinstance(address, IPv4Address):
        yield address
        return
    inner = IPv4Address(int(address) & 0xFFFFFFFF)
    if address not in MAPPED:
        yield address
    if address in MAPPED or address in NAT64 or int(address) >> 32 & 0xFFFFFFFF in ISATAP:
        yield inner
