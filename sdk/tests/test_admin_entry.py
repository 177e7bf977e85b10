"""The way into the admin: a ticket works once, for its own installation; other sites stay outside."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from tochka_sdk import clock
from tochka_sdk.events import Envelope, MemberChanged, MemberLeft
from tochka_sdk.ids import uuid7
from tochka_sdk.module import Module
from tochka_sdk.testing import FreshInstallation, ModuleClient, PlatformDouble, running_module

pytestmark = pytest.mark.anyio
ENTRY = "/_tochka/session"


async def enter(browser: httpx.AsyncClient, ticket: str, **headers: str) -> httpx.Response:
    """Post a ticket as the panel does."""
    return await browser.post(ENTRY, data={"ticket": ticket}, headers=headers)


async def test_a_ticket_becomes_a_session(
    storefront: httpx.AsyncClient, platform: PlatformDouble, installation: FreshInstallation
) -> None:
    before = await storefront.get("/admin")
    answer = await enter(storefront, platform.ticket(installation, role="staff"))
    after = await storefront.get("/admin")
    assert (before.status_code, before.json()["code"]) == (401, "admin.sign_in_required")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert (after.status_code, after.json()["role"]) == (200, "staff")


async def test_under_https_the_cookie_is_bound_to_the_host(
    module_under_test: Module, platform: PlatformDouble, module_dsn: str
) -> None:
    settings = platform.settings(module_dsn, public_scheme="https")
    async with running_module(module_under_test, settings, platform) as secure:
        fresh = await secure.install()
        async with secure.storefront(fresh) as browser:
            answer = await enter(browser, platform.ticket(fresh))
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-tochka_admin=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


async def test_of_twenty_uses_of_one_ticket_one_works(
    running: ModuleClient, platform: PlatformDouble, installation: FreshInstallation
) -> None:
    ticket = platform.ticket(installation)
    browsers = [running.storefront(installation) for _ in range(20)]
    answers = await asyncio.gather(*(enter(browser, ticket) for browser in browsers))
    for browser in browsers:
        await browser.aclose()
    assert sorted(answer.status_code for answer in answers) == [303] + [401] * 19


def _spoilt(platform: PlatformDouble, installation: FreshInstallation) -> dict[str, Any]:
    moment = int(clock.now().timestamp())
    stranger = FreshInstallation()
    other_tenant = FreshInstallation(id=installation.id)
    return {
        "empty": "",
        "garbage": "a.b.c",
        "not ASCII": "é.é.é",
        "very long": "x" * 4000,
        "expired": platform.ticket(installation, iat=moment - 120, exp=moment - 60),
        "of the future": platform.ticket(installation, iat=moment + 100, exp=moment + 160),
        "too long-lived": platform.ticket(installation, exp=moment + 10**6),
        "for another installation": platform.ticket(stranger),
        "of another tenant": platform.ticket(other_tenant),
        "for another module": platform.ticket(installation, aud="courses"),
        "of another platform": PlatformDouble(platform.module_id).ticket(installation),
        "of another issuer": platform.ticket(installation, iss="https://elsewhere.example"),
        "a license": platform.license(installation),
    }


async def test_spoilt_tickets_open_nothing(
    storefront: httpx.AsyncClient, platform: PlatformDouble, installation: FreshInstallation
) -> None:
    refused = {}
    for name, ticket in _spoilt(platform, installation).items():
        answer = await enter(storefront, ticket)
        refused[name] = (answer.status_code, "set-cookie" in answer.headers)
    missing = await storefront.post(ENTRY)
    upload = await storefront.post(ENTRY, files={"ticket": ("t", b"x")})
    assert set(refused.values()) == {(401, False)}, refused
    assert missing.status_code == 401
    assert upload.status_code in {400, 401}
    assert (await storefront.get("/admin")).status_code == 401


async def test_a_browser_with_a_spoilt_ticket_sees_a_page(storefront: httpx.AsyncClient) -> None:
    answer = await enter(storefront, "nonsense", Accept="text/html")
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert "Войдите в админку" in answer.text
    assert 'href="http://localhost:8080"' in answer.text


async def test_a_session_opens_no_other_installation(
    running: ModuleClient, admin: httpx.AsyncClient, stranger: FreshInstallation
) -> None:
    cookie = admin.cookies.get("tochka_admin")
    async with running.storefront(stranger) as elsewhere:
        answer = await elsewhere.get("/admin", headers={"Cookie": f"tochka_admin={cookie}"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "self"}, 403),
        ({"Sec-Fetch-Site": "", "Origin": "https://evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "self"}, 201),
        ({}, 201),
    ],
)
async def test_another_site_cannot_act_as_the_admin(
    running: ModuleClient,
    installation: FreshInstallation,
    admin: httpx.AsyncClient,
    headers: dict[str, str],
    status: int,
) -> None:
    cookie = admin.cookies.get("tochka_admin")
    sent = {name: installation.url if value == "self" else value for name, value in headers.items()}
    async with running.storefront(installation) as browser:
        answer = await browser.post(
            "/admin/notes/forged", headers={**sent, "Cookie": f"tochka_admin={cookie}"}
        )
        stored = "forged" in (await browser.get("/notes")).json()
    assert answer.status_code == status
    assert stored is (status == 201)


async def test_a_role_that_does_not_suffice_is_refused(
    running: ModuleClient, installation: FreshInstallation
) -> None:
    async with running.admin(installation, role="staff") as staff:
        answer = await staff.post("/admin/notes/mine")
        stored = (await staff.get("/notes")).json()
    assert (answer.status_code, answer.json()["code"]) == (403, "admin.role_insufficient")
    assert "mine" not in stored


async def test_signing_out_ends_the_session_everywhere(
    running: ModuleClient, installation: FreshInstallation, admin: httpx.AsyncClient
) -> None:
    cookie = admin.cookies.get("tochka_admin")
    forged = await admin.post(ENTRY, data={"end": "1"}, headers={"Sec-Fetch-Site": "cross-site"})
    still = await admin.get("/admin")
    ended = await admin.post(ENTRY, data={"end": "1"})
    async with running.storefront(installation) as browser:
        after = await browser.get("/admin", headers={"Cookie": f"tochka_admin={cookie}"})
    assert (forged.status_code, still.status_code) == (403, 200)
    assert (ended.status_code, after.status_code) == (303, 401)


async def test_a_removed_installation_has_no_sessions(
    running: ModuleClient, platform: PlatformDouble, installation: FreshInstallation, admin: httpx.AsyncClient
) -> None:
    await running.remove(installation)
    assert (await admin.get("/admin")).status_code == 404


def _member(user_id: UUID, moment: datetime, installation: FreshInstallation, word: str) -> Envelope:
    role = {
        "member.changed": MemberChanged(user_id=user_id, role="staff"),
        "member.left": MemberLeft(user_id=user_id),
    }
    tenant_id = installation.tenant_id
    return Envelope.of(word, role[word], tenant_id=tenant_id, sequence=2, timestamp=moment)


@pytest.mark.parametrize("word", ["member.changed", "member.left"])
async def test_whose_role_changed_has_to_enter_again(
    running: ModuleClient, platform: PlatformDouble, installation: FreshInstallation, word: str
) -> None:
    gone, stays, moment = uuid7(), uuid7(), clock.now() - timedelta(seconds=5)
    before = int(moment.timestamp()) - 5

    async def status(browser: httpx.AsyncClient) -> int:
        return (await browser.get("/admin")).status_code

    async with running.storefront(installation) as theirs, running.storefront(installation) as others:
        await enter(theirs, platform.ticket(installation, user_id=str(gone), iat=before))
        await enter(others, platform.ticket(installation, user_id=str(stays), iat=before))
        kept = platform.ticket(installation, user_id=str(gone), iat=before)
        assert [await status(theirs), await status(others)] == [200, 200]
        told = await running.deliver(_member(gone, moment, installation, word))
        assert (told.status_code, told.json()["status"]) == (200, "done"), told.text
        assert [await status(theirs), await status(others)] == [401, 200]
        late = await enter(theirs, kept)
        assert (late.status_code, await status(theirs)) == (401, 401)
        await enter(theirs, platform.ticket(installation, user_id=str(gone)))
        assert await status(theirs) == 200


async def test_an_older_change_does_not_let_older_tickets_in_again(
    running: ModuleClient, platform: PlatformDouble, installation: FreshInstallation
) -> None:
    person, moment = uuid7(), clock.now() - timedelta(seconds=5)
    ticket = platform.ticket(installation, user_id=str(person), iat=int(moment.timestamp()) - 5)
    for ago in (0, 60):
        earlier = moment - timedelta(seconds=ago)
        await running.deliver(_member(person, earlier, installation, "member.changed"))
    async with running.storefront(installation) as browser:
        assert (await enter(browser, ticket)).status_code == 401
