"""How often a delivery was sent again, not only whether: an answer to what was sent before says nothing of
what is sent now.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _filled(statement: str) -> None:
    """Fill a new column. The owner is bound by policies, too, but for this once."""
    op.execute("ALTER TABLE deliveries NO FORCE ROW LEVEL SECURITY")
    op.execute(statement)
    op.execute("ALTER TABLE deliveries FORCE ROW LEVEL SECURITY")


def upgrade() -> None:
    """Count from one for what was sent again before."""
    op.execute("ALTER TABLE deliveries ADD COLUMN replays integer NOT NULL DEFAULT 0")
    _filled("UPDATE deliveries SET replays = 1 WHERE replayed")
    op.execute("ALTER TABLE deliveries DROP COLUMN replayed")


def downgrade() -> None:
    """Remember only whether."""
    op.execute("ALTER TABLE deliveries ADD COLUMN replayed boolean NOT NULL DEFAULT false")
    _filled("UPDATE deliveries SET replayed = true WHERE replays > 0")
    op.execute("ALTER TABLE deliveries DROP COLUMN replays")
