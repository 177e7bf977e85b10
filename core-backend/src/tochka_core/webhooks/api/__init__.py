"""HTTP of deliveries: for modules, their side door; for owners, what was sent and sending again."""

from fastapi import APIRouter

from tochka_core.webhooks.api import deliveries, modules, replays

router = APIRouter()
for part in (modules, deliveries, replays):
    router.include_router(part.router)
