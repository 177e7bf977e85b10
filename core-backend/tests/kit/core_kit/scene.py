"""A tenant with one of everything, and the people who may or may not touch it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from tochka_core.webhooks.service import routing
from tochka_stack.testing import ScratchDatabase

from core_kit.activation import activate
from core_kit.codes import look
from core_kit.members import enrol, invited
from core_kit.modules import ScriptedModule, registered_module
from core_kit.people import API, Owner, sign_up
from core_kit.rls import CASES
from core_kit.running import RunningCore
from core_kit.webhook_endpoints import ENDPOINTS, endpoint_of


@dataclass(frozen=True)
class Side:
    """One tenant: its people by what they are to it, its module, and the ids of what it has.

    `guest` is invited; `heir` is staff to whom the tenant is offered; `installation_id` is live and
    `pending_id` still provisioned.
    """

    people: dict[str, Owner]
    module: ScriptedModule
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def owner(self) -> Owner:
        """Whose it is."""
        return self.people["owner"]


@asynccontextmanager
async def side(core: RunningCore, database: ScratchDatabase) -> AsyncIterator[Side]:
    """A fresh one."""
    async with registered_module(core.resources, core.jobs) as module:
        people = {what: await sign_up(core.url) for what in ("owner", "admin", "staff", "heir", "guest")}
        owner = people["owner"]
        for what, role in (("admin", "admin"), ("staff", "staff"), ("heir", "staff")):
            await enrol(database, owner, people[what], role)
        live, pending = await activate(owner, module.id), await activate(owner, module.id)
        ready = await module.call(core.url, "POST", f"/installations/{live['id']}/ready")
        assert ready.status_code == 200, ready.text
        offer = {"user_id": str(people["heir"].user_id)}
        offered = await owner.client.put(f"{API}/tenants/{owner.tenant_id}/handover", json=offer)
        assert offered.status_code == 200, offered.text
        invitation = await invited(owner, people["guest"].phone)
        hooks = await _hooks(core, database, owner)
        yield Side(
            people,
            module,
            {
                "tenant_id": str(owner.tenant_id),
                "installation_id": live["id"],
                "pending_id": pending["id"],
                "subscription_id": live["subscription"]["id"],
                "invitation_id": invitation["id"],
                "invitation_token": invitation["token"],
                "user_id": str(people["staff"].user_id),
                "heir_id": str(people["heir"].user_id),
                **hooks,
            },
        )
        for person in people.values():
            await person.client.aclose()


async def _hooks(core: RunningCore, database: ScratchDatabase, owner: Owner) -> dict[str, str]:
    """An endpoint, a delivery that it has taken, and a replay that nobody has begun."""
    made = await endpoint_of(owner)
    endpoint = f"{ENDPOINTS}/{made['id']}"
    assert (await owner.client.post(f"{endpoint}/test")).status_code == 202
    taken = None
    while taken is None:  # what other tests have recorded is before it
        async with core.jobs.connections.system("test") as connection:
            await routing.fan_out(connection, 200)
        rows = await look(database, TAKEN, owner.tenant_id)
        taken = rows[0]["id"] if rows else None
    replay = await owner.client.post(f"{endpoint}/replays", json={})
    assert replay.status_code == 202, replay.text
    ids = {"endpoint_id": made["id"], "delivery_id": taken, "replay_id": replay.json()["id"]}
    return {name: str(value) for name, value in ids.items()}


TAKEN = """
    UPDATE deliveries SET status = 'delivered', finished_at = now()
    WHERE tenant_id = $1 AND endpoint_id IS NOT NULL RETURNING id
"""


async def contents(database: ScratchDatabase, tenant_id: str) -> dict[str, str | None]:
    """Everything that a tenant has, as one digest per table."""
    found = {}
    for table, case in CASES.items():
        if case.whole == "tenant":
            rows = f"SELECT to_jsonb(t)::text AS row FROM {table} t WHERE {case.column} = $1"  # noqa: S608  names of our own
            digest = f"SELECT md5(string_agg(row, ',' ORDER BY row)) AS digest FROM ({rows}) r"  # noqa: S608
            found[table] = (await look(database, digest, UUID(tenant_id)))[0]["digest"]
    return found
