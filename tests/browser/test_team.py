"""A team: somebody is invited, joins, is handed the business, and the audit log tells of it."""

import pytest
from playwright.sync_api import expect

from tests.browser import journey
from tests.browser.conftest import Visitors
from tests.browser.running_stack import RunningStack

pytestmark = pytest.mark.browser


def test_a_business_goes_from_its_owner_to_an_invited_member(stack: RunningStack, visitors: Visitors) -> None:
    owner, heir = visitors.phone("owner"), visitors.desktop("heir")
    heirs_number = journey.fresh_phone()
    journey.register(owner, stack, journey.fresh_phone(), "Пекарня")
    page = owner.open(f"{stack.url}/team")
    page.get_by_role("textbox", name="Номер телефона").fill(heirs_number)
    page.get_by_role("combobox", name="Роль").select_option("admin")
    page.get_by_role("button", name="Пригласить", exact=True).click()
    expect(page.get_by_test_id("invitation")).to_have_count(1)

    journey.register(heir, stack, heirs_number, "Своё дело")
    theirs = heir.open(f"{stack.url}/dashboard")
    theirs.get_by_role("button", name="Принять").click()
    expect(theirs.get_by_test_id("invitation-to-me")).to_have_count(0)

    page.reload()
    expect(page.get_by_test_id("member")).to_have_count(2)
    page.get_by_role("button", name="Действия:").last.click()
    page.get_by_role("menuitem", name="Передать бизнес").click()
    page.get_by_role("button", name="Передать", exact=True).click()
    expect(page.get_by_test_id("handover")).to_contain_text("ждёт нового владельца")

    theirs.goto(f"{stack.url}/team")
    theirs.get_by_role("button", name="Стать владельцем").click()
    expect(theirs.get_by_test_id("handover")).to_have_count(0)
    expect(theirs.locator("[data-role=owner]")).to_contain_text("(вы)")

    page.goto(f"{stack.url}/audit")
    deeds = page.get_by_test_id("audit-entry")
    expect(deeds.first).to_contain_text("Передача бизнеса принята")
    for said in ("Предложена передача бизнеса", "Приглашение принято", "роль: администратор"):
        expect(deeds.filter(has_text=said).first).to_be_visible()
