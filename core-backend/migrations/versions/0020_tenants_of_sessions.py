"""The tenant that a session is in: whoever refreshes a token without naming one stays there.

No foreign key: a session outlives a membership, and is asked for it each time.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Sessions of before begin where they always did: in the person's oldest tenant."""
    op.execute("ALTER TABLE sessions ADD COLUMN tenant_id uuid")


def downgrade() -> None:
    """Forget it."""
    op.execute("ALTER TABLE sessions DROP COLUMN tenant_id")
