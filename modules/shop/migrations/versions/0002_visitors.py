"""Orders remember where they came from, so that a flood of them can be stopped.

Revision: 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("orders", sa.Column("visitor", sa.String(), nullable=False, server_default=""))
    op.create_index("ix_orders_visitor", "orders", ["tenant_id", "installation_id", "visitor", "created_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_orders_visitor", "orders")
    op.drop_column("orders", "visitor")
