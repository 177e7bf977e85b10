"""Versions of events: the newest body of each type, those before it, and the way back to them.

Versions are numbered for the whole platform, so that a receiver pins one number for all types: it is told the
newest body of each type that is not above its number. A type that never changed stands at 1.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from tochka_sdk.events import event_schema, words_of

from tochka_core.outbox.errors import EventMisshapen
from tochka_core.outbox.events import BODIES, FOR_MODULES, FOR_TENANTS, ON_REQUEST

Data = dict[str, Any]
Step = Callable[[Data], Data]
Audience = Literal["modules", "tenants"]


@dataclass(frozen=True, slots=True)
class EventType:
    """What is published of one type. `schema` is JSON Schema of the newest version, envelope included."""

    type: str
    title: str
    description: str
    version: int
    versions: tuple[int, ...]
    audiences: tuple[Audience, ...]
    schema: Data


class Catalogue:
    """Every type that may be recorded, with all its versions."""

    def __init__(self, newest: Mapping[str, type[BaseModel]]) -> None:
        self._models = {type: {1: model} for type, model in newest.items()}
        self._steps: dict[tuple[str, int], Step] = {}

    def downgrade(self, type: str, from_version: int, *, to: type[BaseModel]) -> Callable[[Step], Step]:
        """Say that the newest body of `type` came with `from_version`, that the one before it was `to`, and
        that the decorated function makes the one before of the newest. Called once for each, oldest first.
        """
        models = self._models[type]
        before = max(models)
        if from_version <= before:
            raise ValueError(f"{type} stands at {before} already")
        models[before], models[from_version] = to, models[before]

        def keep(step: Step) -> Step:
            self._steps[type, from_version] = step
            return step

        return keep

    @property
    def version(self) -> int:
        """The platform's version: the highest of all types."""
        return max(self.version_of(type) for type in self._models)

    def version_of(self, type: str) -> int:
        """The version in which `type` is recorded now."""
        return max(self._models[type])

    def written(self, type: str, data: BaseModel | Mapping[str, Any]) -> Data:
        """`data` as JSON, checked against the newest body of `type`.

        Raises `EventMisshapen` for a type outside the contract or a model of another type, and pydantic's
        `ValidationError` for a mapping that does not fit.
        """
        if type not in self._models:
            raise EventMisshapen(f"{type} is not an event of the contract")
        model = self._models[type][self.version_of(type)]
        if isinstance(data, BaseModel):
            if not isinstance(data, model):
                raise EventMisshapen(f"{type} carries {model.__name__}, not {data.__class__.__name__}")
            return data.model_dump(mode="json")
        return model.model_validate(data).model_dump(mode="json")

    def told(self, type: str, data: Data, *, recorded: int, wanted: int) -> tuple[int, Data]:
        """The version and the body for whoever wants at most `wanted`, of what was recorded as `recorded`.

        An older body than wanted stays as it is: its version says so. Raises `EventMisshapen` when the
        outcome is not what is published: such a body is sent to nobody.
        """
        models = self._models.get(type, {})
        known = [version for version in sorted(models, reverse=True) if version <= recorded]
        if not known:
            raise EventMisshapen(f"{type} is not an event of the contract")
        version = known[0]
        for former in known[1:]:
            if version <= wanted:
                break
            data = self._steps[type, version](data)
            version = former
        try:
            return version, models[version].model_validate(data).model_dump(mode="json")
        except ValidationError as error:
            where = ", ".join(".".join(map(str, item["loc"])) for item in error.errors(include_input=False))
            raise EventMisshapen(f"{type} {version}: wrong data at {where or 'the top'}") from None

    def published(self) -> Iterator[EventType]:
        """The types that somebody hears, by name."""
        for type in sorted(self._models):
            audiences = _audiences(type)
            if audiences:
                version = self.version_of(type)
                title, description = words_of(self._models[type][version])
                schema = self.schema(type, version)
                versions = tuple(sorted(self._models[type]))
                yield EventType(type, title, description, version, versions, audiences, schema)

    def schema(self, type: str, version: int) -> Data:
        """JSON Schema of an event in one of its versions, envelope included."""
        return event_schema(type, self._models[type][version])


def _audiences(type: str) -> tuple[Audience, ...]:
    hears: dict[Audience, bool] = {
        "modules": type in FOR_MODULES,
        "tenants": type in FOR_TENANTS | ON_REQUEST,
    }
    return tuple(audience for audience, does in hears.items() if does)


CATALOGUE = Catalogue(BODIES)
"""The platform's events. All types stand at version 1: nobody has to be told anything older yet."""
