"""When the core is not sure who somebody is: an old proof, a number that may have changed hands."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser import journey
from tests.browser.ageing import age_account, age_proof
from tests.browser.conftest import Visitors
from tests.browser.journey import PASSWORD, press
from tests.browser.running_stack import RunningStack
from tests.browser.visitor import Visitor
from tests.browser.words import PANEL_EN, PANEL_RU, PanelWords

pytestmark = pytest.mark.browser

BUSINESS = "Пекарня у моста"
IS_WHOLE = """button => [button, ...button.querySelectorAll("*")].every(
  part => getComputedStyle(part).overflowX === "visible" || part.scrollWidth <= part.clientWidth)"""
FITS = "document.documentElement.scrollWidth <= innerWidth"


@dataclass(frozen=True)
class Words:
    """What stands on the pages of this file."""

    panel: PanelWords
    set_password: str
    new_password: str
    is_it_you: str
    cancel: str
    refused: str
    saved: str
    whose: str
    its_password: str
    not_it: str
    enter: str
    anew: str
    take: str


RU = Words(
    panel=PANEL_RU,
    set_password="Задать пароль",
    new_password="Новый пароль",
    is_it_you="Подтвердите, что это вы",
    cancel="Отмена",
    refused="Подтвердите, что это вы: кодом или паролем.",
    saved="Пароль сохранён",
    whose="Это ваш аккаунт?",
    its_password="Пароль от этого аккаунта",
    not_it="Это не пароль от этого аккаунта.",
    enter="Войти",
    anew="Начать заново",
    take="Забрать номер у прежнего аккаунта?",
)
EN = Words(
    panel=PANEL_EN,
    set_password="Set a password",
    new_password="New password",
    is_it_you="Confirm that it is you",
    cancel="Cancel",
    refused="Confirm that it is you: with a code, or with your password.",
    saved="Password saved",
    whose="Is this your account?",
    its_password="Password of that account",
    not_it="This is not the password of that account.",
    enter="Sign in",
    anew="Start anew",
    take="Take the number from the old account?",
)
BOTH = pytest.mark.parametrize(
    ("device", "locale", "words"), [("phone", "ru-RU", RU), ("desktop", "en-US", EN)]
)


def arrive(visitors: Visitors, device: str, locale: str) -> Visitor:
    """Somebody with this device, who reads this language."""
    return visitors.phone(device, locale) if device == "phone" else visitors.desktop(device, locale)


def sign_up(owner: Visitor, stack: RunningStack, number: str, words: Words) -> dict[str, str]:
    """An account in the language of these words, the browser signed in; gives the header for its calls."""
    api, call = f"{stack.url}/api/v1", owner.context.request
    asked = call.post(f"{api}/auth/challenges", data={"phone": number, "channel": "max"}).json()
    code = call.get(f"{api}/dev/inbox", params={"phone": number}).json()[0]["code"]
    answer = {"code": code, "tenant_name": BUSINESS, "locale": "en" if words is EN else "ru"}
    grant = call.post(f"{api}/auth/challenges/{asked['challenge_id']}/confirm", data=answer).json()
    return {"Authorization": f"Bearer {grant['access_token']}"}


@BOTH
def test_an_old_proof_is_asked_for_again_and_what_was_wanted_goes_on_by_itself(
    stack: RunningStack, visitors: Visitors, device: str, locale: str, words: Words
) -> None:
    number = journey.fresh_phone()
    owner = arrive(visitors, device, locale)
    sign_up(owner, stack, number, words)
    age_proof(stack, number)
    page = owner.open(f"{stack.url}/account")
    press(page, words.set_password)
    field = page.get_by_label(words.new_password, exact=True)
    field.fill(PASSWORD)
    field.press("Enter")
    question = page.get_by_role("dialog", name=words.is_it_you)
    question.get_by_role("button", name=words.cancel, exact=True).click()
    expect(question).to_have_count(0)
    expect(page.get_by_role("alert")).to_contain_text(words.refused)

    field.press("Enter")
    question.get_by_role("button", name=words.panel.get_code, exact=True).click()
    code = question.get_by_role("textbox", name=words.panel.code)
    expect(code).to_be_focused()
    assert page.evaluate(FITS)
    code.fill(journey.code_from_inbox(owner, words.panel))
    expect(page.get_by_role("status").filter(has_text=words.saved)).to_be_visible()
    expect(question).to_have_count(0)


def come_with_a_number_of_old(
    stack: RunningStack, visitors: Visitors, newcomer: Visitor, number: str, words: Words
) -> Page:
    """A year after its owner was last seen, somebody proves to hold the number: the page with the choices."""
    owner = visitors.desktop("owner")
    bearer = sign_up(owner, stack, number, words)
    password = {"password": PASSWORD}
    done = owner.context.request.put(f"{stack.url}/api/v1/me/password", data=password, headers=bearer)
    assert done.status == 204, done.text()
    age_account(stack, number)
    page = newcomer.open(f"{stack.url}/login")
    journey.ask_for_code(newcomer, number, words.panel)
    journey.type_code(newcomer, journey.code_from_inbox(newcomer, words.panel), words.panel)
    expect(page.get_by_role("heading", level=1)).to_have_text(words.whose)
    assert page.evaluate(FITS)
    return page


@BOTH
def test_an_owner_who_comes_back_after_a_year_opens_the_account_with_its_password(
    stack: RunningStack, visitors: Visitors, device: str, locale: str, words: Words
) -> None:
    newcomer = arrive(visitors, device, locale)
    page = come_with_a_number_of_old(stack, visitors, newcomer, journey.fresh_phone(), words)
    password = page.get_by_label(words.its_password, exact=True)
    password.fill("не тот пароль")
    press(page, words.enter)
    expect(page.get_by_text(words.not_it)).to_be_visible()
    password.fill(PASSWORD)
    press(page, words.enter)
    expect(page.get_by_role("heading", name=words.panel.mine)).to_be_visible()
    expect(page.get_by_text(BUSINESS).first).to_be_attached()  # small screens have no room for it


@BOTH
def test_a_new_holder_of_a_number_begins_anew_and_sees_nothing_of_the_old_account(
    stack: RunningStack, visitors: Visitors, device: str, locale: str, words: Words
) -> None:
    number = journey.fresh_phone()
    newcomer = arrive(visitors, device, locale)
    page = come_with_a_number_of_old(stack, visitors, newcomer, number, words)
    press(page, words.anew)
    warning = page.get_by_role("dialog", name=words.take)
    for button in warning.get_by_role("button").all():
        assert button.evaluate(IS_WHOLE), button.inner_text()
    warning.get_by_role("button", name=words.anew, exact=True).click()
    expect(page.get_by_role("heading", name=words.panel.modules)).to_be_visible()
    page.goto(f"{stack.url}/account")
    expect(page.get_by_test_id("session")).to_have_count(1)
    expect(page.get_by_test_id("own-phone")).to_have_text(journey.shown(number))
    expect(page.get_by_text(BUSINESS)).to_have_count(0)
