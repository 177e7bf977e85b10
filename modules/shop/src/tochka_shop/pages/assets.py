"""The style sheet, the scripts and the icon: package data, named by content, cached for ever."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from tochka_sdk.problems import not_found

NAMES = ("shop.css", "shop.js", "admin.js", "icon.svg")
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
FOREVER = "public, max-age=31536000, immutable"


@cache
def _assets() -> Mapping[str, bytes]:
    """Content by the name that carries its hash."""
    found = {}
    for name in NAMES:
        content = files("tochka_shop.pages").joinpath("static", name).read_bytes()
        stem, _, suffix = name.rpartition(".")
        found[f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"] = content
    return found


@cache
def asset(name: str) -> str:
    """The address of an asset as it is today."""
    stem, _, suffix = name.rpartition(".")
    hashed = next(
        known for known in _assets() if known.startswith(f"{stem}-") and known.endswith(f".{suffix}")
    )
    return f"/static/{hashed}"


async def serve_asset(request: Request) -> Response:
    """One asset; a name of yesterday is not found, since nothing of today links to it."""
    name = request.path_params["name"]
    content = _assets().get(name)
    if content is None:
        return not_found()
    media_type = _TYPES[name.rpartition(".")[2]]
    return Response(content, media_type=media_type, headers={"Cache-Control": FOREVER})
