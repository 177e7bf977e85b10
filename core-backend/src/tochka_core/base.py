"""The declarative base of the core's tables."""

from sqlalchemy.orm import DeclarativeBase
from tochka_sdk.db import new_metadata


class Base(DeclarativeBase):
    """One metadata for all slices; constraints are named by the house's convention."""

    metadata = new_metadata()
