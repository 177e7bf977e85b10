"""Registering a module: fetch its manifest, check it, enter it."""

from collections.abc import Mapping
from typing import Any

from tochka_sdk import manifest as manifests

from tochka_core.catalogue import adapters, service
from tochka_core.catalogue.service import RegisteredModule
from tochka_core.resources import Resources


async def register(resources: Resources, url: str, public_key_jwk: Mapping[str, Any]) -> RegisteredModule:
    """Enter the module that answers at `url`, or bring its entry up to date; repeating it changes nothing.

    `resources` are those of the jobs role. The address given here is where the platform will reach the
    module: it is the operator's word, not the manifest's.

    Raises:
        KeyInvalid: not an Ed25519 public JWK.
        ManifestUnreachable: no JSON object at the well-known address.
        tochka_sdk.manifest.ManifestInvalid: the manifest breaks the contract; the fields are named.
    """
    key = service.public_key(public_key_jwk)
    base_url = url.rstrip("/")
    manifest = manifests.parse(await adapters.fetch_manifest(resources.sender, base_url))
    async with resources.connections.system("registers a module") as connection:
        return await service.register(connection, base_url, key, manifest)
