"""Passwords, for those who want one: which are taken, and who shows the right one.

Nothing is hashed inside a transaction: what was read is compared again under a lock by whoever acts on it.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from pydantic import SecretStr
from tochka_sdk import clock
from tochka_sdk.db import Connection, Scope
from tochka_sdk.ids import uuid7

from tochka_core.accounts import service
from tochka_core.accounts.errors import (
    CredentialsWrong,
    PasswordRefused,
    PasswordWrong,
    TooManyPasswords,
)
from tochka_core.accounts.guesses import guesses_of
from tochka_core.accounts.repository import people
from tochka_core.accounts.schemas import MIN_PASSWORD
from tochka_core.accounts.tokens import Person
from tochka_core.audit import public as audit
from tochka_core.audit.public import Actor
from tochka_core.resources import Resources

PRODUCT = (("tochka", "rosta"), ("точка", "роста"))
OWN_SIGNS = 4  # different ones at the least, and as many beside a word of the product's name
TIMES = 3  # a password that is changed at the same moment is looked at anew
KEYS = str.maketrans("йцукенгшщзхъфывапролджэячсмитьбю.", "qwertyuiop[]asdfghjkl;'zxcvbnm,./")


@dataclass(frozen=True, slots=True)
class Shown:
    """A password that was right: against this hash, which a fresh one may have to replace."""

    user_id: UUID
    hash: str
    fresh: str | None


def normalise(password: SecretStr) -> str:
    """The one form of what looks the same on different keyboards (NFKC, as NIST SP 800-63B has it)."""
    return unicodedata.normalize("NFKC", password.get_secret_value())


@cache
def _commonest() -> frozenset[str]:
    """Thirty thousand, of which eleven thousand are long enough to be typed here: those of zxcvbn."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])


def require_good(password: str, phone: str | None) -> None:
    """Refuse what others guess first. No rules of composition: they make passwords worse.

    Raises:
        PasswordRefused: and why.
    """
    plain = password.casefold()
    typed = (plain, plain.translate(KEYS))  # as it is, and typed without leaving the Russian layout
    if len(password) < MIN_PASSWORD or len(set(plain)) < OWN_SIGNS or not _commonest().isdisjoint(typed):
        raise PasswordRefused("password_common", "This password is among those that are guessed first.")
    signs = "".join(sign for sign in plain if sign.isalnum())
    if phone is not None and phone[2:] in signs:
        raise PasswordRefused("password_has_phone", "This password holds your phone number.")
    if any(_names_product(signs, words) for words in PRODUCT):
        raise PasswordRefused("password_has_product", "This password holds the name of this site.")


def _names_product(signs: str, words: tuple[str, ...]) -> bool:
    """Whether the whole name is in there, or a word of it and little else."""
    left = signs
    for word in words:
        left = left.replace(word, "")
    return "".join(words) in signs or (left != signs and len(left) < OWN_SIGNS)


async def show(resources: Resources, phone: str, password: str, address: str | None) -> Shown:
    """Who shows the right password of a phone, unknown ones for the same work.

    Raises:
        CredentialsWrong: nobody.
        TooManyPasswords: too many tried.
        PasswordsBusy: too many at once.
    """
    await _count(resources, phone, address)
    known, dearest = await people.find_claimed(resources.connections, phone)
    user_id = known or uuid7()  # nobody's: the same statements, and nothing found
    async with resources.connections.transaction(Scope(user_id=user_id)) as connection:
        stored = await people.find_password(connection, user_id)
    verdict = await resources.hasher.verify(password, stored, dearest)
    if stored is None or not verdict.is_right:
        raise CredentialsWrong
    await guesses_of(resources, phone).forget()
    return Shown(user_id, stored, verdict.fresh)


async def _count(resources: Resources, of: str, address: str | None) -> None:
    try:
        await guesses_of(resources, of).count()
    except TooManyPasswords as error:
        if error.is_first:
            await _record_refusal(resources, of, address)
        raise


async def _record_refusal(resources: Resources, phone: str, address: str | None) -> None:
    """Write down that somebody guesses."""
    async with resources.connections.system("records that somebody unknown guesses passwords") as connection:
        await audit.record_guesses(connection, "password.refused", phone, by=Actor(address=address))


async def hold(connection: Connection, shown: Shown, phone: str | None) -> bool:
    """Whether what was shown still holds, until the transaction ends; its fresh hash is stored on the way."""
    if await people.lock_user(connection, shown.user_id) != phone:
        return False
    if not await people.hold_password(connection, shown.user_id, shown.hash):
        return False
    if shown.fresh is not None:
        await people.put_password(connection, shown.user_id, shown.fresh)
    return True


async def require_own(
    resources: Resources, person: Person, password: SecretStr, field: str, address: str | None
) -> None:
    """Ask somebody who is signed in for the password.

    Raises:
        PasswordWrong: it is another, or there is none.
        TooManyPasswords: too many tried.
    """
    user_id = person.user_id
    async with resources.connections.transaction(Scope(user_id=user_id)) as connection:
        user = await service.get_user(connection, user_id)
        stored = await people.find_password(connection, user_id)
    of = user.phone or str(user_id)
    await _count(resources, of, address)
    verdict = await resources.hasher.verify(normalise(password), stored)
    if not verdict.is_right:
        raise PasswordWrong(field)
    await guesses_of(resources, of).forget()


async def set_new(resources: Resources, person: Person, password: SecretStr, address: str | None) -> None:
    """Set the password of somebody who has just shown to be who it is; all other sessions end.

    Raises:
        PasswordRefused: one that others guess.
    """
    user_id, new = person.user_id, normalise(password)
    async with resources.connections.transaction(Scope(user_id=user_id)) as connection:
        user = await service.get_user(connection, user_id)
    require_good(new, user.phone)
    hash = await resources.hasher.hash(new)
    async with resources.connections.transaction(Scope(user_id=user_id)) as connection:
        await people.lock_user(connection, user_id)
        await service.require_open_session(connection, user_id, person.session_id)
        await people.put_password(connection, user_id, hash)
        by = person.acting_from(address)
        await service.end_sessions(connection, user_id, by, clock.now(), spared=person.session_id)
        await audit.record(connection, "password.set", by=by)


async def remove(connection: Connection, person: Person, address: str | None) -> None:
    """Remove the password, if there is one; all other sessions end."""
    await people.lock_user(connection, person.user_id)
    if await people.remove_password(connection, person.user_id):
        by = person.acting_from(address)
        await service.end_sessions(connection, person.user_id, by, clock.now(), spared=person.session_id)
        await audit.record(connection, "password.removed", by=by)
