"""What is known about the request being served, carried by a context variable."""

import re
import secrets
from contextvars import ContextVar

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_request_id: ContextVar[str] = ContextVar("tochka_request_id", default="")
_client_address: ContextVar[str | None] = ContextVar("tochka_client_address", default=None)


def request_id() -> str:
    """The id of the request being served; empty outside of one."""
    return _request_id.get()


def adopt_request_id(candidate: str | None) -> str:
    """Take the caller's `X-Request-ID` if it is well-formed, else make one; remember and return it."""
    valid = candidate is not None and _REQUEST_ID.fullmatch(candidate) is not None
    chosen = candidate if valid and candidate else secrets.token_hex(16)
    _request_id.set(chosen)
    return chosen


def client_address() -> str | None:
    """The network address from which the request being served came; None outside of one."""
    return _client_address.get()


def note_client_address(address: str | None) -> None:
    """Remember from where this request came, as far as trusted proxies tell."""
    _client_address.set(address)
