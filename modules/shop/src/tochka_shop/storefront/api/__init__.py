"""HTTP of the storefront: pages for people, a few files for machines."""

from fastapi import APIRouter

from tochka_shop.storefront.api import browse, buying, machines

router = APIRouter()
for part in (machines.router, buying.router, browse.router):
    router.include_router(part)

__all__ = ["router"]
