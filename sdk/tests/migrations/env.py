"""The Alembic environment of the module that the tests are about."""

from tochka_sdk import migrations

migrations.environment()
