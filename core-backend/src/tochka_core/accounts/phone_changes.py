"""Another phone for the same person: proven first, then taken at once or after a while.

The new phone is proven by a code. Whoever proves the old one, too, has it at once; else it takes 72 hours
from when the old phone was told. Whoever is signed in can stop it in that time, and so does whoever ends the
session in which it was asked for. Where nobody can be told, it takes twice as long. A code for one of these
steps is good for nothing else, and for nobody else.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
from tochka_sdk import clock, logs
from tochka_sdk.db import Connection, Scope, savepoint
from tochka_sdk.ids import uuid7

from tochka_core.accounts import budgets, challenges, continuity, phones, service
from tochka_core.accounts.browsers import Caller
from tochka_core.accounts.challenges import Asked
from tochka_core.accounts.codes import Challenge, Purpose
from tochka_core.accounts.errors import (
    CodeUsed,
    PhoneChangeUnknown,
    PhoneMissing,
    PhoneTaken,
    PhoneUnchanged,
    SendingPaused,
)
from tochka_core.accounts.repository import people
from tochka_core.accounts.repository import phone_changes as changes
from tochka_core.accounts.schemas import PhoneChangeCreate, PhoneChangeRead, ProfileRead
from tochka_core.accounts.tokens import Person
from tochka_core.audit import public as audit
from tochka_core.audit.public import Actor
from tochka_core.audit.schemas import Action
from tochka_core.channels.schemas import Accepted, ChannelKind, Message, Outcome, Rejected, Uncertain
from tochka_core.resources import Resources

NOTICE_LEASE = timedelta(hours=1)  # after which it is told again: somebody died, or nobody took it
_log = logs.get_logger(__name__)


async def ask(resources: Resources, person: Person, wanted: PhoneChangeCreate, key: str | None) -> Asked:
    """Send a code to the new phone. Whether it is somebody's already is not looked at."""
    phone = phones.normalise(wanted.phone)
    async with resources.connections.transaction(Scope(user_id=person.user_id)) as connection:
        if (await service.get_user(connection, person.user_id)).phone == phone:
            raise PhoneUnchanged
    challenge = _challenge(phone, wanted.channel, "phone-change", person.user_id)
    return await challenges.ask(resources, challenge, key=key)


def _challenge(phone: str, channel: ChannelKind, purpose: Purpose, subject: UUID) -> Challenge:
    return Challenge(uuid7(), phone, channel, "body", purpose=purpose, subject=str(subject))


async def prove_new(
    resources: Resources, person: Person, change_id: UUID, code: str, caller: Caller
) -> PhoneChangeRead:
    """Note the way to the new phone, in the place of any other; the worker tells the old one of it.

    Raises:
        PhoneTaken: it is another account's.
    """
    known = await challenges.consume_code(
        resources, change_id, code, caller, purpose="phone-change", subject=person.user_id
    )
    moment = clock.now()
    due_at = moment + timedelta(hours=resources.quotas.phone_hold_hours)
    async with resources.connections.transaction(Scope(user_id=person.user_id)) as connection:
        old = await people.lock_user(connection, person.user_id)
        await service.require_open_session(connection, person.user_id, person.session_id)
        if await people.find_user_id(connection, known.phone) is not None:
            raise PhoneTaken
        await changes.close_changes(connection, person.user_id, moment, "replaced")
        try:
            await changes.add_change(
                connection,
                person.user_id,
                change_id,
                phone=known.phone,
                asked_in=person.session_id,
                moment=moment,
                due_at=due_at,
                notice_at=None if old is None else moment,
            )
        except asyncpg.UniqueViolationError as error:
            raise CodeUsed from error
        by = person.acting_from(caller.address)
        await _record(connection, "phone.change_requested", by, change_id, old, known.phone)
    return PhoneChangeRead(id=change_id, phone=known.phone, requested_at=moment, due_at=due_at)


async def ask_old(
    resources: Resources, person: Person, change_id: UUID, channel: ChannelKind, key: str | None
) -> Asked:
    """Send a code to the old phone, for whoever still has it and does not want to wait."""
    async with resources.connections.transaction(Scope(user_id=person.user_id)) as connection:
        if await changes.find_change(connection, person.user_id, change_id) is None:
            raise PhoneChangeUnknown
        phone = (await service.get_user(connection, person.user_id)).phone
    if phone is None:
        raise PhoneMissing
    return await challenges.ask(resources, _challenge(phone, channel, "old-phone", change_id), key=key)


async def prove_old(
    resources: Resources, person: Person, change_id: UUID, challenge_id: UUID, code: str, caller: Caller
) -> ProfileRead:
    """Change the phone at once.

    Raises:
        PhoneChangeUnknown: it was stopped or carried out meanwhile.
        PhoneTaken: somebody else has signed up with the new phone.
    """
    async with resources.connections.transaction(Scope(user_id=person.user_id)) as connection:
        if await changes.find_change(connection, person.user_id, change_id) is None:
            raise PhoneChangeUnknown  # before a code is used up that was sent to somebody else
    known = await challenges.consume_code(
        resources, challenge_id, code, caller, purpose="old-phone", subject=change_id
    )
    async with resources.connections.transaction(Scope(user_id=person.user_id)) as connection:
        old = await people.lock_user(connection, person.user_id)
        await service.require_open_session(connection, person.user_id, person.session_id)
        if old != known.phone:
            raise PhoneChangeUnknown
        by = person.acting_from(caller.address)
        await _carry_out(connection, person.user_id, change_id, old, by, spared=person.session_id)
        return await service.profile(connection, person.user_id, person.session_id)


async def cancel(connection: Connection, person: Person, change_id: UUID, address: str | None) -> None:
    """Stop a pending change: anybody who is signed in as this person may."""
    old = await people.lock_user(connection, person.user_id)
    closed = await changes.close_change(connection, person.user_id, change_id, clock.now(), "cancelled")
    if closed is None:
        raise PhoneChangeUnknown
    by = person.acting_from(address)
    await _record(connection, "phone.change_cancelled", by, change_id, old, closed["phone"])


async def carry_out_due(resources: Resources) -> None:
    """Carry out changes whose time has come (jobs role)."""
    async with resources.connections.system("looks which changes of phones are due") as connection:
        due = await changes.list_due_changes(connection, clock.now(), _hold(resources))
    for row in due:
        await _carry_out_one(resources, row["user_id"], row["id"])


async def _carry_out_one(resources: Resources, user_id: UUID, change_id: UUID) -> None:
    """One change; nothing when another worker was first, or it was stopped in this moment."""
    by = Actor(user_id)
    async with resources.connections.transaction(Scope(user_id=user_id)) as connection:
        old = await people.lock_user(connection, user_id)
        change = await changes.find_change(connection, user_id, change_id)
        if change is None or change["due_at"] > clock.now():  # stopped, or put off since somebody was told
            return
        try:
            async with savepoint(connection):
                await _carry_out(connection, user_id, change_id, old, by, spared=change["asked_in"])
        except PhoneTaken:
            await changes.close_change(connection, user_id, change_id, clock.now(), "refused")
            await _record(connection, "phone.change_refused", by, change_id, old, change["phone"])


async def _carry_out(
    connection: Connection, user_id: UUID, change_id: UUID, old: str | None, by: Actor, *, spared: UUID
) -> None:
    """Change the phone of a person whose row is held. Sessions other than the one that asked for it end, and
    which accounts of messengers went with the old phone is forgotten.
    """
    moment = clock.now()
    closed = await changes.close_change(connection, user_id, change_id, moment, "done")
    if closed is None:
        raise PhoneChangeUnknown
    await continuity.give_phone(connection, user_id, closed["phone"])
    await service.end_sessions(connection, user_id, by, moment, spared=spared)
    await _record(connection, "phone.changed", by, change_id, old, closed["phone"])


async def _record(
    connection: Connection, action: Action, by: Actor, change_id: UUID, old: str | None, new: str
) -> None:
    phones_of = {"old_phone": old, "new_phone": new}
    await audit.record(connection, action, by=by, subject_id=change_id, data=phones_of)


NOTICES = {
    "ru": "Точка Роста: через {hours} ч номером для входа станет {phone}. Если это не вы, войдите сейчас и "
    "отмените: {url}",
    "en": "Tochka Rosta: in {hours} h {phone} will be the number to sign in with. If it is not you, sign in "
    "now and stop it: {url}",
}


async def tell_old_phones(resources: Resources) -> None:
    """Tell of changes that are pending, again and again while nothing reaches the old phone (jobs role)."""
    async with resources.connections.system("looks which changes of phones to tell of") as connection:
        claimed = await changes.claim_notices(connection, clock.now(), NOTICE_LEASE)
    for row in claimed:
        try:
            await _tell_of(resources, row["user_id"], row["id"], row["phone"])
        except Exception as error:  # the others are told all the same, and this one later
            _log.error("accounts.notice_failed", user_id=str(row["user_id"]), exc_info=error)


async def _tell_of(resources: Resources, user_id: UUID, change_id: UUID, new: str) -> None:
    holds = _holds(await _tell(resources, user_id, new))
    if holds:
        due_at = clock.now() + holds * _hold(resources)
        async with resources.connections.system("notes that somebody was told") as connection:
            await changes.note_told(connection, user_id, change_id, due_at)


def _hold(resources: Resources) -> timedelta:
    return timedelta(hours=resources.quotas.phone_hold_hours)


def _holds(outcomes: Sequence[Outcome] | None) -> int:
    """How many times the hold is to wait from now on; 0 when it is to be told again.

    A message whose fate is unknown is not sent again, and the change waits as if nobody had been told.
    """
    if outcomes is None or any(isinstance(outcome, Accepted) for outcome in outcomes):
        return 1
    return 2 if any(isinstance(outcome, Uncertain) for outcome in outcomes) else 0


async def _tell(resources: Resources, user_id: UUID, new: str) -> Sequence[Outcome] | None:
    """Write to the accounts of messengers that are known, or else push a message to the phone, if a channel
    carries any but codes; what became of it. The panel shows it in any case. None: there is nobody to tell,
    somebody else has the phone by now.
    """
    async with resources.connections.transaction(Scope(user_id=user_id)) as connection:
        user = await service.get_user(connection, user_id)
        links = await people.list_links(connection, user_id)
    told = {"hours": resources.quotas.phone_hold_hours, "phone": logs.mask_phone(new)}
    text = NOTICES[user.locale].format(**told, url=resources.addresses.public_url)
    outcomes = [
        await resources.channels.bots[link["kind"]].say(link["chat"], text)
        for link in links
        if link["kind"] in resources.channels.bots
    ]
    if user.phone is None and not outcomes:
        return None
    if user.phone is not None and not any(isinstance(outcome, Accepted) for outcome in outcomes):
        outcomes += await _push(resources, user.phone, text)
    if not any(isinstance(outcome, Accepted) for outcome in outcomes):
        _log.warning("accounts.notice_not_accepted", user_id=str(user_id), outcomes=list(map(repr, outcomes)))
    return outcomes


async def _push(resources: Resources, phone: str, text: str) -> list[Outcome]:
    """Send it by one channel after the other until one does not refuse; by none twice, whatever it carries
    the codes of, and by none that carries nothing else.
    """
    outcomes: list[Outcome] = []
    asked = {"messenger"}
    for kind, push in resources.channels.pushes.items():
        if push.carrier in asked:
            continue
        try:
            async with budgets.spending(resources.redis, resources.quotas, kind, phone):
                outcomes.append(await push.send(Message(str(uuid7()), phone, "", text)))
        except SendingPaused as refusal:
            outcomes.append(Rejected(refusal.code))
            continue
        asked.add(push.carrier)
        if not isinstance(outcomes[-1], Rejected):
            break
    return outcomes
