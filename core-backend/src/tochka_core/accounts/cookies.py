"""The refresh cookie, and the check that the call which carries it comes from the platform's own page."""

from starlette.requests import Request
from starlette.responses import Response

from tochka_core.accounts.errors import CrossSite
from tochka_core.resources import Addresses


def name(addresses: Addresses) -> str:
    """`__Host-` binds the cookie to the host under https; plain http cannot have such a name."""
    return "__Host-tochka_refresh" if addresses.is_secure else "tochka_refresh"


def put(response: Response, addresses: Addresses, token: str, max_age: int) -> None:
    """Set the cookie for `max_age` seconds."""
    response.set_cookie(
        name(addresses),
        token,
        max_age=max(0, max_age),
        path="/",
        secure=addresses.is_secure,
        httponly=True,
        samesite="strict",
    )


def clear(response: Response, addresses: Addresses) -> None:
    """Take the cookie away."""
    put(response, addresses, "", 0)


def read(request: Request, addresses: Addresses) -> str | None:
    """The refresh token in the cookie, once it is sure that no page but our own, or of an origin that the
    settings list, sent it along.

    Browsers attest where a request comes from (`Sec-Fetch-Site`, `Origin`); what attests nothing is not a
    browser and holds the cookie because it was given it.

    Raises:
        CrossSite: a page of another origin makes the call.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if origin not in addresses.trusted_origins:
        _require_own(addresses, site, origin, request.headers.get("host", ""))
    return request.cookies.get(name(addresses)) or None


def _require_own(addresses: Addresses, site: str | None, origin: str | None, host: str) -> None:
    if site not in (None, "same-origin"):
        raise CrossSite
    own = {addresses.public_url}
    if site == "same-origin":  # 127.0.0.1 in place of localhost: the same door under another name
        scheme = "https" if addresses.is_secure else "http"
        own.add(f"{scheme}://{host}")
    if origin is not None and origin not in own:
        raise CrossSite
