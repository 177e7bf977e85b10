"""The base of a package's tables: its own metadata, with the house's names for constraints."""

from typing import Any, ClassVar

from sqlalchemy import JSON, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


def new_metadata() -> MetaData:
    """Metadata with the house's names for constraints.

    For a package's own base: `class Model(DeclarativeBase): metadata = new_metadata()`, which type checkers
    follow.
    """
    return MetaData(naming_convention=NAMING)


def new_base() -> type[DeclarativeBase]:
    """A fresh declarative base with its own metadata and the house's names for constraints.

    A type checker cannot derive from a function's result; where that matters, write the class with
    `new_metadata`.
    """

    class Model(DeclarativeBase):
        metadata = new_metadata()
        type_annotation_map: ClassVar = {dict[str, Any]: JSON().with_variant(JSONB(), "postgresql")}

    return Model
