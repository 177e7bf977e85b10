"""The role that migrates cannot change or empty the trail either, unless it first gives itself the right."""

from collections.abc import Sequence

from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """An owner's rights are its own to take back; a slip is then refused."""
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON audit_entries, audit_seals FROM CURRENT_USER")
    op.execute("REVOKE UPDATE, TRUNCATE ON audit_waiting FROM CURRENT_USER")


def downgrade() -> None:
    """As tables come."""
    op.execute("GRANT UPDATE, DELETE, TRUNCATE ON audit_entries, audit_seals TO CURRENT_USER")
    op.execute("GRANT UPDATE, TRUNCATE ON audit_waiting TO CURRENT_USER")
