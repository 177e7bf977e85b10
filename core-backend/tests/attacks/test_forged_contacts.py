"""Contacts that prove nothing: somebody else's, changed ones, and links that nobody was given."""

from typing import Any

import pytest
from core_kit.bots import Bot, code_in, has_code, new_user, running_bot
from core_kit.codes import StartCore, answer
from core_kit.people import unique_phone
from tochka_core.channels.fakes.max import FakeMax

pytestmark = pytest.mark.anyio


def _forgeries(bot: Bot, user: int, phone: str) -> list[dict[str, Any]]:
    other = new_user()
    if bot.kind == "telegram":
        return [
            bot.messenger.shared(user, phone, user_id=other),
            bot.messenger.shared(user, phone, user_id=None),
        ]
    own = f"BEGIN:VCARD\r\nTEL:{phone[1:]}\r\nEND:VCARD"
    two = own.replace("END", f"TEL:{unique_phone()[1:]}\r\nEND")
    none = "BEGIN:VCARD\r\nFN:TEL 79991234567\r\nEND:VCARD"
    fake = bot.messenger
    assert isinstance(fake, FakeMax)
    signed = fake.hash
    return [
        fake.shared(user, phone, hash="0" * 64),
        fake.shared(user, phone, hash=""),
        fake.shared(user, phone, hash=None),
        fake.shared(user, phone, max_info={"user_id": other}),
        fake.shared(user, phone, max_info=None),
        fake.shared(user, phone, vcf_info=own, hash=signed(own.replace(phone[1:], "79990000000"))),
        fake.shared(user, phone, vcf_info=two, hash=signed(two)),
        fake.shared(user, phone, vcf_info=none, hash=signed(none)),
    ]


async def test_a_forged_contact_gets_no_code_and_does_not_spoil_the_true_one(called: Bot) -> None:
    phone, user = unique_phone(), new_user()
    challenge_id, nonce = await called.ask(phone)
    await called.hear(called.messenger.started(user, nonce))
    forged = _forgeries(called, user, phone)
    for update in forged:
        got = await called.hear(update)
        assert got is not None
        assert got.status_code == 200
    texts = (await called.said(user, 1 + len(forged)))[1:]
    assert [text for text in texts if has_code(text)] == []
    await called.hear(called.messenger.shared(user, phone))
    code = code_in((await called.said(user, 2 + len(forged)))[-1])
    assert (await answer(called.client, challenge_id, code)).status_code == 200


async def test_the_owner_of_another_number_gets_no_code(called: Bot) -> None:
    phone, user = unique_phone(), new_user()
    _, nonce = await called.ask(phone)
    await called.hear(called.messenger.started(user, nonce))
    await called.said(user, 1)
    await called.hear(called.messenger.shared(user, unique_phone()))
    text = (await called.said(user, 2))[-1]
    assert "другой номер" in text
    assert not has_code(text)


async def test_a_contact_without_a_link_gets_no_code(called: Bot) -> None:
    phone, user = unique_phone(), new_user()
    await called.ask(phone)
    await called.hear(called.messenger.shared(user, phone))
    assert "запросите код ещё раз" in (await called.said(user, 1))[0]


@pytest.mark.parametrize("nonce", ["A" * 22, "x", "../../etc", "*", "handshake:*", "а" * 40, None])
async def test_a_link_that_nobody_was_given_leads_nowhere(called: Bot, nonce: str | None) -> None:
    user, phone = new_user(), unique_phone()
    await called.hear(called.messenger.started(user, nonce))
    await called.hear(called.messenger.shared(user, phone))
    assert [text for text in await called.said(user, 2) if has_code(text)] == []


async def test_a_link_of_one_messenger_means_nothing_to_the_other(start_core: StartCore) -> None:
    async with (
        running_bot(start_core, "max", "webhook") as asked,
        running_bot(start_core, "telegram", "webhook") as other,
    ):
        phone, user = unique_phone(), new_user()
        _, nonce = await asked.ask(phone)
        await other.hear(other.messenger.started(user, nonce))
        await other.hear(other.messenger.shared(user, phone))
        assert not any(has_code(text) for text in await other.said(user, 2))


async def test_a_stolen_link_gets_the_thief_no_code(called: Bot) -> None:
    """Whoever opens the victim's link has to prove the victim's number, and the victim still can."""
    phone, thief, victim = unique_phone(), new_user(), new_user()
    challenge_id, nonce = await called.ask(phone)
    await called.hear(called.messenger.started(thief, nonce))
    await called.hear(called.messenger.shared(thief, unique_phone()))
    assert not any(has_code(text) for text in await called.said(thief, 2))
    code = await called.get_code(victim, phone, nonce)
    assert (await answer(called.client, challenge_id, code)).status_code == 200


async def test_a_contact_forwarded_from_the_victim_proves_nothing(called: Bot) -> None:
    """A genuine card of somebody else, passed on: it names an account that is not its sender's."""
    phone, thief, victim = unique_phone(), new_user(), new_user()
    _, nonce = await called.ask(phone)
    await called.hear(called.messenger.started(thief, nonce))
    named = {"user_id": victim}
    genuine: dict[str, Any] = {"max_info": named} if called.kind == "max" else named
    await called.hear(called.messenger.shared(thief, phone, **genuine))
    assert not any(has_code(text) for text in await called.said(thief, 2))
    assert called.messenger.texts(victim) == []
