"""Where a replay ends: at the last delivery that there was when it was asked for.

Whoever does not know the column writes none: such a job ends where the history does, as all did before.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Leave the jobs that there are without an end."""
    op.execute("ALTER TABLE replays ADD COLUMN until_sequence bigint")


def downgrade() -> None:
    """Jobs go on to the end of the history."""
    op.execute("ALTER TABLE replays DROP COLUMN until_sequence")
