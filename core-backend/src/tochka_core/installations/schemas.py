"""Installations as the API takes and shows them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from tochka_core.subscriptions.schemas import SubscriptionBrief

InstallationStatus = Literal["provisioning", "live", "suspended", "failed", "gone"]
Step = Literal["requested", "retrying", "accepted", "live", "suspended", "failed", "gone"]


class InstallationCreate(BaseModel):
    """What to activate, and where. Without `plan`, the module's first."""

    module: str = Field(max_length=64)
    subdomain: str = Field(max_length=253)
    plan: str | None = Field(default=None, max_length=64)


class Failure(BaseModel):
    """Why an installation failed; `code` is stable, `detail` is a sentence, maybe the module's own."""

    code: str
    detail: str


class InstallationRead(BaseModel):
    """One installation. `url` is where its storefront answers once it is live."""

    id: UUID
    module: str
    status: InstallationStatus
    url: str
    host: str
    subscription: SubscriptionBrief
    failure: Failure | None
    created_at: datetime


class Progress(BaseModel):
    """How far an activation has come: the data of a `progress` event.

    `step` is finer than `status`: while provisioning, `requested`, `retrying` (the module did not answer as
    it should) or `accepted` (it said that it is working on it).
    """

    status: InstallationStatus
    step: Step
    url: str
    failure: Failure | None


class AdminEntry(BaseModel):
    """One-time entry into the module's admin: post `ticket` as a form to `action` within a minute."""

    action: str
    ticket: str
