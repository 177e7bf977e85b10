"""Updates that come again: repeated by the messenger, or by somebody who has kept one."""

import asyncio

import pytest
from core_kit.bots import Bot, code_in, has_code, new_user
from core_kit.codes import answer
from core_kit.people import unique_phone

pytestmark = pytest.mark.anyio


async def test_a_repeated_update_has_one_effect(called: Bot) -> None:
    phone, user = unique_phone(), new_user()
    _, nonce = await called.ask(phone)
    started = called.messenger.started(user, nonce)
    await asyncio.gather(*(called.hear(started) for _ in range(8)))
    assert len(called.messenger.texts(user)) == 1
    shared = called.messenger.shared(user, phone)
    answers = await asyncio.gather(*(called.hear(shared) for _ in range(8)))
    assert {got.status_code for got in answers if got is not None} == {200}
    code = code_in((await called.said(user, 2))[-1])
    await called.hear(shared)
    await called.hear(started)
    assert code_in((await called.said(user, 2))[-1]) == code


async def test_a_proof_is_good_for_one_code(called: Bot) -> None:
    phone, user = unique_phone(), new_user()
    _, nonce = await called.ask(phone)
    await called.get_code(user, phone, nonce)
    again = [called.messenger.shared(user, phone) for _ in range(4)]
    await asyncio.gather(*(called.hear(update) for update in again))
    assert sum(map(has_code, await called.said(user, 6))) == 1


async def test_a_kept_update_opens_no_later_challenge(called: Bot) -> None:
    """The link and the proof of an earlier sign-in, played again for a new challenge of the phone."""
    phone, user = unique_phone(), new_user()
    first, nonce = await called.ask(phone)
    started, shared = called.messenger.started(user, nonce), called.messenger.shared(user, phone)
    for update in (started, shared):
        await called.hear(update)
    code = code_in((await called.said(user, 2))[-1])
    assert (await answer(called.client, first, code)).status_code == 200
    await called.ask(phone)
    for update in (started, shared):
        await called.hear(update)
    assert len(called.messenger.texts(user)) == 2
