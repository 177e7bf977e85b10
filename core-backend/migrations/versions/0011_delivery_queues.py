"""Queues: the deliveries of one tenant to one receiver stand in one queue, and queues stand in one line.

A queue knows a lower bound of when its next delivery is due, so that a claim looks at the queues whose time
has come, however many deliveries there are, and takes a few of each.
"""

from collections.abc import Sequence

from alembic import op
from rls import TENANT, protect

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = (
    """
    CREATE TABLE delivery_queues (
      tenant_id uuid NOT NULL, receiver text NOT NULL, command boolean NOT NULL, due_at timestamptz,
      CONSTRAINT pk_delivery_queues PRIMARY KEY (tenant_id, receiver, command))
    """,
    "CREATE INDEX ix_delivery_queues_due ON delivery_queues (command, due_at) WHERE due_at IS NOT NULL",
    "DROP INDEX ix_deliveries_due",
    """
    CREATE INDEX ix_deliveries_due ON deliveries (tenant_id, receiver, command, due_at)
    WHERE status = 'pending'
    """,
)
# the owner of the table is bound by its policies, too, and can read all of it for this once
BACKFILL = (
    "ALTER TABLE deliveries NO FORCE ROW LEVEL SECURITY",
    """
    INSERT INTO delivery_queues (tenant_id, receiver, command, due_at)
    SELECT tenant_id, receiver, command, min(due_at) FROM deliveries WHERE status = 'pending'
    GROUP BY tenant_id, receiver, command
    """,
    "ALTER TABLE deliveries FORCE ROW LEVEL SECURITY",
)


def upgrade() -> None:
    """Make the queues of what waits already."""
    for statement in (*TABLES, *BACKFILL, *protect("delivery_queues", whole=TENANT, queue=True)):
        op.execute(statement)
    op.execute("GRANT SELECT, INSERT, UPDATE ON delivery_queues TO tochka_jobs")


def downgrade() -> None:
    """Let every receiver have one queue again, as before."""
    op.execute("DROP TABLE delivery_queues")
    op.execute("DROP INDEX ix_deliveries_due")
    op.execute(
        "CREATE INDEX ix_deliveries_due ON deliveries (receiver, command, due_at) WHERE status = 'pending'"
    )
