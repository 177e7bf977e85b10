"""Whether the one who holds a phone now is the one who held it: numbers are given to somebody else in time.

Known again is whoever uses the same account of a messenger as before; where none was used, whoever was here
lately. Who is not, opens nothing: another proof is asked for, or the number is taken from the old account and
begins anew. Why, and what is left open: docs/adr.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg
from tochka_sdk import clock
from tochka_sdk.db import Connection, Scope, violates

from tochka_core.accounts import challenges, handshakes, service
from tochka_core.accounts.browsers import Caller
from tochka_core.accounts.codes import Challenge
from tochka_core.accounts.errors import AccountUnclear, ChallengeUnknown, ConfirmationNeeded, PhoneTaken
from tochka_core.accounts.repository import people
from tochka_core.accounts.repository import phone_changes as changes
from tochka_core.accounts.schemas import UserRead
from tochka_core.audit import public as audit
from tochka_core.audit.public import Actor
from tochka_core.resources import Resources

KEPT_S = 600  # to answer what is asked


@dataclass(frozen=True, slots=True)
class Proof:
    """A phone that is proven: the challenge, and the account of the messenger that got its code, if known."""

    challenge: Challenge
    account: str | None

    @property
    def phone(self) -> str:
        """The phone."""
        return self.challenge.phone


def prove(challenge: Challenge) -> Proof:
    """What a challenge whose code was right has proven."""
    return Proof(challenge, handshakes.messenger_account(challenge))


async def recognise(
    connection: Connection, resources: Resources, user_id: UUID, proof: Proof, address: str | None
) -> UserRead | None:
    """The person, known again, held; None when the phone is somebody else's since just now.

    Raises:
        ConfirmationNeeded: it may be another person, who holds the number by now.
    """
    kind = proof.challenge.channel
    standing = await people.find_standing(connection, user_id, proof.phone, kind)
    if standing is None:
        return None
    is_same = proof.account is not None and proof.account == standing["chat"]
    by_bot = {name for name in standing["messengers"] if name in resources.channels.bots}
    is_other = bool(by_bot) and not is_same
    unused = clock.now() - standing["used_at"]
    if is_other or (not is_same and unused > timedelta(days=resources.quotas.unused_days)):
        offers = {
            "messenger": bool(by_bot - {kind}),
            "password": standing["has_password"],
            # a code there makes an account of a messenger known: of no use where there is none
            "session": standing["is_signed_in"] and (proof.account is not None or not is_other),
            "anew": True,
        }
        by = Actor(user_id, address=address)
        await audit.record(
            connection, "person.not_recognised", by=by, data={"channel": kind, "account_differs": is_other}
        )
        raise ConfirmationNeeded([way for way, is_offered in offers.items() if is_offered])
    if not is_same:
        await link(connection, user_id, proof)
    return UserRead(
        id=user_id,
        phone=proof.phone,
        name=standing["name"],
        locale=standing["locale"],
        created_at=standing["created_at"],
    )


async def link(connection: Connection, user_id: UUID, proof: Proof) -> None:
    """Know the person again by this account of the messenger from now on."""
    if proof.account is not None:
        await people.link(connection, user_id, proof.challenge.channel, proof.account)


async def keep(resources: Resources, challenge: Challenge, user_id: UUID) -> None:
    """Remember for a while that the phone is proven, and whose account is in question."""
    await resources.redis.set(_key(challenge.id), str(user_id), ex=KEPT_S)


async def kept(resources: Resources, challenge_id: UUID, caller: Caller) -> tuple[Challenge, UUID]:
    """The proven challenge and whose account is in question, for the same browser.

    Raises:
        ChallengeUnknown: nothing is in question, or not any more.
    """
    challenge = await challenges.get_challenge(resources, challenge_id, caller.browser)
    found = await resources.redis.get(_key(challenge_id))
    if found is None:
        raise ChallengeUnknown
    return challenge, UUID(str(found))


def _key(challenge_id: UUID) -> str:
    return f"in-question:{challenge_id}"


async def release(connection: Connection, user_id: UUID, challenge: Challenge, address: str | None) -> None:
    """Take the phone from the old account, for one who has proven to hold it and says that it is not theirs.

    What the account holds stays, and so does whoever is still signed in, and a change of phone that was on
    its way. An operator can give it a phone again: `tochka accounts recover`.
    """
    await _release(connection, user_id, challenge.phone, Actor(user_id, address=address))


async def _release(connection: Connection, user_id: UUID, phone: str, by: Actor) -> None:
    if not await people.release_phone(connection, user_id, phone):
        return  # it was somebody else's by then, or nobody's
    await people.unlink(connection, user_id)
    await audit.record(connection, "phone.released", by=by, data={"phone": phone})


async def give_back(resources: Resources, was: str, phone: str, wanted: UUID | None, *, take: bool) -> UUID:
    """Let somebody in again whom an operator knows: the account that `was` opened signs in with `phone`.

    All its sessions end, and what it knew of messengers is forgotten. `take` takes the phone from whoever
    holds it by now; that account goes without one.

    Raises:
        AccountUnclear: no account, or several, and none of them is `wanted`.
        PhoneTaken: the phone is another account's.
    """
    async with resources.connections.system("looks for an account by its number, for an operator") as door:
        holders = {number: await people.find_user_id(door, number) for number in (was, phone)}
        former = await people.list_former(door, was)
    found = set(former or filter(None, [holders[was]]))  # whoever has it by now is not meant
    chosen = found & {wanted} if wanted is not None else found
    if len(chosen) != 1:
        raise AccountUnclear(sorted(map(str, found)))
    (user_id,) = chosen
    holder = holders[phone]
    if holder is not None and holder != user_id and take:
        async with resources.connections.transaction(Scope(user_id=holder)) as connection:
            await _release(connection, holder, phone, Actor(holder))
    async with resources.connections.transaction(Scope(user_id=user_id)) as connection:
        await people.lock_user(connection, user_id)
        await give_phone(connection, user_id, phone)
        await changes.close_changes(connection, user_id, clock.now(), "cancelled")
        await service.end_sessions(connection, user_id, Actor(user_id), clock.now(), spared=None)
        await audit.record(connection, "account.recovered", by=Actor(user_id), data={"phone": phone})
    return user_id


async def give_phone(connection: Connection, user_id: UUID, phone: str) -> None:
    """Another phone for a person whose row is held; which accounts of messengers went with the old one is
    forgotten.

    Raises:
        PhoneTaken: it is somebody else's.
    """
    try:
        await people.move_phone(connection, user_id, phone)
    except asyncpg.UniqueViolationError as error:
        if violates(error, "uq_users_phone"):
            raise PhoneTaken from error
        raise
    await people.unlink(connection, user_id)
