"""Step-up: somebody who is signed in is asked again, and gets a fresh access token of the same session."""

from datetime import timedelta

from tochka_sdk import clock
from tochka_sdk.db import Scope
from tochka_sdk.ids import uuid7

from tochka_core.accounts import challenges, handshakes, passwords, service, tokens
from tochka_core.accounts.browsers import Caller
from tochka_core.accounts.challenges import Asked
from tochka_core.accounts.codes import Challenge
from tochka_core.accounts.errors import (
    ChallengeUnknown,
    NotSignedIn,
    PhoneMissing,
    ReauthenticationNeeded,
)
from tochka_core.accounts.repository import people, sessions
from tochka_core.accounts.schemas import Method, Reauthenticated, Reauthentication
from tochka_core.accounts.tokens import Person
from tochka_core.audit import public as audit
from tochka_core.channels.schemas import ChannelKind
from tochka_core.resources import Resources


def require_recent(resources: Resources, person: Person) -> None:
    """Refuse somebody who was last asked for a code or a password too long ago.

    Raises:
        ReauthenticationNeeded: it was.
    """
    seconds = resources.quotas.recent_seconds
    if clock.now() - person.auth_time > timedelta(seconds=seconds):
        raise ReauthenticationNeeded(seconds)


async def ask(resources: Resources, person: Person, channel: ChannelKind, key: str | None) -> Asked:
    """Send a code to the person's own phone."""
    async with resources.connections.transaction(Scope(user_id=person.user_id)) as connection:
        phone = (await service.get_user(connection, person.user_id)).phone
    if phone is None:
        raise PhoneMissing
    challenge = Challenge(
        uuid7(), phone, channel, "body", purpose="reauthentication", subject=str(person.user_id)
    )
    return await challenges.ask(resources, challenge, key=key)


async def answer(
    resources: Resources, person: Person, given: Reauthentication, caller: Caller
) -> Reauthenticated:
    """A fresh access token for whoever brings the code or the password; the session goes on."""
    method: Method = "pwd"
    proven: Challenge | None = None
    if given.password is not None:
        await passwords.require_own(resources, person, given.password, "password", caller.address)
    elif given.challenge_id is not None and given.code is not None:
        method = "otp"
        proven = await challenges.consume_code(
            resources,
            given.challenge_id,
            given.code,
            caller,
            purpose="reauthentication",
            subject=person.user_id,
        )
    return await _note(resources, person, proven, method, caller)


async def _note(
    resources: Resources, person: Person, proven: Challenge | None, method: Method, caller: Caller
) -> Reauthenticated:
    """Note it with the session. An open session and a code together also vouch for the account of the
    messenger that got the code, so that this is how somebody with a new one becomes known again.
    """
    moment = clock.now()
    account = None if proven is None else handshakes.messenger_account(proven)
    async with resources.connections.transaction(Scope(user_id=person.user_id)) as connection:
        phone = await people.lock_user(connection, person.user_id)
        if proven is not None and phone != proven.phone:
            raise ChallengeUnknown
        if not await sessions.reauthenticate(connection, person.user_id, person.session_id, moment, method):
            raise NotSignedIn("The session has ended.")
        if proven is not None and account is not None:
            await people.link(connection, person.user_id, proven.channel, account)
        by = person.acting_from(caller.address)
        await audit.record(connection, "person.reauthenticated", by=by, data={"method": method})
    fresh = Person(person.user_id, person.session_id, person.tenant_id, moment, method)
    return Reauthenticated(
        access_token=tokens.issue(resources, fresh),
        expires_in=int(tokens.LIFETIME.total_seconds()),
        recent_until=moment + timedelta(seconds=resources.quotas.recent_seconds),
    )
