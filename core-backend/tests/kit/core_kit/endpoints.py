"""Every endpoint of an application, from its own routes, and the ids that each takes: in its path, its query,
its body, or the tenant in a header. Plain ASGI routes are among them; what they read besides their path
cannot be known.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.routing import BaseRoute, Mount

GUARDED = {
    *("tenant_id", "installation_id", "invitation_id", "user_id", "subscription_id", "delivery_id"),
    *("endpoint_id", "replay_id"),
}
"""Ids of what belongs to a tenant: whoever takes one has to ask who may."""

FREE = {"challenge_id", "change_id", "session_id", "module_id", "label", "kind"}
"""What else stands in paths: a person's own, or public."""


@dataclass(frozen=True)
class Endpoint:
    """A method of a path, and the guarded ids that it takes. `is_plain`: FastAPI knows nothing of it."""

    method: str
    path: str
    takes: frozenset[str]
    is_plain: bool

    @property
    def name(self) -> str:
        """Such as `GET /api/v1/tenants/{tenant_id}`."""
        return f"{self.method} {self.path}"


def endpoints(routes: Iterable[BaseRoute]) -> Iterator[Endpoint]:
    """What the routes answer to, HEAD left out where it goes with GET.

    Raises:
        LookupError: a name in a path that is neither guarded nor free.
    """
    for context in iter_route_contexts(list(routes)):
        if isinstance(context.original_route, Mount):
            yield Endpoint("*", str(context.path), frozenset(), is_plain=True)
            continue
        dependant = getattr(context, "dependant", None)
        names = set(context.param_convertors)
        if names - GUARDED - FREE:
            raise LookupError(f"{context.path}: decide what {sorted(names - GUARDED - FREE)} is the id of")
        if dependant is not None:
            names |= {name for one in _tree(dependant) for name in _asked(one)}
        for method in sorted((context.methods or {"*"}) - {"HEAD"}):
            yield Endpoint(method, str(context.path), frozenset(names & GUARDED), is_plain=dependant is None)


def _tree(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for dependency in dependant.dependencies:
        yield from _tree(dependency)


def _asked(dependant: Dependant) -> Iterator[str]:
    """Names of what one dependency reads; the header that names a tenant counts as its id."""
    for field in (*dependant.path_params, *dependant.query_params):
        yield field.alias
    for field in dependant.header_params:
        if field.alias.lower() == "x-tenant-id":
            yield "tenant_id"
    for field in dependant.body_params:
        yield field.alias
        for model in _models(field.field_info.annotation):
            yield from model.model_fields


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a type, such as `Refresh | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
