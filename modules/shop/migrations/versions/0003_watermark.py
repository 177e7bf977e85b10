"""The SDK's tables know repetitions by their numbers, and what proves that nothing is missing.

Revision: 0003, after 0002.
"""

from tochka_sdk import migrations

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    migrations.upgrade_sdk_tables()


def downgrade() -> None:
    """Nothing to undo: the SDK before works with these tables."""
