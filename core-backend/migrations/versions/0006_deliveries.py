"""Deliveries: one row per event and receiver, their attempts, and the two counts of each receiver.

`receiver_sequences` counts per tenant, so that a receiver sees a loss as a gap. `receiver_positions` counts
all that a receiver gets: the cursor of its feed. Whoever fans out holds that row until it commits, so
positions become visible in their order and a reader never passes over one that commits later.
"""

from collections.abc import Sequence

from alembic import op
from rls import TENANT, protect

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

RECEIVER = "receiver = (SELECT app_module_id())"
# A module reads what it was given, news about a tenant as a whole among it.
GIVEN = """EXISTS (SELECT 1 FROM deliveries d WHERE d.tenant_id = events.tenant_id AND d.event_id = events.id
  AND d.receiver = (SELECT app_module_id()))"""

TABLES = (
    """
    CREATE TABLE receiver_positions (
      receiver text NOT NULL, last_position bigint NOT NULL,
      CONSTRAINT pk_receiver_positions PRIMARY KEY (receiver))
    """,
    """
    CREATE TABLE receiver_sequences (
      tenant_id uuid NOT NULL, receiver text NOT NULL, last_sequence bigint NOT NULL,
      CONSTRAINT pk_receiver_sequences PRIMARY KEY (tenant_id, receiver))
    """,
    """
    CREATE TABLE deliveries (
      tenant_id uuid NOT NULL, id uuid NOT NULL, event_id uuid NOT NULL, receiver text NOT NULL,
      position bigint NOT NULL, sequence bigint NOT NULL, installation_id uuid, type text NOT NULL,
      command boolean NOT NULL, status text NOT NULL DEFAULT 'pending',
      attempts smallint NOT NULL DEFAULT 0, due_at timestamptz NOT NULL DEFAULT now(),
      leased_until timestamptz, deadline_at timestamptz, created_at timestamptz NOT NULL DEFAULT now(),
      finished_at timestamptz,
      CONSTRAINT pk_deliveries PRIMARY KEY (tenant_id, id),
      CONSTRAINT uq_deliveries_receiver UNIQUE (tenant_id, receiver, sequence),
      CONSTRAINT fk_deliveries_event_id_events FOREIGN KEY (tenant_id, event_id)
        REFERENCES events (tenant_id, id),
      CONSTRAINT ck_deliveries_status CHECK (status IN
        ('pending', 'accepted', 'delivered', 'refused', 'expired', 'cancelled')))
    """,
    "CREATE INDEX ix_deliveries_due ON deliveries (receiver, command, due_at) WHERE status = 'pending'",
    """
    CREATE INDEX ix_deliveries_deadline ON deliveries (deadline_at)
    WHERE status IN ('pending', 'accepted') AND deadline_at IS NOT NULL
    """,
    """
    CREATE INDEX ix_deliveries_unsettled ON deliveries (tenant_id, installation_id)
    WHERE status IN ('pending', 'accepted')
    """,
    "CREATE INDEX ix_deliveries_event_id ON deliveries (tenant_id, event_id)",
    "CREATE INDEX ix_deliveries_receiver ON deliveries (receiver, position)",
    """
    CREATE TABLE attempts (
      tenant_id uuid NOT NULL, id uuid NOT NULL, delivery_id uuid NOT NULL, number smallint NOT NULL,
      started_at timestamptz NOT NULL, duration_ms integer NOT NULL, response_status smallint,
      error text, response_body text,
      CONSTRAINT pk_attempts PRIMARY KEY (tenant_id, id),
      CONSTRAINT fk_attempts_delivery_id_deliveries FOREIGN KEY (tenant_id, delivery_id)
        REFERENCES deliveries (tenant_id, id),
      CONSTRAINT ck_attempts_response_body CHECK (octet_length(response_body) <= 16384))
    """,
    "CREATE INDEX ix_attempts_delivery_id ON attempts (tenant_id, delivery_id, number)",
)


def upgrade() -> None:
    """Make the tables; the jobs role serves the whole queue, requests see their own tenant's."""
    for statement in TABLES:
        op.execute(statement)
    policies = (
        *protect("receiver_sequences", whole=TENANT, queue=True),
        *protect("deliveries", whole=TENANT, reads=(RECEIVER,), queue=True),
        *protect("attempts", whole=TENANT, queue=True),
    )
    for statement in policies:
        op.execute(statement)
    op.execute(f"CREATE POLICY events_given ON events FOR SELECT TO tochka_app USING ({GIVEN})")
    op.execute(f"ALTER POLICY events_wall ON events USING ({TENANT} OR {GIVEN})")
    op.execute("GRANT SELECT ON deliveries, attempts TO tochka_app")
    # a module reports `ready` or `failed` through a request: that settles its command
    op.execute("GRANT UPDATE (status, finished_at) ON deliveries TO tochka_app")
    queue = "receiver_positions, receiver_sequences, deliveries"
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {queue} TO tochka_jobs")
    op.execute("GRANT SELECT, INSERT ON attempts TO tochka_jobs")


def downgrade() -> None:
    """Drop the tables, and what else looks into them."""
    op.execute("DROP POLICY events_given ON events")
    op.execute(f"ALTER POLICY events_wall ON events USING ({TENANT})")
    for table in ("attempts", "deliveries", "receiver_sequences", "receiver_positions"):
        op.execute(f"DROP TABLE {table}")
