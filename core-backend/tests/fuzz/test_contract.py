"""Schemathesis asks everything that the OpenAPI document allows, and much that it does not: no 5xx, and no
answer that the document does not promise. Operations are asked by somebody who may, about things that exist.
"""

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from core_kit.processes import web_process
from core_kit.running import RunningCore, core_settings
from core_kit.scene import side
from core_kit.visits import AnyCase, Visit
from jsonschema import Draft202012Validator
from schemathesis import Response
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks
from tochka_core.app import create_app
from tochka_core.settings import Settings
from tochka_stack.testing import ScratchDatabase

DOCUMENT = create_app(Settings.model_construct(dev_inbox=True, cors_origins=())).openapi()
PHONE = "whether a text is the number of a mobile phone no schema can say"
URL = "which addresses the platform would speak to no schema can say"
EXCLUDED: dict[str, dict[Callable[..., Any], str]] = {
    "create_challenge": {checks.positive_data_acceptance: PHONE},
    "create_phone_change": {checks.positive_data_acceptance: PHONE},
    "login": {checks.positive_data_acceptance: PHONE},
    "recover_account": {
        checks.positive_data_acceptance: "the way `password` wants one and `anew` none: two members at once"
    },
    "set_password": {
        checks.positive_data_acceptance: "which passwords are guessed first stands in a list, in no schema"
    },
    "create_invitation": {checks.positive_data_acceptance: PHONE},
    "create_webhook_endpoint": {checks.positive_data_acceptance: URL},
    "update_webhook_endpoint": {checks.positive_data_acceptance: URL},
    "activate_installation": {
        checks.positive_data_acceptance: "an address is lower-cased first, then judged by lists, too"
    },
    "watch_installation": {
        checks.response_schema_conformance: "OpenAPI 3.1 calls a stream a text, and the check every event "
        "of it; `_events` looks at them instead"
    },
}
"""Checks that are left out of an operation, by its `operationId`, and why."""

ALONE = "it looks at the request that made or removed the thing, and `parametrize()` knows of none before"
FIND_NOTHING: dict[Callable[..., Any], str] = {
    checks.use_after_free: f"{ALONE}: endpoints/test_webhook_endpoints.py, tenants/test_handover.py; "
    "what was an installation is readable on purpose: installations/test_removal.py",
    checks.ensure_resource_availability: f"{ALONE}: access/test_endpoints.py asks for all that there is",
    checks.object_level_authorization: "it wants several people in a configuration: access/test_endpoints.py "
    "has a stranger and somebody of each role ask for everything",
}
"""Checks that would always pass here, and where the same is tested."""

SEEN_ELSEWHERE = {
    "recover_account": "only a number that changed hands gets that far: signup/test_recycled_numbers.py"
}
"""Operations that need not be understood here, and why."""


def _schema(examples: int, **generation: Any) -> Any:
    """The document as the core prints it, and how thoroughly to go through it."""
    config = SchemathesisConfig.from_dict(
        {
            "generation": {
                "max-examples": examples,
                "database": "none",
                "allow-extra-parameters": False,  # unknown ones are passed over; the check wants an error
                **generation,
            },
            "suppress-health-check": ["all"],
        }
    )
    return schemathesis.openapi.from_dict(DOCUMENT, config=config)


SHORT = _schema(10, deterministic=True)
LONG = _schema(200)


@pytest.fixture(scope="module")
async def asked(
    anyio_backend: str, core: RunningCore, core_database: ScratchDatabase, redis_url: str
) -> AsyncIterator[RunningCore]:
    """A process of its own that answers while the test's own event loop does not run."""
    quotas = {"phone_codes_hour": 1000, "phone_codes_day": 1000, "resend_seconds": 1}
    settings = core_settings(core_database, redis_url, quotas=quotas)
    async with web_process(settings) as (_, url):
        yield replace(core, url=url)


@pytest.fixture
async def visit(asked: RunningCore, core_database: ScratchDatabase) -> AsyncIterator[Visit]:
    """A fresh tenant with one of everything. An operation that was never understood was not tested."""
    async with side(asked, core_database) as one:
        visit = Visit(asked.url, one)
        yield visit
        visit.close()
    is_understood = any(status < 300 for status in visit.answers)
    assert is_understood or visit.operation in SEEN_ELSEWHERE, f"never understood: {visit.answers}"


def _ask(case: AnyCase, visit: Visit) -> None:
    visit.fill(case)
    operation = case.operation.definition.raw["operationId"]
    headers = visit.headers(case)
    response = case.call(base_url=visit.url, headers=headers)
    visit.note(case, response)
    _events(case, response)
    case.validate_response(
        response,
        headers=headers,
        excluded_checks=[*FIND_NOTHING, *EXCLUDED.get(operation, {})],
        transport_kwargs={"base_url": visit.url, "headers": headers},
    )


def _events(case: AnyCase, response: Response) -> None:
    """Each event of a stream is what the stream's schema says that its data are."""
    if response.headers.get("content-type", [""])[0].startswith("text/event-stream"):
        data = re.findall(r"^data: (.+)$", response.text, re.MULTILINE)
        assert data
        content = case.operation.definition.raw["responses"]["200"]["content"]["text/event-stream"]
        schema = {**DOCUMENT, **content["schema"]["contentSchema"]}
        for line in data:
            Draft202012Validator(schema).validate(json.loads(line))


@SHORT.parametrize()  # type: ignore[untyped-decorator]
def test_every_answer_is_as_described(case: AnyCase, visit: Visit) -> None:
    _ask(case, visit)


@pytest.mark.proof
@LONG.parametrize()  # type: ignore[untyped-decorator]
def test_every_answer_is_as_described_however_long_one_asks(case: AnyCase, visit: Visit) -> None:
    _ask(case, visit)
