"""Scopes: the functions that every policy calls."""

from collections.abc import Sequence

from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

SCOPES = {"app_tenant_id": ("app.tenant_id", "uuid"), "app_user_id": ("app.user_id", "uuid")}
SCOPES["app_module_id"] = ("app.module_id", "text")

FUNCTION = """
CREATE FUNCTION {name}() RETURNS {type} LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog AS $$
DECLARE
  value text := nullif(current_setting('{setting}', true), '');
BEGIN
  IF value IS NULL
     AND coalesce(current_setting('app.tenant_id', true), '') = ''
     AND coalesce(current_setting('app.user_id', true), '') = ''
     AND coalesce(current_setting('app.module_id', true), '') = '' THEN
    RAISE EXCEPTION 'no scope is set' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN value::{type};
END $$
"""


def upgrade() -> None:
    """Make one function a scope: its value, NULL when only another scope is set, an error when none is."""
    op.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    op.execute("GRANT USAGE ON SCHEMA public TO tochka_app, tochka_jobs")
    for name, (setting, kind) in SCOPES.items():
        op.execute(FUNCTION.format(name=name, setting=setting, type=kind))


def downgrade() -> None:
    """Drop the functions."""
    for name in SCOPES:
        op.execute(f"DROP FUNCTION {name}()")
