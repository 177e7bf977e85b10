"""The tables of the module that the tests are about: the SDK's own, and `notes`."""

import sqlalchemy as sa
from alembic import op
from tochka_sdk import migrations

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    migrations.create_sdk_tables()
    op.create_table(
        "notes",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("installation_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.CheckConstraint("length(text) < 100", name="ck_notes_short"),
        sa.UniqueConstraint("tenant_id", "installation_id", "text", name="uq_notes_text", deferrable=True),
    )
    migrations.protect("notes")


def downgrade() -> None:
    """Unmake them."""
    op.drop_table("notes")
    migrations.drop_sdk_tables()
