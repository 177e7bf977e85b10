"""Subscriptions as the API shows them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

SubscriptionStatus = Literal["trialing", "active", "past_due", "paused", "suspended", "canceled", "void"]


class SubscriptionRead(BaseModel):
    """One subscription; `void` is one whose installation never came to be."""

    id: UUID
    module: str
    status: SubscriptionStatus
    plan: str
    trial_ends_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


class SubscriptionBrief(BaseModel):
    """A subscription as it stands beside its installation."""

    id: UUID
    status: SubscriptionStatus
    plan: str
    trial_ends_at: datetime | None
