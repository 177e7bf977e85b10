"""The OpenAPI document: what FastAPI knows of the calls, and what it does not: problems, events, keys."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field
from tochka_sdk import events, problems

from tochka_core.outbox import public as outbox

JSON = "application/json"
EVENT_STREAM = "text/event-stream"
PROBLEM = "#/components/responses/Problem"
IDEMPOTENCY_KEY, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
UNUSED = ("HTTPValidationError", "ValidationError")

_LIMIT = '"[a-z-]+";{0}=[0-9]+;{1}=[0-9]+'
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "The id of the request in the logs: the one that came with it, or a new one.",
        "required": True,
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "The limits that the request counts for: `q` requests in `w` seconds, each by its name"
        " (draft-ietf-httpapi-ratelimit-headers). Missing while nothing can be counted.",
        "schema": {"type": "string", "pattern": "^{0}(, {0})*$".format(_LIMIT.format("q", "w"))},
    },
    "RateLimit": {
        "description": "How the caller stands in each: `r` more fit now, another one in `t` seconds.",
        "schema": {"type": "string", "pattern": "^{0}(, {0})*$".format(_LIMIT.format("r", "t"))},
    },
    "Retry-After": {
        "description": "In how many seconds to try again, where that helps: with 429, and with most 503.",
        "schema": {"type": "integer", "minimum": 1},
    },
    REPLAYED: {
        "description": "The request was made before with the same key, and this is the answer of then.",
        "schema": {"type": "string", "const": "true"},
    },
}
ALWAYS = ("X-Request-ID", "RateLimit-Policy", "RateLimit")


class FieldProblem(BaseModel):
    """One field that was refused."""

    field: str = Field(description="Dotted path inside its place; empty for the place as a whole.")
    code: str
    message: str
    location: str = Field(examples=["body", "query", "path", "header"])


class Problem(BaseModel):
    """Every refusal (RFC 9457). `code` is stable; some problems have members of their own beside these."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(examples=["domains.taken"])
    request_id: str
    errors: list[FieldProblem] = []


class DescribedApi(FastAPI):
    """FastAPI whose description of itself is true."""

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _completed(super().openapi())
        return self.openapi_schema


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with problems for errors, the published keys, and the events as `webhooks`."""
    components = document.setdefault("components", {})
    schemas = {name: schema for name, schema in components["schemas"].items() if name not in UNUSED}
    schemas["FieldProblem"] = FieldProblem.model_json_schema()
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    del schemas["Problem"]["$defs"]
    components["schemas"] = schemas
    components["responses"] = {
        "Problem": {
            "description": "Refused: a problem document says why.",
            "headers": _headers(*ALWAYS, "Retry-After"),
            "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    }
    components["headers"] = HEADERS
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _without_null(parameter["schema"])
            answers = operation["responses"]
            answers.pop("422", None)
            named = {parameter["name"] for parameter in operation.get("parameters", ())}
            for answer in answers.values():
                answer["headers"] = _headers(*ALWAYS, *([REPLAYED] if IDEMPOTENCY_KEY in named else []))
            answers.update({"4XX": {"$ref": PROBLEM}, "5XX": {"$ref": PROBLEM}})
            stream = answers.get("200", {}).get("content", {}).get(EVENT_STREAM)
            if stream is not None:  # text, whose `data` lines are what FastAPI takes for the whole
                stream["schema"] = {"type": "string", "contentSchema": {"$ref": stream["schema"]["$ref"]}}
    document["paths"]["/.well-known/jwks.json"] = {"get": _keys()}
    document["webhooks"] = {event.type: {"post": _webhook(event)} for event in outbox.published()}
    return document


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter: one that is optional may be left out, but has no way to be null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**rest, **kinds[0]} if len(kinds) == 1 else schema


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "headers": _headers(*ALWAYS), "content": {JSON: {"schema": schema}}}


def _keys() -> dict[str, Any]:
    """The one call without the prefix, which is no route of FastAPI's."""
    key_set = {
        "type": "object",
        "required": ["keys", "tochka_whpk", "tochka_audit"],
        "properties": {
            "keys": {"type": "array", "items": {"type": "object"}},
            "tochka_whpk": {"type": "array", "items": {"type": "string"}},
            "tochka_audit": {"type": "array", "items": {"type": "object"}},
        },
    }
    return {
        "tags": ["accounts"],
        "operationId": "get_keys",
        "summary": "The public keys of tokens and licenses (RFC 7517), those of events and of checkpoints.",
        "responses": {
            "200": _answer("The keys.", key_set),
            "4XX": {"$ref": PROBLEM},
            "5XX": {"$ref": PROBLEM},
        },
    }


def _webhook(event: outbox.EventType) -> dict[str, Any]:
    """One event as modules and tenants' endpoints get it (Standard Webhooks 1.0)."""
    headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    answers = {"2XX": {"description": "Done. 202 from a module, for a command: it is being worked on."}}
    if event.type in events.COMMANDS:
        answers |= {status: {"description": "A final no from a module."} for status in ("409", "422")}
    return {
        "tags": ["events", *event.audiences],
        "operationId": f"on_{event.type.replace('.', '_')}",
        "summary": event.title,
        "description": event.description,
        "parameters": [
            {"name": header, "in": "header", "required": True, "schema": {"type": "string"}}
            for header in headers
        ],
        "requestBody": {"required": True, "content": {JSON: {"schema": event.schema}}},
        "responses": answers,
    }
