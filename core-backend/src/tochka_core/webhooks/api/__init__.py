"""HTTP of deliveries: for modules, their side door; for owners, what was sent and sending again; for all,
what can be told.
"""

from fastapi import APIRouter

from tochka_core.webhooks.api import deliveries, event_types, modules, replays

router = APIRouter()
for part in (modules, event_types, deliveries, replays):
    router.include_router(part.router)
