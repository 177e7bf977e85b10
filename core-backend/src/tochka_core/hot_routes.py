"""Routes that are asked far more often than all others, served without the framework's work on each request.

FastAPI looks at every dependency anew for each request: what kind of function it is, where its parameters
come from, when it is to be ended. For a route that takes nothing but dependencies and parts of its path the
answers never change; here they are worked out once. The description of the route stays FastAPI's own.
"""

from collections.abc import Callable, Coroutine, Iterator
from inspect import isasyncgenfunction
from typing import Any, NamedTuple

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute


class _Step(NamedTuple):
    """A call with values of the steps before it, by the names of its parameters; the request is number 0."""

    call: Callable[..., Any]
    values: tuple[tuple[str, int], ...]
    path: tuple[Any, ...]


class HotRoute(APIRoute):
    """A GET whose endpoint answers with a model and takes dependencies and parts of its path.

    Dependencies are `async def` and hold nothing open. Their header parameters are for the description: they
    keep their defaults, and whoever declares one reads the request. What the application asks of every route
    is about bodies, and not asked here.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Call after call, and then the answer."""
        steps = _steps(self.dependant)

        async def handle(request: Request) -> Response:
            answer = await _run(steps, request)
            return Response(answer.model_dump_json(by_alias=True), media_type="application/json")

        return handle


def _steps(dependant: Dependant) -> tuple[_Step, ...]:
    """What a dependant needs, each once, and at last itself."""
    steps: list[_Step] = []
    places: dict[Any, int] = {}

    def place(needed: Dependant) -> int:
        if needed.call is None or needed.call in places:
            return places[needed.call]
        if isasyncgenfunction(needed.call):
            raise TypeError(f"{needed.call} would stay open: a hot route ends nothing")
        values = [(child.name, place(child)) for child in needed.dependencies]
        values.append((needed.request_param_name or needed.http_connection_param_name, 0))
        named = tuple((name, number) for name, number in values if name is not None)
        steps.append(_Step(needed.call, named, tuple(needed.path_params)))
        places[needed.call] = len(steps)
        return len(steps)

    place(dependant)
    return tuple(steps)


async def _run(steps: tuple[_Step, ...], request: Request) -> Any:
    """What the last step gives."""
    known: list[Any] = [request]
    for call, values, path in steps:
        given = {name: known[place] for name, place in values}
        if path:
            given.update(_parts(path, request))
        known.append(await call(**given))
    return known[-1]


def _parts(path: tuple[Any, ...], request: Request) -> Iterator[tuple[str, Any]]:
    """The parts of the path in their types."""
    for field in path:
        value, errors = field.validate(request.path_params[field.alias], {}, loc=("path", field.alias))
        if errors:
            raise RequestValidationError(errors)
        yield field.name, value
