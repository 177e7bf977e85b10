"""Fetching a manifest from a module."""

from collections.abc import Mapping
from typing import Any

import orjson

from tochka_core.catalogue.errors import ManifestUnreachable
from tochka_core.outbound.public import Sender

PATH = "/.well-known/tochka-module.json"
MAX_BYTES = 256 * 1024
SECONDS = 10.0


async def fetch_manifest(sender: Sender, base_url: str) -> Mapping[str, Any]:
    """The JSON object at the module's well-known address, which the operator named.

    Raises `ManifestUnreachable`, which says why.
    """
    accept = {"Accept": "application/json"}
    answer = await sender.request(
        "GET", base_url + PATH, headers=accept, seconds=SECONDS, trusted=True, most=MAX_BYTES
    )
    if answer.status is None:
        raise ManifestUnreachable(f"{base_url} does not answer: {answer.error}.")
    if answer.status != 200:
        raise ManifestUnreachable(f"{base_url}{PATH} answers {answer.status}.")
    if answer.is_cut:
        raise ManifestUnreachable(f"{base_url}{PATH} is larger than {MAX_BYTES} bytes.")
    return _object(answer.body, base_url + PATH)


def _object(raw: bytes, url: str) -> Mapping[str, Any]:
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise ManifestUnreachable(f"{url} is not JSON.") from None
    if not isinstance(document, dict):
        raise ManifestUnreachable(f"{url} is not a JSON object.")
    return document
