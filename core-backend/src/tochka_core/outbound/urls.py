"""Reading the URLs that tenants name: strictly, so that everybody reads the same host out of one."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import idna

from tochka_core.outbound.addresses import is_denied
from tochka_core.outbound.schemas import ErrorWord, Policy

LONGEST = 2048
URL = re.compile(r"(https?)://([^/?#]*)(/[^?#]*)?(\?[^#]*)?", re.IGNORECASE)
AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]@:]+)(?::([1-9][0-9]{0,4}))?")
PATH_SIGNS = re.compile(r"(?:[!$&'()*+,./0-9:;=?@A-Z_a-z~\[\]-]|%[0-9A-Fa-f]{2})*")
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
INNER = frozenset({"localhost", "local", "internal", "intranet", "home", "lan", "localdomain", "arpa"})
PORTS = {"http": 80, "https": 443}


class UrlDenied(ValueError):
    """This would not be asked; `word` says why: `url`, `port_denied` or `address_denied`."""

    def __init__(self, word: ErrorWord, why: str) -> None:
        super().__init__(why)
        self.word = word


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart: `host` as DNS and certificates spell it, `text` as it is asked."""

    scheme: str
    host: str
    port: int
    text: str


def check_url(url: str, policy: Policy) -> Target:
    """The URL as it would be asked.

    A name is not looked up here: what it leads to is checked whenever it is asked.

    Raises:
        UrlDenied: it is none, or leads where nobody may be asked.
    """
    match = URL.fullmatch(url) if len(url) <= LONGEST else None
    if match is None:
        raise UrlDenied("url", "must be an absolute https URL, no longer than 2,048 characters")
    scheme, authority, path, query = match[1].lower(), match[2], match[3] or "/", match[4] or ""
    if scheme == "http" and not policy.private_addresses:
        raise UrlDenied("url", "must be https")
    if not PATH_SIGNS.fullmatch(path + query):
        raise UrlDenied("url", "path and query hold signs that must be percent-encoded")
    parts = AUTHORITY.fullmatch(authority)
    if parts is None:
        raise UrlDenied("url", "must name a host, no user, and a port at most")
    host = _host(parts[1], policy)
    port = int(parts[2]) if parts[2] else PORTS[scheme]
    if port > 65535 or not (policy.private_addresses or port in policy.ports):
        raise UrlDenied("port_denied", f"the port {port} is not allowed")
    shown = "" if port == PORTS[scheme] else f":{port}"
    bare = f"[{host}]" if ":" in host else host
    return Target(scheme, host, port, f"{scheme}://{bare}{shown}{path}{query}")


def _host(text: str, policy: Policy) -> str:
    if text.startswith("["):
        try:
            return _address(str(IPv6Address(text[1:-1])), policy)
        except ValueError as error:
            raise _as_denied(error, "this is no IPv6 address") from None
    name = _ascii(text)
    labels = name.split(".")
    if NUMBER.fullmatch(labels[-1]):  # what resolvers take for an address, however odd
        try:
            return _address(str(IPv4Address(name)), policy)
        except ValueError as error:
            raise _as_denied(error, "an IPv4 address is written as four decimal numbers") from None
    if not all(LABEL.fullmatch(label) for label in labels):
        raise UrlDenied("url", "this is no host name; a dot at the end is not allowed, either")
    if not policy.private_addresses and (len(labels) == 1 or labels[-1] in INNER):
        raise UrlDenied("address_denied", "the host is a name of inner networks")
    return name


def _ascii(text: str) -> str:
    """The name as DNS has it."""
    try:
        name = text.lower() if text.isascii() else idna.encode(text, uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise UrlDenied("url", "this is no host name") from None
    if len(name) > 253:
        raise UrlDenied("url", "the host name is too long")
    return name


def _address(text: str, policy: Policy) -> str:
    if is_denied(text, private_addresses=policy.private_addresses, denied=policy.denied_networks):
        raise UrlDenied("address_denied", "the address is not one of the public internet")
    return text


def _as_denied(error: ValueError, why: str) -> UrlDenied:
    return error if isinstance(error, UrlDenied) else UrlDenied("url", why)
