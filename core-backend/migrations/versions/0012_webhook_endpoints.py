"""Tenants' own webhook endpoints."""

from collections.abc import Sequence

from alembic import op
from rls import TENANT, protect

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLE = """
    CREATE TABLE webhook_endpoints (
      tenant_id uuid NOT NULL, id uuid NOT NULL, url text NOT NULL, description text NOT NULL,
      event_types text[] NOT NULL, schema_version smallint NOT NULL,
      status text NOT NULL DEFAULT 'enabled', disabled_at timestamptz, disabled_reason text,
      ordered boolean NOT NULL, rate_per_second integer NOT NULL, concurrency smallint NOT NULL,
      secret bytea NOT NULL, previous_secret bytea, previous_until timestamptz,
      failing_since timestamptz, failures smallint NOT NULL DEFAULT 0,
      warned_percent smallint NOT NULL DEFAULT 0,
      created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_webhook_endpoints PRIMARY KEY (tenant_id, id),
      CONSTRAINT fk_webhook_endpoints_tenant_id_tenants FOREIGN KEY (tenant_id) REFERENCES tenants (id),
      CONSTRAINT ck_webhook_endpoints_status CHECK (status IN ('enabled', 'disabled')),
      CONSTRAINT ck_webhook_endpoints_disabled
        CHECK ((status = 'disabled') = (disabled_at IS NOT NULL AND disabled_reason IS NOT NULL)),
      CONSTRAINT ck_webhook_endpoints_disabled_reason CHECK (disabled_reason IN ('owner', 'gone', 'failing')),
      CONSTRAINT ck_webhook_endpoints_previous
        CHECK ((previous_secret IS NULL) = (previous_until IS NULL)))
"""
# The dispatcher tells how endpoints fare; what they are is their owners' to say.
GRANTS = (
    "GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoints TO tochka_app",
    "GRANT SELECT ON webhook_endpoints TO tochka_jobs",
    "GRANT UPDATE (status, disabled_at, disabled_reason, failing_since, failures, warned_percent)"
    " ON webhook_endpoints TO tochka_jobs",
)


def upgrade() -> None:
    """Make the table and its policies."""
    for statement in (TABLE, *protect("webhook_endpoints", whole=TENANT, queue=True), *GRANTS):
        op.execute(statement)


def downgrade() -> None:
    """Drop the table."""
    op.execute("DROP TABLE webhook_endpoints")
