"""A small module, as an author would write one: it keeps notes, one per event that it handled."""

import asyncio
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import Column, MetaData, Table, Text, Uuid, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.background import Rhythm
from tochka_sdk.errors import Conflict, Malformed, Recorded
from tochka_sdk.events import DomainAdded, InstallationRemoved, InstallationRequested, LicenseUpdated
from tochka_sdk.ids import uuid7
from tochka_sdk.module import Accepted, AdminUser, Event, InstallationSession, Module, current_installation

MANIFEST: dict[str, Any] = {
    "manifest_version": 1,
    "id": "notes",
    "version": "1.2.3",
    "sdk_range": ">=0.1,<1",
    "name": {"ru": "Заметки", "en": "Notes"},
    "summary": {"ru": "Хранит заметки", "en": "Keeps notes"},
    "description": {"ru": "Хранит заметки", "en": "Keeps notes"},
    "icon": "/static/icon.svg",
    "screenshots": [],
    "category": "tools",
    "publisher": {"name": "Notes", "support_url": "https://notes.example/help"},
    "endpoints": {"base_url": "http://127.0.0.1:8100"},
    "storefront_path": "/",
    "admin_path": "/admin",
    "events": ["installation.requested", "installation.removed", "license.updated"],
    "scopes": [],
    "entitlements": [{"key": "notes", "type": "static", "default": 10}],
    "suggested_plans": [
        {"code": "start", "name": {"ru": "Старт", "en": "Start"}, "trial_days": 14, "entitlements": {}}
    ],
    "settings_schema": {},
    "legal": {},
}

METADATA = MetaData()
notes = Table(
    "notes",
    METADATA,
    Column("tenant_id", Uuid, primary_key=True),
    Column("installation_id", Uuid),
    Column("id", Uuid, primary_key=True),
    Column("text", Text),
)


class Refused(Conflict):
    """The handler's final no."""

    code = "notes.refused"


class Counted(Recorded, Malformed):
    """A refusal that leaves a trace."""

    code = "notes.counted"


async def write(session: AsyncSession, words: str) -> None:
    """Add a note to the current installation."""
    here = current_installation()
    values = {"tenant_id": here.tenant_id, "installation_id": here.id, "id": uuid7(), "text": words}
    await session.execute(insert(notes).values(values))


class Hold:
    """A place within a handler, after its effect, where a test lets it wait."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.released = asyncio.Event()

    async def pass_by(self) -> None:
        """Wait until the test says so."""
        self.entered.set()
        await self.released.wait()


class Moods:
    """How the handlers behave, by tenant or installation: the tests decide."""

    def __init__(self) -> None:
        self.by_tenant: dict[UUID, str] = {}
        self.holds: dict[UUID, Hold] = {}
        self.calls = 0

    async def hold(self, installation_id: UUID) -> None:
        """Wait, if a test holds this installation."""
        if installation_id in self.holds:
            await self.holds[installation_id].pass_by()


moods = Moods()
router = APIRouter()
NEVER = Rhythm(keys=1e6, licenses=1e6, gaps=1e6, cleaning=1e6, feed=1e6)
module = Module(id="notes", manifest=MANIFEST, routers=[router], rhythm=NEVER)  # the tests say when


@module.on("installation.requested")
async def requested(event: Event[InstallationRequested], session: AsyncSession) -> Accepted | None:
    """Write a welcome, and then do as the test wishes."""
    moods.calls += 1
    await write(session, f"welcome {event.data.tenant_name} {uuid7()}")
    match moods.by_tenant.get(event.tenant_id):
        case "crash":
            raise RuntimeError("the power went out")
        case "refuse":
            raise Refused("There is no room.")
        case "unprocessable":
            raise Malformed("This is not for us.")
        case "slow":
            await asyncio.sleep(0.05)
        case "later":
            return Accepted()
    return None


@module.on("installation.removed")
async def removed(event: Event[InstallationRemoved], session: AsyncSession) -> None:
    """Say goodbye."""
    await write(session, f"goodbye {event.data.reason}")


@module.on("license.updated")
async def relicensed(event: Event[LicenseUpdated], session: AsyncSession) -> None:
    """Note what is allowed now."""
    await write(session, f"license {event.installation.license.access} {event.id}")
    await moods.hold(event.installation_id)
    if moods.by_tenant.get(event.tenant_id) == "crash":
        raise RuntimeError("the power went out")


@module.on("domain.added")
async def moved(event: Event[DomainAdded], session: AsyncSession) -> None:
    """Note the new address."""
    await write(session, f"host {event.data.host}")


@module.on("tenant.updated")
async def renamed(event: Event[Any], session: AsyncSession) -> None:
    """Note the new name."""
    await write(session, f"name {event.installation.tenant_name}")


@router.get("/")
async def home() -> dict[str, object]:
    """Who is being served."""
    here = current_installation()
    return {
        "id": str(here.id),
        "tenant_name": here.tenant_name,
        "host": here.host,
        "access": here.license.access,
        "notes": here.license.limit("notes"),
        "pictures": here.license.allows("pictures"),
    }


@router.get("/notes")
async def list_notes(session: InstallationSession) -> list[str]:
    """The installation's notes."""
    return list(await session.scalars(select(notes.c.text).order_by(notes.c.id)))


@router.get("/_tochka/{rest:path}")
async def greedy(rest: str) -> dict[str, str]:
    """A route that would match the platform's addresses, too, and relies on an installation."""
    return {"rest": rest, "host": current_installation().host}


@router.post("/notes/{words}", status_code=201)
async def add_note(words: str, session: InstallationSession) -> dict[str, str]:
    """Add one; some words go wrong."""
    await write(session, words)
    if words == "crash":
        raise RuntimeError("secret detail")
    if words == "counted":
        raise Counted("Counted.")
    return {"text": words}


@router.post("/late", status_code=201)
async def fail_late(session: InstallationSession) -> dict[str, str]:
    """Break a constraint that is looked at when the transaction commits."""
    await session.execute(text("SET CONSTRAINTS uq_notes_text DEFERRED"))
    await write(session, "twice")
    await write(session, "twice")
    return {"text": "twice"}


@router.get("/admin")
async def admin_home(user: AdminUser) -> dict[str, str]:
    """Who is signed in."""
    return {"user_id": str(user.user_id), "role": user.role}


@router.post("/admin/notes/{words}", status_code=201)
async def admin_note(words: str, user: AdminUser, session: InstallationSession) -> dict[str, str]:
    """Add a note as an admin."""
    user.require("owner", "admin")
    await write(session, words)
    return {"text": words}
