"""HTTP for subscriptions: what a tenant pays for."""

from uuid import UUID

from fastapi import APIRouter

from tochka_core.paging import Page, PageRequestDep
from tochka_core.subscriptions import service
from tochka_core.subscriptions.schemas import SubscriptionRead
from tochka_core.tenants.public import TenantSession

router = APIRouter(prefix="/subscriptions", tags=["subscriptions"])


@router.get("", operation_id="list_subscriptions")
async def list_subscriptions(door: TenantSession, asked: PageRequestDep) -> Page[SubscriptionRead]:
    """The tenant's subscriptions, newest first."""
    return await service.page(door.session, door.member.tenant_id, asked)


@router.get("/{subscription_id}", operation_id="get_subscription")
async def get_subscription(door: TenantSession, subscription_id: UUID) -> SubscriptionRead:
    """One subscription."""
    return await service.get(door.session, door.member.tenant_id, subscription_id)
