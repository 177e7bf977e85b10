"""What a module serves: the right installation, in its own transaction, and decent answers when it cannot."""

import asyncio

import httpx
import pytest
from tochka_sdk.installations import OutsideInstallation, current_installation
from tochka_sdk.module import Module
from tochka_sdk.settings import ModuleSettings
from tochka_sdk.testing import FreshInstallation, ModuleClient, PlatformDouble, running_module

pytestmark = pytest.mark.anyio
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def test_the_manifest_names_the_address_of_this_process(
    running: ModuleClient, module_settings: ModuleSettings
) -> None:
    answer = await running.core.get("/.well-known/tochka-module.json")
    assert answer.status_code == 200
    assert answer.json()["id"] == "notes"
    assert answer.json()["endpoints"] == {"base_url": module_settings.public_base}


async def test_the_health_check_asks_the_database(running: ModuleClient) -> None:
    answer = await running.core.get("/_tochka/health")
    assert (answer.status_code, answer.json()["checks"]) == (200, {"database": "ok"})
    assert answer.json()["pool"]["size"] >= 1


async def test_buyers_of_one_installation_see_nothing_of_another(
    running: ModuleClient, installation: FreshInstallation, stranger: FreshInstallation
) -> None:
    async with running.storefront(installation) as mine, running.storefront(stranger) as theirs:
        created = await mine.post("/notes/hello")
        seen = [(await browser.get("/notes")).json() for browser in (mine, theirs)]
    assert created.status_code == 201
    assert [("hello" in notes) for notes in seen] == [True, False]


async def test_an_unknown_error_is_an_empty_500_and_nothing_is_stored(storefront: httpx.AsyncClient) -> None:
    answer = await storefront.post("/notes/crash")
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (500, "internal.error", "")
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert "crash" not in (await storefront.get("/notes")).json()


async def test_a_recorded_error_is_told_and_stored(storefront: httpx.AsyncClient) -> None:
    answer = await storefront.post("/notes/counted")
    assert (answer.status_code, answer.json()["code"]) == (422, "notes.counted")
    assert "counted" in (await storefront.get("/notes")).json()


async def test_a_commit_that_fails_is_an_error_and_not_a_success(storefront: httpx.AsyncClient) -> None:
    answer = await storefront.post("/late")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal.error")
    assert "twice" not in (await storefront.get("/notes")).json()


async def test_an_unknown_host_is_a_page_for_browsers_and_a_problem_for_programs(
    running: ModuleClient,
) -> None:
    async with running.storefront(FreshInstallation()) as nobody:
        page = await nobody.get("/", headers={**HTML, "Accept-Language": "en"})
        problem = await nobody.get("/")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing at this address." in page.text
    assert (problem.status_code, problem.json()["code"]) == (404, "installations.unknown")


async def test_a_request_without_a_host_is_refused(running: ModuleClient) -> None:
    answer = await running.core.get("/", headers={"Host": ""})
    assert answer.status_code == 404


async def test_answers_carry_the_security_headers(storefront: httpx.AsyncClient) -> None:
    answer = await storefront.get("/")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_an_unknown_address_of_a_known_host_is_404(storefront: httpx.AsyncClient) -> None:
    answer = await storefront.get("/nothing/here")
    assert (answer.status_code, answer.json()["code"]) == (404, "request.not_found")


def test_no_installation_is_served_outside_of_a_request() -> None:
    with pytest.raises(OutsideInstallation):
        current_installation()


async def test_two_processes_see_each_other_s_changes_at_once(
    running: ModuleClient,
    module_under_test: Module,
    module_settings: ModuleSettings,
    platform: PlatformDouble,
) -> None:
    async with running_module(module_under_test, module_settings, platform) as second:
        await _listening(second)
        fresh = FreshInstallation()
        async with second.storefront(fresh) as browser:
            unknown = await browser.get("/")  # remembered as unknown by the second process
            await running.install(fresh)
            known = await _until(browser, 200)
            await running.remove(fresh)
            gone = await _until(browser, 404)
    assert [answer.status_code for answer in (unknown, known, gone)] == [404, 200, 404]


async def test_while_notifications_cannot_be_heard_nothing_is_answered_from_memory(
    module_under_test: Module, platform: PlatformDouble, module_dsn: str, running: ModuleClient
) -> None:
    settings = platform.settings(module_dsn, pgbouncer=True)
    async with running_module(module_under_test, settings, platform) as deaf:
        fresh = FreshInstallation()
        async with deaf.storefront(fresh) as browser:
            seen = [(await browser.get("/")).status_code]
            await running.install(fresh)
            seen.append((await browser.get("/")).status_code)
            await running.remove(fresh)
            seen.append((await browser.get("/")).status_code)
    assert seen == [404, 200, 404]


async def _listening(client: ModuleClient) -> None:
    """Wait until the process hears notifications, so that it answers from memory at all."""
    async with asyncio.timeout(5):
        await client.runtime.hosts.listener.heard.wait()


async def _until(browser: httpx.AsyncClient, status: int) -> httpx.Response:
    """Ask until the answer has that status: a notification takes a moment to travel."""
    async with asyncio.timeout(5):
        while True:
            answer = await browser.get("/")
            if answer.status_code == status:
                return answer
            await asyncio.sleep(0.005)
