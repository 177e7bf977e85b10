"""HTTP of deliveries: for modules, their side door; for owners, changing whom they are sent to, what was
sent, and sending again.
"""

from fastapi import APIRouter

from tochka_core.webhooks.api import changes, deliveries, modules, replays

router = APIRouter()
for part in (modules, changes, deliveries, replays):
    router.include_router(part.router)
