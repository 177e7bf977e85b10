"""What other slices do with the catalogue: take an offer, and know which module calls."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc.util import json_b64decode
from tochka_sdk import clock, tokens
from tochka_sdk.tokens import TokenInvalid

from tochka_core.catalogue import repository, service
from tochka_core.catalogue.errors import ModuleNotAuthenticated
from tochka_core.catalogue.service import Offer
from tochka_core.resources import Resources, ResourcesDep

__all__ = ["CallingModule", "CallingModuleDep", "Offer", "get_offer"]

TYP = "module+jwt"
MAX_LIFETIME_S = 300

get_offer = service.get_offer
_bearer = HTTPBearer(
    scheme_name="ModuleToken",
    bearerFormat="JWT",
    auto_error=False,
    description="A JWT (`typ: module+jwt`, at most 5 minutes) that a module signs with its own key.",
)


@dataclass(frozen=True, slots=True)
class CallingModule:
    """A module that proved who it is."""

    id: str


async def _calling_module(
    resources: ResourcesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> CallingModule:
    """Verify the caller's own token with the key that was registered for it."""
    if credentials is None:
        raise ModuleNotAuthenticated
    module_id = _claimed(credentials.credentials)
    async with resources.connections.system("looks up a module's key") as connection:
        key = await repository.find_key(connection, module_id)
    if key is None or not _proves(credentials.credentials, key, module_id, resources):
        raise ModuleNotAuthenticated
    return CallingModule(module_id)


CallingModuleDep = Annotated[CallingModule, Depends(_calling_module)]


def _claimed(token: str) -> str:
    """Whom the token says it is from, before anything is verified: it chooses the key to verify with."""
    try:
        claims = json_b64decode(token.split(".")[1].encode("ascii"))
    except (ValueError, TypeError, IndexError, RecursionError):
        raise ModuleNotAuthenticated from None
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    if not isinstance(issuer, str) or not service.is_id(issuer):
        raise ModuleNotAuthenticated
    return issuer


def _proves(token: str, key: dict[str, Any], module_id: str, resources: Resources) -> bool:
    """Whether the token is genuine, from this module, for this platform, and short-lived.

    A module has one key: what its tokens call it (`kid`), and whether they do, is its own affair.
    """
    issuer = resources.addresses.issuer
    try:
        claims = tokens.decode(token, tokens.key_of(key), typ=TYP, issuer=module_id, audience=issuer)
    except TokenInvalid:
        return False
    moments: list[Any] = [claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)]
    if not all(isinstance(moment, int | float) for moment in moments):
        return False
    issued, expires, begins = moments
    now = clock.now().timestamp()
    is_fresh = max(issued, begins) <= now + tokens.LEEWAY_S and now < expires <= issued + MAX_LIFETIME_S
    return is_fresh and claims.get("sub") == module_id
