"""The outbox: events written with the change that they tell of."""

from collections.abc import Sequence

from alembic import op
from rls import TENANT, protect

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Make `events`; the partial indexes are what the fan-out polls."""
    op.execute(
        """
        CREATE TABLE events (
          tenant_id uuid NOT NULL, id uuid NOT NULL, type text NOT NULL,
          installation_id uuid, module_id text, schema_version smallint NOT NULL DEFAULT 1,
          data jsonb NOT NULL, occurred_at timestamptz NOT NULL DEFAULT now(), deadline_at timestamptz,
          fanned_out_at timestamptz,
          CONSTRAINT pk_events PRIMARY KEY (tenant_id, id),
          CONSTRAINT fk_events_tenant_id_tenants FOREIGN KEY (tenant_id) REFERENCES tenants (id))
        """
    )
    op.execute("CREATE INDEX ix_events_waiting ON events (id) WHERE fanned_out_at IS NULL")
    # whether an older event of the same tenant still waits: its order is kept by whoever fans out
    op.execute("CREATE INDEX ix_events_waiting_tenant ON events (tenant_id, id) WHERE fanned_out_at IS NULL")
    for statement in protect("events", whole=TENANT, queue=True):
        op.execute(statement)
    op.execute("GRANT SELECT, INSERT ON events TO tochka_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON events TO tochka_jobs")


def downgrade() -> None:
    """Drop the table."""
    op.execute("DROP TABLE events")
