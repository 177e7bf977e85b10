"""HTTP of the catalogue of events."""

from functools import cache

from fastapi import APIRouter

from tochka_core.accounts.public import PersonDep
from tochka_core.outbox import public as outbox
from tochka_core.webhooks.schemas import EventTypeRead, EventTypes

router = APIRouter(tags=["webhooks"])


@router.get("/event-types", operation_id="list_event_types")
async def list_event_types(_: PersonDep) -> EventTypes:
    """What modules and webhook endpoints can be told, with schemas; all of it, there are no pages."""
    return _catalogue()


@cache
def _catalogue() -> EventTypes:
    return EventTypes(items=[EventTypeRead.model_validate(event) for event in outbox.published()])
