"""Every table of the core, for Alembic: importing the slices' models fills one metadata."""

from sqlalchemy import MetaData

from tochka_core.base import Base

BASE = Base
METADATA: MetaData = Base.metadata
