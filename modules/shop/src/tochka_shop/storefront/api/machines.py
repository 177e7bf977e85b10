"""For browsers and search engines: pictures, style sheet, sitemap, robots."""

import re
from xml.sax.saxutils import escape

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response
from tochka_sdk.module import InstallationSession

from tochka_shop.catalogue import public as catalogue
from tochka_shop.owners import current_owner
from tochka_shop.pages.assets import FOREVER, serve_asset
from tochka_shop.pages.forms import parse_uuid
from tochka_shop.pictures.errors import PictureMissing
from tochka_shop.pictures.public import pictures_of
from tochka_shop.storefront.api.frame import PAGE, CurrentShell

_NAME = re.compile(r"[0-9a-f]{32}-\d{1,4}\.webp")

router = APIRouter()


@router.api_route("/media/{picture_id}/{name}", methods=PAGE)
async def picture(request: Request, picture_id: str, name: str) -> Response:
    """One size of a picture of this shop; its name is its content, so it never changes."""
    known = parse_uuid(picture_id)
    if known is None or not _NAME.fullmatch(name):
        raise PictureMissing
    content = await pictures_of(request.app).storage.find(current_owner(), known, name)
    if content is None:
        raise PictureMissing
    headers = {"Cache-Control": FOREVER, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(content, media_type="image/webp", headers=headers)


@router.api_route("/static/{name}", methods=PAGE)
async def static(request: Request) -> Response:
    """The style sheet, the scripts, the icon."""
    return await serve_asset(request)


@router.api_route("/favicon.ico", methods=PAGE, include_in_schema=False)
async def favicon() -> Response:
    """Browsers ask for it unasked; the pages name their own icon."""
    return Response(status_code=204, headers={"Cache-Control": "public, max-age=86400"})


@router.api_route("/robots.txt", methods=PAGE)
async def robots(shell: CurrentShell) -> Response:
    """What crawlers need not read."""
    closed = "\n".join(
        f"Disallow: {path}" for path in ("/admin", "/cart", "/checkout", "/orders/", "/search")
    )
    return PlainTextResponse(f"User-agent: *\n{closed}\nAllow: /\n\nSitemap: {shell.origin}/sitemap.xml\n")


@router.api_route("/sitemap.xml", methods=PAGE)
async def sitemap(session: InstallationSession, shell: CurrentShell) -> Response:
    """Every page worth finding."""
    entries = [f"<url><loc>{escape(shell.origin)}{path}</loc></url>" for path in ("/", "/about")]
    entries += [
        f"<url><loc>{escape(shell.origin)}/c/{category.slug}</loc></url>" for category in shell.categories
    ]
    entries += [
        f"<url><loc>{escape(shell.origin)}/p/{entry.slug}</loc>"
        f"<lastmod>{entry.updated_at.date().isoformat()}</lastmod></url>"
        for entry in await catalogue.sitemap(session)
    ]
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    )
    return Response(head + "".join(entries) + "</urlset>", media_type="application/xml")
