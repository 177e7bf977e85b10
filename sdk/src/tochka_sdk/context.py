"""What is known about the request being served, carried by a context variable."""

import re
import secrets
from contextvars import ContextVar

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_request_id: ContextVar[str] = ContextVar("tochka_request_id", default="")


def request_id() -> str:
    """The id of the request being served; empty outside of one."""
    return _request_id.get()


def adopt_request_id(candidate: str | None) -> str:
    """Take the caller's `X-Request-ID` if it is well-formed, else make one; remember and return it."""
    valid = candidate is not None and _REQUEST_ID.fullmatch(candidate) is not None
    chosen = candidate if valid and candidate else secrets.token_hex(16)
    _request_id.set(chosen)
    return chosen
