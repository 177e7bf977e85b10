"""The keys of the platform as a module holds them: rotated without a restart, not fetched for strangers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tochka_sdk import webhooks
from tochka_sdk.core_client import CoreClient
from tochka_sdk.errors import Unavailable
from tochka_sdk.events import Ping
from tochka_sdk.keys import PlatformKeys
from tochka_sdk.license import LicenseInvalid
from tochka_sdk.testing import FreshInstallation, PlatformDouble
from tochka_sdk.tickets import TicketInvalid
from tochka_sdk.tokens import UnknownKey, generate_key
from tochka_sdk.webhooks import SignatureInvalid

pytestmark = pytest.mark.anyio
FRESH = FreshInstallation()


@pytest.fixture
async def core() -> AsyncIterator[PlatformDouble]:
    """A core whose keys this test may rotate."""
    double = PlatformDouble("notes")
    async with double.serve():
        yield double


@pytest.fixture
async def client(core: PlatformDouble) -> AsyncIterator[CoreClient]:
    """The way to it."""
    found = CoreClient(
        core.core_url, module_id="notes", key=core.module_key, issuer=core.issuer, backoff=0.001
    )
    yield found
    await found.close()


def keys_of(core: PlatformDouble, client: CoreClient, interval: float = 0.0) -> PlatformKeys:
    """The keys as known at the start."""
    return PlatformKeys(client, module_id="notes", issuer=core.issuer, jwks=core.jwks(), interval=interval)


def signed(core: PlatformDouble) -> tuple[dict[str, str], bytes]:
    """A genuine request."""
    return core.sign(core.event("ping", Ping(), FRESH, tenant_wide=True))


async def test_without_keys_at_the_start_the_first_use_fetches_them(
    core: PlatformDouble, client: CoreClient
) -> None:
    keys = PlatformKeys(client, module_id="notes", issuer=core.issuer)
    await keys.verify_webhook(*signed(core))
    assert (await keys.read_license(core.license(FRESH))).sub == FRESH.id
    assert (await keys.verify_ticket(core.ticket(FRESH))).sub == FRESH.id
    assert len(core.calls) == 1


async def test_rotated_keys_are_found_without_a_restart(core: PlatformDouble, client: CoreClient) -> None:
    keys = keys_of(core, client)
    core.webhook_key = webhooks.generate_keypair()[0]
    core.license_key = generate_key()
    core.signing_key = generate_key()
    await keys.verify_webhook(*signed(core))
    await keys.read_license(core.license(FRESH))
    await keys.verify_ticket(core.ticket(FRESH))
    assert len(core.calls) == 1


async def test_webhook_keys_are_found_beside_the_keys_and_in_them(
    core: PlatformDouble, client: CoreClient
) -> None:
    (key,) = core.jwks()["tochka_whpk"]
    forms: list[dict[str, Any]] = [
        {"keys": [], "tochka_whpk": [key, 7]},
        {"keys": [], "tochka_whpk": key},
        {"keys": [{"kty": "OKP", "tochka_whpk": key}, "text"]},
    ]
    for jwks in forms:
        keys = PlatformKeys(client, module_id="notes", issuer=core.issuer, jwks=jwks)
        await keys.verify_webhook(*signed(core))
    assert core.calls == []


async def test_keys_are_fetched_before_they_are_needed(core: PlatformDouble, client: CoreClient) -> None:
    keys = PlatformKeys(client, module_id="notes", issuer=core.issuer)
    await keys.refresh()
    core.is_away = True
    await keys.verify_webhook(*signed(core))
    await keys.refresh()
    await keys.verify_webhook(*signed(core))


async def test_a_hundred_strangers_cause_one_fetch(core: PlatformDouble, client: CoreClient) -> None:
    keys = keys_of(core, client, interval=60)
    stranger = PlatformDouble("notes")
    attempts = [keys.verify_webhook(*signed(stranger)) for _ in range(100)]
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    assert {type(answer) for answer in answers} == {SignatureInvalid}
    assert len(core.calls) == 1


async def test_strangers_cannot_make_a_core_that_is_away_be_asked_again_and_again(
    core: PlatformDouble, client: CoreClient
) -> None:
    keys = keys_of(core, client, interval=60)
    core.is_away = True
    strangers = [keys.verify_webhook(*signed(PlatformDouble("notes"))) for _ in range(50)]
    answers = await asyncio.gather(*strangers, return_exceptions=True)
    assert {type(answer) for answer in answers} == {SignatureInvalid}
    assert len(core.calls) == 3  # one fetch, tried thrice


async def test_who_comes_between_a_failed_fetch_and_the_next_one_waits_for_it(
    core: PlatformDouble, client: CoreClient
) -> None:
    keys = PlatformKeys(client, module_id="notes", issuer=core.issuer)
    core.is_away = True
    await keys.refresh()
    core.is_away = False
    await keys.verify_ticket(core.ticket(FRESH))


async def test_a_shared_secret_s_signature_alone_is_not_enough(
    core: PlatformDouble, client: CoreClient
) -> None:
    keys = keys_of(core, client)
    headers, body = signed(core)
    only = webhooks.sign(headers["webhook-id"], int(headers["webhook-timestamp"]), body, secret=SECRET)
    with pytest.raises(SignatureInvalid):
        await keys.verify_webhook(only, body)
    assert core.calls == []


SECRET = webhooks.generate_secret()


async def test_an_unknown_key_is_unknown_when_the_core_answers_and_unavailable_when_it_does_not(
    core: PlatformDouble, client: CoreClient
) -> None:
    token = PlatformDouble("notes").license(FRESH)
    keys = keys_of(core, client)
    with pytest.raises(UnknownKey):
        await keys.read_license(token)
    core.is_away = True
    with pytest.raises(Unavailable):
        await keys.read_license(token)
    with pytest.raises(LicenseInvalid):
        await keys.read_license("garbage")
    with pytest.raises(TicketInvalid):
        await keys.verify_ticket("garbage")
