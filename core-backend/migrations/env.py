"""Alembic's environment: the connection is handed over by `tochka_core.migrate`, never read from a file."""

from alembic import context
from tochka_core.metadata import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
