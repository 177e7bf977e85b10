"""Addresses as the API shows them."""

from typing import Literal

from pydantic import BaseModel

Reason = Literal["malformed", "reserved", "taken", "quarantined"]


class SubdomainRead(BaseModel):
    """Whether a label can be had; `url` is where the storefront would answer, null for a malformed label."""

    label: str
    available: bool
    reason: Reason | None
    host: str | None
    url: str | None
