"""What an entry of the trail says, and how it is shown to those who may read it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

Action = Literal[
    "account.recovered",
    "codes.refused",
    "handover.accepted",
    "handover.declined",
    "handover.offered",
    "handover.withdrawn",
    "installation.activated",
    "installation.entered",
    "installation.removed",
    "installation.undone",
    "invitation.accepted",
    "invitation.declined",
    "invitation.made",
    "invitation.withdrawn",
    "keys.rotated",
    "member.left",
    "member.removed",
    "member.role_changed",
    "password.refused",
    "password.removed",
    "password.set",
    "person.not_recognised",
    "person.reauthenticated",
    "person.signed_in",
    "person.signed_out",
    "person.signed_up",
    "phone.change_cancelled",
    "phone.change_refused",
    "phone.change_requested",
    "phone.changed",
    "phone.released",
    "session.ended",
    "session.replayed",
    "tenant.created",
    "tenant.renamed",
    "trail.doubted",
    "webhook_endpoint.changed",
    "webhook_endpoint.created",
    "webhook_endpoint.deleted",
    "webhook_endpoint.disabled",
    "webhook_endpoint.enabled",
    "webhook_endpoint.failing",
    "webhook_endpoint.rotated",
]
"""Every deed that is recorded; a new one is a line here and a call of `record`."""

Detail = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, as far as that is known: a person, the session, and where the request came from.

    A person's address need not be given while the request is served that makes the person do it.
    """

    user_id: UUID | None = None
    session_id: UUID | None = None
    address: str | None = None


PLATFORM = Actor()
"""The platform itself, or somebody whom nobody knows."""


class AuditEntryRead(BaseModel):
    """One deed: `action` by the person `user_id` in the session `session_id`, done to `subject_id`.

    Without a person it was the platform's own doing. `request_id` finds the deed in the logs.
    """

    id: UUID
    action: str
    occurred_at: datetime
    user_id: UUID | None
    session_id: UUID | None
    subject_id: UUID | None
    address: str | None
    request_id: str | None
    data: dict[str, Detail]
