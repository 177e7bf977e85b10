"""Every endpoint that takes the id of something of a tenant's: as owner, as a member without the right, as a
stranger, signed out, and with another tenant's id. The list comes from the application's routes: a new one
fails here until it has its case.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
import pytest
from core_kit.activation import unique_label
from core_kit.codes import refusal
from core_kit.endpoints import Endpoint, endpoints
from core_kit.people import API, Owner, unique_phone
from core_kit.running import RunningCore
from core_kit.scene import Side, contents, side
from tochka_core.app import create_app, create_private_app
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

Refusal = tuple[int, str]
Body = Callable[[Side], dict[str, Any]]
Least = Literal["staff", "admin", "owner"]

SIGNED_OUT: Refusal = (401, "accounts.unauthenticated")
NO_MEMBER: Refusal = (403, "tenants.access_denied")
NO_RIGHT: Refusal = (403, "tenants.role_required")
BELOW: dict[Least, list[str]] = {"staff": [], "admin": ["staff", "heir"], "owner": ["staff", "heir", "admin"]}


@dataclass(frozen=True)
class Case:
    """How one endpoint answers whom.

    `least` is the role that it takes. `of` says which id of the scene an id in the path is, where there are
    two of a kind. `foreign` is the answer to the owner who names the same of another tenant's.
    """

    least: Least
    status: int = 200
    body: Body | None = None
    of: dict[str, str] = field(default_factory=dict)
    foreign: Refusal = NO_MEMBER


@dataclass(frozen=True)
class Special:
    """An endpoint whose right is no role: who has it, and what the others are told."""

    by: str
    status: int
    without: dict[str, Refusal]
    foreign: Refusal
    stranger: Refusal
    signed_out: Refusal = SIGNED_OUT
    body: Body | None = None
    of: dict[str, str] = field(default_factory=dict)


def _no(what: str) -> Refusal:
    return (404, what)


UNKNOWN_INSTALLATION = _no("installations.unknown")
UNKNOWN_INVITATION = _no("tenants.invitation_unknown")
UNKNOWN_HANDOVER = _no("tenants.handover_unknown")
TENANT, ME, INSTALLATION = f"{API}/tenants/{{tenant_id}}", f"{API}/me/invitations", f"{API}/installations"
ONE, MODULE = f"{INSTALLATION}/{{installation_id}}", f"{API}/module"
ENDPOINTS, ENDPOINT = f"{API}/webhook-endpoints", f"{API}/webhook-endpoints/{{endpoint_id}}"
UNKNOWN_ENDPOINT = _no("endpoints.unknown")
PENDING = {"installation_id": "pending_id"}
NO_MODULE: Refusal = (401, "catalogue.module_unauthenticated")

CASES: dict[str, Case | Special] = {
    f"GET {TENANT}": Case("staff"),
    f"PATCH {TENANT}": Case("admin", body=lambda _: {"name": "Новое имя"}),
    f"GET {TENANT}/members": Case("staff"),
    f"PATCH {TENANT}/members/{{user_id}}": Case(
        "owner", body=lambda _: {"role": "admin"}, foreign=_no("tenants.member_unknown")
    ),
    f"DELETE {TENANT}/members/{{user_id}}": Case(
        "admin", 204, of={"user_id": "heir_id"}, foreign=_no("tenants.member_unknown")
    ),
    f"GET {TENANT}/invitations": Case("admin"),
    f"POST {TENANT}/invitations": Case("admin", 201, lambda _: {"phone": unique_phone(), "role": "staff"}),
    f"DELETE {TENANT}/invitations/{{invitation_id}}": Case("admin", 204, foreign=UNKNOWN_INVITATION),
    f"GET {TENANT}/audit": Case("admin"),
    f"GET {TENANT}/handover": Case("staff"),
    f"PUT {TENANT}/handover": Case("owner", body=lambda at: {"user_id": at.ids["user_id"]}),
    f"DELETE {TENANT}/handover": Case("owner", 204),
    f"POST {TENANT}/handover/accept": Special(
        "heir", 200, dict.fromkeys(("staff", "admin", "owner"), UNKNOWN_HANDOVER), NO_MEMBER, NO_MEMBER
    ),
    f"POST {TENANT}/handover/decline": Special(
        "heir", 204, dict.fromkeys(("staff", "admin", "owner"), UNKNOWN_HANDOVER), NO_MEMBER, NO_MEMBER
    ),
    f"POST {ME}/{{invitation_id}}/accept": Special(
        "guest",
        200,
        dict.fromkeys(("staff", "admin", "owner"), UNKNOWN_INVITATION),
        UNKNOWN_INVITATION,
        UNKNOWN_INVITATION,
    ),
    f"POST {ME}/{{invitation_id}}/decline": Special(
        "guest",
        204,
        dict.fromkeys(("staff", "admin", "owner"), UNKNOWN_INVITATION),
        UNKNOWN_INVITATION,
        UNKNOWN_INVITATION,
    ),
    f"GET {INSTALLATION}": Case("staff"),
    f"POST {INSTALLATION}": Case(
        "admin", 201, lambda at: {"module": at.module.id, "subdomain": unique_label()}
    ),
    f"GET {ONE}": Case("staff", foreign=UNKNOWN_INSTALLATION),
    f"DELETE {ONE}": Case("owner", 204, foreign=UNKNOWN_INSTALLATION),
    f"GET {ONE}/progress": Case("staff", foreign=UNKNOWN_INSTALLATION),
    f"POST {ONE}/session": Case("staff", foreign=UNKNOWN_INSTALLATION),
    f"GET {API}/subscriptions": Case("staff"),
    f"GET {API}/subscriptions/{{subscription_id}}": Case("staff", foreign=_no("subscriptions.unknown")),
    f"GET {ENDPOINTS}": Case("admin"),
    f"POST {ENDPOINTS}": Case("admin", 201, lambda _: {"url": "https://example.com/"}),
    f"GET {ENDPOINT}": Case("admin", foreign=UNKNOWN_ENDPOINT),
    f"PATCH {ENDPOINT}": Case("admin", body=lambda _: {"status": "disabled"}, foreign=UNKNOWN_ENDPOINT),
    f"DELETE {ENDPOINT}": Case("admin", 204, foreign=UNKNOWN_ENDPOINT),
    f"POST {ENDPOINT}/rotate-secret": Case("admin", body=lambda _: {}, foreign=UNKNOWN_ENDPOINT),
    f"POST {API}/auth/refresh": Special(
        "owner",
        200,
        {},
        NO_MEMBER,
        NO_MEMBER,
        signed_out=(401, "accounts.refresh_invalid"),
        body=lambda at: {"tenant_id": at.ids["tenant_id"]},
    ),
    f"POST {MODULE}/installations/{{installation_id}}/ready": Special(
        "module",
        200,
        dict.fromkeys(("owner",), NO_MODULE),
        UNKNOWN_INSTALLATION,
        NO_MODULE,
        signed_out=NO_MODULE,
        of=PENDING,
    ),
    f"POST {MODULE}/installations/{{installation_id}}/failed": Special(
        "module",
        200,
        dict.fromkeys(("owner",), NO_MODULE),
        UNKNOWN_INSTALLATION,
        NO_MODULE,
        signed_out=NO_MODULE,
        body=lambda _: {"code": "no.room", "detail": "No room."},
        of=PENDING,
    ),
    f"GET {MODULE}/licenses/{{installation_id}}": Special(
        "module",
        200,
        dict.fromkeys(("owner",), NO_MODULE),
        UNKNOWN_INSTALLATION,
        NO_MODULE,
        signed_out=NO_MODULE,
    ),
}
OWN_TEST = {
    f"GET {MODULE}/events": "`tenant_id` narrows what a module gets: test_a_module_reads_its_own_events",
}
PLAIN = {
    "GET /.well-known/jwks.json", "GET /docs", "GET /docs/start.js", "* /docs/assets",
    f"GET {API}/openapi.json", f"POST {API}/channels/{{kind}}/updates",
    "GET /health/live", "GET /health/ready", "GET /health/db", "GET /health/keys", "GET /metrics",
    "GET /internal/resolve", "GET /internal/tls-ask",
}  # fmt: skip
"""Plain ASGI endpoints that were looked at: they read no id of anything of a tenant's."""

NAMES = pytest.mark.parametrize("name", CASES)


def _endpoints(core: RunningCore) -> list[Endpoint]:
    apps = (create_app(core.settings, core.resources), create_private_app(core.resources))
    return [endpoint for app in apps for endpoint in endpoints(app.routes)]


async def test_every_endpoint_that_takes_an_id_has_its_case(core: RunningCore) -> None:
    found = _endpoints(core)
    taking = {endpoint.name for endpoint in found if endpoint.takes}
    assert taking == {*CASES, *OWN_TEST}
    assert {endpoint.name for endpoint in found if endpoint.is_plain} == PLAIN


@pytest.fixture(scope="module")
async def mine(core: RunningCore, core_database: ScratchDatabase) -> AsyncIterator[Side]:
    """The tenant that is asked about; no test of a refusal changes it."""
    async with side(core, core_database) as one:
        yield one


@pytest.fixture(scope="module")
async def other(core: RunningCore, core_database: ScratchDatabase) -> AsyncIterator[Side]:
    """Another one with the same in it; its owner is the stranger."""
    async with side(core, core_database) as one:
        yield one


@pytest.fixture
async def fresh(core: RunningCore, core_database: ScratchDatabase) -> AsyncIterator[Side]:
    """One that the test may change."""
    async with side(core, core_database) as one:
        yield one


async def _ask(
    core: RunningCore, name: str, at: Side, who: Owner | Side | None, *, foreign: Side | None = None
) -> httpx.Response:
    """Ask an endpoint about `at`, with what it names last taken from `foreign`."""
    case = CASES[name]
    method, _, path = name.partition(" ")
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    ids = {one: at.ids[case.of.get(one, one)] for one in ("tenant_id", *names)}
    if foreign is not None:
        last = names[-1] if names else "tenant_id"
        ids[last] = foreign.ids[case.of.get(last, last)]
    headers = {} if "{tenant_id}" in path or isinstance(case, Special) else {"X-Tenant-ID": ids["tenant_id"]}
    if isinstance(who, Owner):
        headers["Authorization"] = who.client.headers["Authorization"]
    elif who is not None:
        headers["Authorization"] = f"Bearer {who.module.token()}"
    body = None if case.body is None else case.body(foreign if foreign and not names else at)
    cookies = dict(who.client.cookies) if isinstance(who, Owner) else {}
    async with httpx.AsyncClient(base_url=core.url, headers=headers, cookies=cookies, timeout=20) as client:
        answer = await client.request(method, path.format(**ids), json=body)
    if isinstance(who, Owner):
        who.client.cookies.update(answer.cookies)
    return answer


def _entitled(case: Case | Special, at: Side) -> Owner | Side:
    """Who has the right: for a module's call, the module."""
    what = case.by if isinstance(case, Special) else "owner"
    return at if what == "module" else at.people[what]


CHANGING = [name for name in CASES if not name.startswith("GET ")]
LOOKING = [name for name in CASES if name.startswith("GET ")]


async def _serves(core: RunningCore, name: str, at: Side, who: Owner | Side) -> None:
    answer = await _ask(core, name, at, who)
    assert answer.status_code == CASES[name].status, answer.text


@pytest.mark.parametrize("name", CHANGING)
async def test_whoever_has_the_right_may_change(core: RunningCore, fresh: Side, name: str) -> None:
    await _serves(core, name, fresh, _entitled(CASES[name], fresh))


@pytest.mark.parametrize("name", LOOKING)
async def test_whoever_has_the_right_may_look(core: RunningCore, mine: Side, name: str) -> None:
    await _serves(core, name, mine, _entitled(CASES[name], mine))


def _lowest(names: list[str]) -> list[tuple[str, Least]]:
    """The endpoints that take less than an owner, and how little."""
    cases = ((name, CASES[name]) for name in names)
    return [(name, case.least) for name, case in cases if isinstance(case, Case) and case.least != "owner"]


@pytest.mark.parametrize(("name", "least"), _lowest(CHANGING))
async def test_the_lowest_role_that_has_the_right_may_change(
    core: RunningCore, fresh: Side, name: str, least: Least
) -> None:
    await _serves(core, name, fresh, fresh.people[least])


@pytest.mark.parametrize(("name", "least"), _lowest(LOOKING))
async def test_the_lowest_role_that_has_the_right_may_look(
    core: RunningCore, mine: Side, name: str, least: Least
) -> None:
    await _serves(core, name, mine, mine.people[least])


@NAMES
async def test_a_member_without_the_right_is_refused(
    core: RunningCore, core_database: ScratchDatabase, mine: Side, name: str
) -> None:
    case = CASES[name]
    without = case.without if isinstance(case, Special) else dict.fromkeys(BELOW[case.least], NO_RIGHT)
    if name == f"DELETE {TENANT}/members/{{user_id}}":
        del without["heir"]  # who is the one to be removed, and may leave
    before = await contents(core_database, mine.ids["tenant_id"])
    for what, expected in without.items():
        assert refusal(await _ask(core, name, mine, mine.people[what])) == expected, what
    assert await contents(core_database, mine.ids["tenant_id"]) == before


@NAMES
async def test_a_stranger_is_refused(
    core: RunningCore, core_database: ScratchDatabase, mine: Side, other: Side, name: str
) -> None:
    case = CASES[name]
    expected = case.stranger if isinstance(case, Special) else NO_MEMBER
    before = await contents(core_database, mine.ids["tenant_id"])
    for who in (other.owner, mine.people["guest"]):
        if who is not _entitled(case, mine):
            assert refusal(await _ask(core, name, mine, who)) == expected
    assert await contents(core_database, mine.ids["tenant_id"]) == before


@NAMES
async def test_whoever_is_signed_out_is_refused(
    core: RunningCore, core_database: ScratchDatabase, mine: Side, name: str
) -> None:
    case = CASES[name]
    before = await contents(core_database, mine.ids["tenant_id"])
    expected = case.signed_out if isinstance(case, Special) else SIGNED_OUT
    assert refusal(await _ask(core, name, mine, None)) == expected
    assert await contents(core_database, mine.ids["tenant_id"]) == before


@NAMES
async def test_an_id_of_another_tenants_opens_nothing(
    core: RunningCore, core_database: ScratchDatabase, mine: Side, other: Side, name: str
) -> None:
    case = CASES[name]
    ids = (mine.ids["tenant_id"], other.ids["tenant_id"])
    before = [await contents(core_database, tenant_id) for tenant_id in ids]
    answer = await _ask(core, name, mine, _entitled(case, mine), foreign=other)
    assert refusal(answer) == case.foreign
    assert [await contents(core_database, tenant_id) for tenant_id in ids] == before


async def test_a_module_reads_its_own_events(core: RunningCore, mine: Side, other: Side) -> None:
    """With or without a tenant's id, and whoever's it is: nothing of another module's."""
    for tenant_id in (None, mine.ids["tenant_id"], other.ids["tenant_id"]):
        query = {} if tenant_id is None else {"tenant_id": tenant_id}
        got = await mine.module.call(core.url, "GET", "/events", params=query)
        assert got.status_code == 200
        assert {item["tenant_id"] for item in got.json()["items"]} <= {mine.ids["tenant_id"]}
    async with httpx.AsyncClient(base_url=core.url) as client:
        assert refusal(await client.get(f"{MODULE}/events")) == NO_MODULE
        bearer = {"Authorization": mine.owner.client.headers["Authorization"]}
        assert refusal(await client.get(f"{MODULE}/events", headers=bearer)) == NO_MODULE
