"""What an event does: once, in one transaction with the note that it was there, whatever its order and
repetition.

1. A number at or below the stream's watermark is a repetition, for ever. Above it the event is noted first,
   by a unique insert: a concurrent delivery of the same event waits there, and then finds it done.
2. The SDK's own state follows: installation, hosts, license. State never goes backwards: licenses by version,
   hosts and names by sequence, a removed installation never comes back.
3. The module's handler runs, if the event changed anything for a served installation.
4. The event is counted in: the stream's row is held from here to the end of the transaction, no longer.

An exception rolls all of it back and the core delivers again, unless it is a final no (409, 422): that is
noted. Rows are locked in one order (installations by their ids, the module's own, the stream), so that nobody
waits in a circle. See docs/adr/0015.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal, NamedTuple, cast
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from tochka_sdk import events, logs
from tochka_sdk.core_client import CoreClient, CoreRefused
from tochka_sdk.db import Database, Scope, narrow
from tochka_sdk.errors import Conflict, Malformed, Unavailable
from tochka_sdk.events import TENANT_WIDE, Envelope
from tochka_sdk.handlers import Accepted, Event, Handlers
from tochka_sdk.hosts import HostMap, installation_of, normal_host
from tochka_sdk.installations import serving
from tochka_sdk.keys import PlatformKeys
from tochka_sdk.license import License, LicenseInvalid
from tochka_sdk.receiving import MisdirectedEvent
from tochka_sdk.repository import SERVED, AdminStore, EventLog, Feed, InstallationStore, Proof, Streams
from tochka_sdk.tokens import TokenInvalid, UnknownKey

GAP_PATIENCE = timedelta(seconds=15)
_log = logs.get_logger(__name__)


class InstallationGone(Conflict):
    """409: this installation was removed and does not come back."""

    code = "installations.removed"


class EventLicenseInvalid(Malformed):
    """422: the license in the event is not one for this installation."""

    code = "events.license_invalid"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event: the status to answer, and a word for people.

    `duplicate`: had its effect before. `stale`: later news were there already. `ignored`: nothing to do for
    it.
    """

    status: int
    word: Literal["done", "accepted", "duplicate", "stale", "ignored"]


class _Granted(NamedTuple):
    """A license for the installation that an event is about, and the token that says so."""

    token: str
    license: License


class Intake:
    """Turns verified events into effects. See the module's docstring for the order of things."""

    def __init__(
        self,
        *,
        module_id: str,
        database: Database,
        core: CoreClient,
        keys: PlatformKeys,
        hosts: HostMap,
        handlers: Handlers,
    ) -> None:
        self._module_id = module_id
        self._database = database
        self._core = core
        self._keys = keys
        self._hosts = hosts
        self._handlers = handlers

    async def process(self, envelope: Envelope) -> Outcome:
        """Let the event have its effect, unless it had it before.

        Raises:
            tochka_sdk.errors.DomainError: what the core is to be told; nothing was stored.
        """
        if envelope.receiver is not None and envelope.receiver != self._module_id:
            raise MisdirectedEvent("The event is meant for another receiver.")
        if envelope.sequence == 0:
            raise events.EventInvalid("The event has no number.")
        body = events.parse_data(envelope)
        if body is not None and envelope.type not in TENANT_WIDE and envelope.installation_id is None:
            raise events.EventInvalid("The event names no installation.")
        try:
            outcome = await self._apply(envelope, body)
        except (Conflict, Malformed) as error:
            await self._note_refusal(envelope, error.status)
            raise
        if outcome.word != "duplicate":
            self._hosts.forget(None if envelope.type in TENANT_WIDE else envelope.installation_id)
        return outcome

    async def _apply(self, envelope: Envelope, body: BaseModel | None) -> Outcome:
        try:  # before the transaction: it may ask the network
            granted = await self._license_of(envelope, body)
        except (EventLicenseInvalid, Unavailable):
            # the key of an old event may be gone: that does not make a repetition another event
            answered = await self._answered_before(envelope)
            if answered is None:
                raise
            return answered
        async with self._database.session(_scope(envelope)) as session:
            log = EventLog(session)
            if not await log.add(envelope):
                repeated = await self._repeated(session, envelope)
                if repeated is not None:
                    return repeated
            outcome = await _Effect(self, session, envelope, body, granted).run()
            if outcome.status != 200:
                await log.set_answer(envelope.id, outcome.status)
            await self._count(session, envelope, body)
            return outcome

    async def _answered_before(self, envelope: Envelope) -> Outcome | None:
        """What an event was answered that was there before, without a look at what it says."""
        async with self._database.session(_scope(envelope)) as session:
            for note in await EventLog(session).list_notes(envelope):
                if note.event_id == envelope.id:
                    return Outcome(note.answer, "duplicate")
            proof = await Streams(session).proof(envelope.tenant_id)
        return Outcome(200, "duplicate") if envelope.sequence <= proof.watermark else None

    async def _repeated(self, session: AsyncSession, envelope: Envelope) -> Outcome | None:
        """What an event was answered that was there before; None when it was not, and is noted now.

        The platform is trusted in what it signs. An id under another number is the same event, counted
        once more. Another id under a number that is noted, or that was given out before anything that the
        stream has heard of happened, is another event: the platform was restored from a backup, and the
        stream counts on from there.
        """
        log, streams = EventLog(session), Streams(session)
        notes = await log.list_notes(envelope)
        facts = {"tenant_id": str(envelope.tenant_id), "sequence": envelope.sequence, "event_id": envelope.id}
        own = next((note for note in notes if note.event_id == envelope.id), None)
        if own is not None:
            if own.sequence != envelope.sequence:
                _log.warning("events.renumbered", before=own.sequence, **facts)
                await streams.advance(envelope, wait=GAP_PATIENCE)
            return Outcome(own.answer, "duplicate")
        if not notes and envelope.timestamp <= await streams.newest_at(envelope.tenant_id):
            return Outcome(200, "duplicate")
        await log.drop_older(envelope)
        if not await log.add_anew(envelope):
            return Outcome(200, "duplicate")
        await streams.set_back(envelope)
        _log.error("events.numbered_anew", **facts)
        await Feed(session, self._module_id).rewind()
        return None

    async def _note_refusal(self, envelope: Envelope, status: int) -> None:
        """Remember a final no by itself, its effect undone: the sequence goes on, and a repetition gets the
        same.
        """
        async with self._database.session(_scope(envelope)) as session:
            log = EventLog(session)
            if await log.add(envelope):
                await log.set_answer(envelope.id, status)
                await self._count(session, envelope, None)

    async def _count(self, session: AsyncSession, envelope: Envelope, body: BaseModel | None) -> None:
        """Count the event in, and say what that tells of the others."""
        digest = body if isinstance(body, events.Digest) else None
        name = body.name if isinstance(body, events.TenantUpdated) else None
        if isinstance(body, events.InstallationRequested):
            name = body.tenant_name
        streams = Streams(session)
        proof, is_proved = await streams.advance(envelope, wait=GAP_PATIENCE, digest=digest, name=name)
        _report(envelope, proof, is_proved=is_proved)

    @property
    def handlers(self) -> Handlers:
        """The module's handlers by event type."""
        return self._handlers

    @property
    def module_id(self) -> str:
        """Which module this is."""
        return self._module_id

    async def _license_of(self, envelope: Envelope, body: BaseModel | None) -> _Granted | None:
        if not isinstance(body, events.InstallationRequested | events.LicenseUpdated):
            return None
        try:
            found = await self._keys.read_license(body.license)
        except UnknownKey:
            return await self._license_of_today(envelope)
        except LicenseInvalid:
            raise EventLicenseInvalid("The license in the event is not valid for this module.") from None
        if not _is_for(found, envelope):
            raise EventLicenseInvalid("The license in the event is for another installation.")
        return _Granted(body.license, found)

    async def _license_of_today(self, envelope: Envelope) -> _Granted:
        """In place of a license whose key is published no more: the event is genuine all the same, and older
        than what the core says now.
        """
        try:
            token = await self._core.license(cast("UUID", envelope.installation_id))
            found = await self._keys.read_license(token)
        except (CoreRefused, TokenInvalid):
            found = None
        if found is None or not _is_for(found, envelope):  # not the event's fault, so no final no to it
            raise Unavailable("The platform has no license for this installation at the moment.")
        return _Granted(token, found)


def _report(envelope: Envelope, proof: Proof, *, is_proved: bool) -> None:
    facts = {"tenant_id": str(envelope.tenant_id), "watermark": proof.watermark}
    if proof.missing:
        _log.info("events.gap_seen", sequence=envelope.sequence, **facts)
    if is_proved and proof.proved_until is not None:
        _log.info("events.proved", proved_until=proof.proved_until.isoformat(), lost=proof.lost, **facts)


def _is_for(license: License, envelope: Envelope) -> bool:
    return (license.sub, license.tenant_id) == (envelope.installation_id, envelope.tenant_id)


def _scope(envelope: Envelope) -> Scope:
    return Scope(tenant_id=envelope.tenant_id, installation_id=envelope.installation_id)


class _Effect:
    """One event within its transaction."""

    def __init__(
        self,
        intake: Intake,
        session: AsyncSession,
        envelope: Envelope,
        body: BaseModel | None,
        granted: _Granted | None,
    ) -> None:
        self._intake = intake
        self._session = session
        self._envelope = envelope
        self._body = body
        self._granted = granted
        self._store = InstallationStore(session)
        self._name: str | None = None

    async def run(self) -> Outcome:
        """The SDK's own state, then the module's handler."""
        if self._body is None:
            return Outcome(200, "ignored")
        if self._envelope.installation_id is None or self._envelope.type in TENANT_WIDE:
            return await self._tenant_wide()
        return await self._about(self._envelope.installation_id)

    async def _tenant_wide(self) -> Outcome:
        tenant_id, handles = self._envelope.tenant_id, self._envelope.type in self._intake.handlers
        rows = await self._store.list_of_tenant(tenant_id, lock=handles)
        if isinstance(self._body, events.TenantUpdated) and not await self._name_is_news(self._body.name):
            return Outcome(200, "stale")
        if isinstance(self._body, events.MemberChanged | events.MemberLeft):
            store = AdminStore(self._session)
            await store.shut_out(tenant_id, self._body.user_id, self._envelope.timestamp)
        for row in rows:
            await narrow(self._session, Scope(installation_id=row.installation_id))
            await self._handle(row)
            if isinstance(self._body, events.TenantUpdated):
                await self._store.notify(row.installation_id)
        return Outcome(200, "done")

    async def _name_is_news(self, told: str) -> bool:
        """Whether no later event named the tenant; from here on its name is the newest one, also before it
        is stored at the end of the transaction.
        """
        known, sequence = await EventLog(self._session).known_name(self._envelope.tenant_id)
        is_news = sequence < self._envelope.sequence
        self._name = told if is_news else known
        return is_news

    async def _about(self, installation_id: UUID) -> Outcome:
        row = await self._store.announce(installation_id, self._envelope.tenant_id)
        if row.tenant_id != self._envelope.tenant_id:
            raise MisdirectedEvent("The installation belongs to another tenant.")
        match self._body:
            case events.InstallationRequested():
                outcome = await self._requested(row, self._body)
            case events.InstallationRemoved():
                outcome = await self._removed(row)
            case _:
                outcome = await self._news(row)
        await self._store.notify(installation_id)
        return outcome

    async def _requested(self, row: Any, body: events.InstallationRequested) -> Outcome:
        if body.module != self._intake.module_id:
            raise MisdirectedEvent("The event is meant for another module.")
        if row.status == "removed":
            raise InstallationGone("This installation was removed.")
        if row.status != "announced":
            return Outcome(200 if row.status != "provisioning" else 202, "duplicate")
        envelope, host = self._envelope, normal_host(body.host)
        await self._name_is_news(body.tenant_name)
        await self._store.change(
            row.installation_id,
            status="live",
            host=row.host or host,
            url=row.url or body.url,
            locale=body.locale,
            plan=body.plan,
        )
        primary = row.host is None
        await self._store.add_host(row, host, body.url, primary=primary, sequence=envelope.sequence)
        if self._granted is not None:
            await self._store.keep_license(*self._granted)
        answer = await self._handle(await self._found(row))
        if answer is None:
            return Outcome(200, "done")
        await self._store.change(row.installation_id, status="provisioning")
        return Outcome(202, "accepted")

    async def _removed(self, row: Any) -> Outcome:
        if row.status == "removed":
            return Outcome(200, "stale")
        known = row.status in SERVED
        await self._store.close(row.installation_id)
        answer = await self._handle(await self._found(row)) if known else None
        return Outcome(200, "done") if answer is None else Outcome(202, "accepted")

    async def _news(self, row: Any) -> Outcome:
        if row.status == "removed":
            return Outcome(200, "stale")
        if not await self._apply_news(row):
            return Outcome(200, "stale")
        if row.status in SERVED:
            await self._handle(await self._found(row))
        return Outcome(200, "done")

    async def _apply_news(self, row: Any) -> bool:
        """The SDK's state after news; False when later news were there already."""
        sequence = self._envelope.sequence
        match self._body:
            case events.LicenseUpdated() if self._granted is not None:
                return await self._store.keep_license(*self._granted)
            case events.DomainAdded(host=host, url=url, primary=primary):
                host = normal_host(host)
                is_news = await self._store.add_host(row, host, url, primary=primary, sequence=sequence)
                if is_news and primary:
                    await self._store.make_primary(row.installation_id, host, url)
                return is_news
            case events.DomainRemoved(host=host):
                return await self._store.remove_host(row, normal_host(host), sequence)
            case _:
                return True

    async def _found(self, row: Any) -> Any:
        found = await self._store.find(row.installation_id)
        return found if found is not None else row

    async def _handle(self, row: Any) -> Accepted | None:
        """Run the module's handler, if it has one for this type, as the installation that the row
        describes.
        """
        handler = self._intake.handlers.get(self._envelope.type)
        if handler is None:
            return None
        installation = installation_of(row)
        if self._name is not None:
            installation = replace(installation, tenant_name=self._name)
        event = Event(self._envelope, cast("BaseModel", self._body), installation)
        with serving(installation):
            return await handler(event, self._session)
