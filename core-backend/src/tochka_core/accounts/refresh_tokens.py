"""Refresh tokens: `user.session.counter.mac`, opaque to clients, derived and never stored.

The mac is HMAC-SHA256(session key, user|session|counter). So the successor of a token can be made again for a
tab that lost the race, and a leaked database holds nothing to sign in with.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

IDLE = timedelta(days=30)
ABSOLUTE = timedelta(days=90)
MOST_SESSIONS = 20  # of one person; one more ends the one that was not used for the longest time
GRACE = timedelta(seconds=30)  # for tabs that refresh at the same moment with the same token
SHAPE = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{32})\.(0|[1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """Which use of which session it stands for."""

    user_id: UUID
    session_id: UUID
    counter: int

    def render(self, key: bytes) -> str:
        """The token as clients keep it."""
        return f"{self.user_id.hex}.{self.session_id.hex}.{self.counter}.{self._mac(key)}"

    def _mac(self, key: bytes) -> str:
        text = f"refresh|{self.user_id.hex}|{self.session_id.hex}|{self.counter}"
        digest = hmac.digest(key, text.encode(), hashlib.sha256)
        return urlsafe_b64encode(digest).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str, key: bytes) -> "RefreshToken | None":
        """The token, if this platform made it."""
        match = SHAPE.fullmatch(text)
        if match is None:
            return None
        token = cls(UUID(match[1]), UUID(match[2]), int(match[3]))
        return token if hmac.compare_digest(token._mac(key), match[4]) else None
