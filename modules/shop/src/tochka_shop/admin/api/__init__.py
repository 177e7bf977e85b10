"""HTTP of the admin: pages that a phone can hold."""

from fastapi import APIRouter

from tochka_shop.admin.api import categories, dashboard, orders, products, shop_settings

router = APIRouter()
for part in (
    dashboard.router,
    products.router,
    categories.router,
    orders.router,
    shop_settings.router,
):
    router.include_router(part)

__all__ = ["router"]
