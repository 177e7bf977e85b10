"""Whose rows a transaction may see: the four settings that row-level security reads."""

import re
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

_MODULE_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")


class NoScope(RuntimeError):
    """A door to the database was opened for nobody in particular. A mistake in the program, never a
    client's.
    """


@dataclass(frozen=True, slots=True)
class Scope:
    """A tenant, an installation, a person, a module: whichever are given become `app.*` settings.

    `app.tenant_id`, `app.installation_id`, `app.user_id`, `app.module_id` are set for the transaction only
    (`set_config(…, true)`); the policies compare rows with them. `Scope()` with nothing raises `NoScope`.

    Raises:
        NoScope: nothing is given.
        ValueError: an id is not a UUID, or `module_id` is not a module's id.
    """

    tenant_id: UUID | None = None
    installation_id: UUID | None = None
    user_id: UUID | None = None
    module_id: str | None = None

    def __post_init__(self) -> None:
        for value in (self.tenant_id, self.installation_id, self.user_id):
            if value is not None and not isinstance(value, UUID):
                raise ValueError("the ids of a scope are UUIDs")
        if self.module_id is not None and _MODULE_ID.fullmatch(self.module_id) is None:
            raise ValueError("the module of a scope is a module's id")
        if not self.settings():
            raise NoScope("a scope names a tenant, an installation, a user or a module")

    def settings(self) -> dict[str, str]:
        """What to set: name of the setting → value, which is a UUID or a plain module id and so needs no
        quoting.
        """
        given = {
            "app.tenant_id": self.tenant_id,
            "app.installation_id": self.installation_id,
            "app.user_id": self.user_id,
            "app.module_id": self.module_id,
        }
        return {name: str(value) for name, value in given.items() if value is not None}

    def begin(self) -> str:
        """`BEGIN` and the settings as one simple-protocol batch: one round trip."""
        calls = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in self.settings().items())
        return f"BEGIN; SELECT {calls}"


@lru_cache(maxsize=256)
def alone(query: str, names: tuple[str, ...], count: int) -> str:
    """A query with `count` parameters as a statement that first sets its scope, the settings of these names,
    by further parameters.

    That the scope comes first is no luck of the plan: what refers to it laterally cannot run before there is
    a row of it, and `OFFSET 0` keeps the query in one piece.
    """
    calls = ", ".join(f"set_config('{name}', ${count + place}, true)" for place, name in enumerate(names, 1))
    asked = f"SELECT * FROM ({query}) asked WHERE scope.is_set IS NOT NULL OFFSET 0"  # noqa: S608  a constant
    scope = f"WITH scope AS MATERIALIZED (SELECT concat({calls}) AS is_set)"
    return f"{scope} SELECT found.* FROM scope, LATERAL ({asked}) found"  # noqa: S608  of the two above
