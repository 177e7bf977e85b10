"""How often an owner wanted an endpoint to be asked anew: what its gate said before counts no more.

Requests may write this and nothing else of a queue, and only of their tenant's.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Begin with none."""
    op.execute("ALTER TABLE delivery_queues ADD COLUMN epoch integer NOT NULL DEFAULT 0")
    op.execute("GRANT SELECT ON delivery_queues TO tochka_app")
    op.execute("GRANT UPDATE (epoch, blocked_until) ON delivery_queues TO tochka_app")


def downgrade() -> None:
    """Gates stay as they are."""
    op.execute("REVOKE UPDATE (epoch, blocked_until) ON delivery_queues FROM tochka_app")
    op.execute("REVOKE SELECT ON delivery_queues FROM tochka_app")
    op.execute("ALTER TABLE delivery_queues DROP COLUMN epoch")
