"""Deliveries to tenants' own endpoints: shut gates, strict order, repeats, and more about each attempt."""

from collections.abc import Sequence

from alembic import op
from rls import TENANT, protect

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STATUSES = "'pending', 'accepted', 'delivered', 'refused', 'expired', 'cancelled'"
READY = "CASE WHEN due_at IS NOT NULL THEN greatest(due_at, blocked_until) END"
COLUMNS = (
    "ALTER TABLE events ADD COLUMN endpoint_id uuid",
    """
    ALTER TABLE delivery_queues ADD COLUMN endpoint_id uuid, ADD COLUMN blocked_until timestamptz
    """,
    f"ALTER TABLE delivery_queues ADD COLUMN ready_at timestamptz GENERATED ALWAYS AS ({READY}) STORED",
    "DROP INDEX ix_delivery_queues_due",
    """
    CREATE INDEX ix_delivery_queues_ready ON delivery_queues (command, ready_at) WHERE ready_at IS NOT NULL
    """,
    """
    ALTER TABLE deliveries ADD COLUMN endpoint_id uuid, ADD COLUMN resource text,
      ADD COLUMN replayed boolean NOT NULL DEFAULT false, ADD COLUMN deferrals integer NOT NULL DEFAULT 0
    """,
    "ALTER TABLE deliveries DROP CONSTRAINT ck_deliveries_status",
    f"ALTER TABLE deliveries ADD CONSTRAINT ck_deliveries_status CHECK (status IN ({STATUSES}, 'held'))",
    """
    CREATE INDEX ix_deliveries_resource ON deliveries (tenant_id, receiver, resource, sequence)
    WHERE status = 'pending' AND resource IS NOT NULL
    """,
    """
    CREATE INDEX ix_deliveries_endpoint_id ON deliveries (tenant_id, endpoint_id, id)
    WHERE endpoint_id IS NOT NULL
    """,
    "CREATE INDEX ix_deliveries_held ON deliveries (tenant_id, receiver) WHERE status = 'held'",
    """
    ALTER TABLE attempts ADD COLUMN response_headers jsonb, ADD COLUMN timings jsonb, ADD COLUMN address text
    """,
)
REPLAYS = (
    """
    CREATE TABLE replays (
      tenant_id uuid NOT NULL, id uuid NOT NULL, endpoint_id uuid NOT NULL, delivery_id uuid,
      since timestamptz, until timestamptz, event_types text[] NOT NULL, statuses text[] NOT NULL,
      rate_per_second integer NOT NULL, status text NOT NULL DEFAULT 'running', total bigint NOT NULL,
      done bigint NOT NULL DEFAULT 0, last_sequence bigint NOT NULL DEFAULT 0,
      due_at timestamptz NOT NULL DEFAULT now(), created_at timestamptz NOT NULL DEFAULT now(),
      finished_at timestamptz,
      CONSTRAINT pk_replays PRIMARY KEY (tenant_id, id),
      CONSTRAINT fk_replays_endpoint_id_webhook_endpoints FOREIGN KEY (tenant_id, endpoint_id)
        REFERENCES webhook_endpoints (tenant_id, id) ON DELETE CASCADE,
      CONSTRAINT ck_replays_status CHECK (status IN ('running', 'done', 'cancelled')),
      CONSTRAINT ck_replays_rate_per_second CHECK (rate_per_second BETWEEN 1 AND 10000))
    """,
    "CREATE INDEX ix_replays_due ON replays (due_at) WHERE status = 'running'",
    "CREATE INDEX ix_replays_endpoint_id ON replays (tenant_id, endpoint_id, id)",
)


def upgrade() -> None:
    """Widen the queue, and make the table of replays."""
    for statement in (*COLUMNS, *REPLAYS, *protect("replays", whole=TENANT, queue=True)):
        op.execute(statement)
    op.execute("GRANT SELECT, INSERT ON replays TO tochka_app")
    op.execute("GRANT UPDATE (status, finished_at) ON replays TO tochka_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON replays TO tochka_jobs")


def downgrade() -> None:
    """Forget what endpoints were sent, and the replays."""
    op.execute("DROP TABLE replays")
    op.execute("ALTER TABLE attempts DROP COLUMN response_headers, DROP COLUMN timings, DROP COLUMN address")
    for table in ("attempts", "deliveries", "events", "delivery_queues"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        """
        DELETE FROM attempts a USING deliveries d
        WHERE d.tenant_id = a.tenant_id AND d.id = a.delivery_id AND d.endpoint_id IS NOT NULL
        """
    )
    op.execute("DELETE FROM deliveries WHERE endpoint_id IS NOT NULL")
    op.execute("DELETE FROM events WHERE endpoint_id IS NOT NULL")
    op.execute("DELETE FROM delivery_queues WHERE endpoint_id IS NOT NULL")
    for table in ("attempts", "deliveries", "events", "delivery_queues"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute("DROP INDEX ix_deliveries_held")
    op.execute("ALTER TABLE deliveries DROP CONSTRAINT ck_deliveries_status")
    op.execute(
        "ALTER TABLE deliveries DROP COLUMN endpoint_id, DROP COLUMN resource, DROP COLUMN replayed,"
        " DROP COLUMN deferrals"
    )
    op.execute(f"ALTER TABLE deliveries ADD CONSTRAINT ck_deliveries_status CHECK (status IN ({STATUSES}))")
    op.execute("ALTER TABLE events DROP COLUMN endpoint_id")
    op.execute("DROP INDEX ix_delivery_queues_ready")
    op.execute(
        "ALTER TABLE delivery_queues DROP COLUMN ready_at, DROP COLUMN endpoint_id, DROP COLUMN blocked_until"
    )
    op.execute(
        "CREATE INDEX ix_delivery_queues_due ON delivery_queues (command, due_at) WHERE due_at IS NOT NULL"
    )
