"""Which browser asked for a code: a cookie that only the same browser brings again.

Programs keep no cookies and are told apart by what browsers say of themselves and programs do not
(`Sec-Fetch-Site`, `Origin`). Why, and what that leaves open: docs/adr.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from tochka_core.resources import Addresses

ATTESTED_BY = ("sec-fetch-site", "origin")
MAX_SECRET = 64
KEPT_S = 180 * 24 * 3600  # so that a browser in which a number was proven is known when it comes again


@dataclass(frozen=True, slots=True)
class Browser:
    """What a request shows of where it is made: `is_one` for a browser, and the secret in its cookie."""

    is_one: bool
    secret: str | None


NO_BROWSER = Browser(False, None)


@dataclass(frozen=True, slots=True)
class Caller:
    """From where a request comes, as far as that is known."""

    address: str | None
    user_agent: str
    browser: Browser


def name(addresses: Addresses) -> str:
    """`__Host-` binds the cookie to the host under https; plain http cannot have such a name."""
    return "__Host-tochka_challenge" if addresses.is_secure else "tochka_challenge"


def read(request: Request, addresses: Addresses) -> Browser:
    """The browser behind a request."""
    secret = request.cookies.get(name(addresses)) or None
    is_one = any(header in request.headers for header in ATTESTED_BY)
    return Browser(is_one, secret if secret and len(secret) <= MAX_SECRET else None)


def put(response: Response, addresses: Addresses, secret: str) -> None:
    """Give a browser the secret to bring again."""
    response.set_cookie(
        name(addresses),
        secret,
        max_age=KEPT_S,
        path="/",
        secure=addresses.is_secure,
        httponly=True,
        samesite="strict",
    )


def fresh_secret(challenge_id: str, pepper: bytes) -> str:
    """A secret for a browser that has none. A repeated request for the same challenge gets the same one."""
    digest = hmac.digest(pepper, b"browser-secret|" + challenge_id.encode(), hashlib.sha256)
    return urlsafe_b64encode(digest).decode().rstrip("=")


def mark(secret: str, pepper: bytes) -> str:
    """What is stored of a secret."""
    return hmac.new(pepper, b"browser|" + secret.encode(), hashlib.sha256).hexdigest()
