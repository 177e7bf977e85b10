"""What stands in an access token, read without trusting it."""

import base64
import json
from typing import Any

from core_kit.people import Owner


def access_token(owner: Owner) -> str:
    """The access token with which the owner's client asks."""
    return owner.client.headers["Authorization"].removeprefix("Bearer ")


def decoded(text: str) -> bytes:
    """A part of a token, decoded."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, unverified."""
    header, claims, _ = token.split(".")
    return json.loads(decoded(header)), json.loads(decoded(claims))
