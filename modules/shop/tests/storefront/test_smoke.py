"""t."""

import httpx


async def test_smoke(storefront: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    for path in ("/", "/about", "/privacy", "/cart", "/nope", "/robots.txt", "/sitemap.xml", "/search?q=чай"):
        r = await storefront.get(path, headers={"Accept": "text/html"})
        print(path, r.status_code, len(r.text))
        assert r.status_code in (200, 404), r.text[:3000]
    for path in (
        "/admin",
        "/admin/products",
        "/admin/products/new",
        "/admin/orders",
        "/admin/categories",
        "/admin/settings",
    ):
        r = await admin.get(path, headers={"Accept": "text/html"})
        print(path, r.status_code, len(r.text))
        assert r.status_code in (200, 404), r.text[:3000]
