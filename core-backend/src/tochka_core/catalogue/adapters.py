"""Fetching a manifest from a module."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from tochka_core.catalogue.errors import ManifestUnreachable

PATH = "/.well-known/tochka-module.json"
MAX_BYTES = 256 * 1024
CONNECT = timedelta(seconds=3)
TOTAL = timedelta(seconds=10)


async def fetch_manifest(base_url: str) -> Mapping[str, Any]:
    """The JSON object at the module's well-known address.

    No redirect is followed and no proxy of the environment is used: the operator named this address.
    Raises `ManifestUnreachable`, which says why.
    """
    builder = ClientBuilder().follow_redirects(False).no_proxy().connect_timeout(CONNECT).timeout(TOTAL)
    try:
        async with builder.build() as client:
            request = client.get(base_url + PATH).header("Accept", "application/json").build_streamed()
            async with request as response:
                status, body = response.status, await response.body_reader.read(MAX_BYTES + 1)
    except (PyreqwestError, ValueError) as error:
        raise ManifestUnreachable(f"{base_url} does not answer: {type(error).__name__}.") from error
    if status != 200:
        raise ManifestUnreachable(f"{base_url}{PATH} answers {status}.")
    raw = bytes(body or b"")
    if len(raw) > MAX_BYTES:
        raise ManifestUnreachable(f"{base_url}{PATH} is larger than {MAX_BYTES} bytes.")
    return _object(raw, base_url + PATH)


def _object(raw: bytes, url: str) -> Mapping[str, Any]:
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise ManifestUnreachable(f"{url} is not JSON.") from None
    if not isinstance(document, dict):
        raise ManifestUnreachable(f"{url} is not a JSON object.")
    return document
