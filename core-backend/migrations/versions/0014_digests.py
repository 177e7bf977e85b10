"""Digests: when each receiver was last told how many events of a tenant there are for it."""

from collections.abc import Sequence

from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Begin now: whoever is known already gets the first one within a day, each at a moment of its own."""
    op.execute(
        "ALTER TABLE receiver_sequences"
        " ADD COLUMN digested_at timestamptz NOT NULL DEFAULT now() - random() * interval '1 day',"
        " ADD COLUMN digested_sequence bigint NOT NULL DEFAULT 0"
    )
    op.execute("ALTER TABLE receiver_sequences ALTER COLUMN digested_at SET DEFAULT now()")
    op.execute("CREATE INDEX ix_receiver_sequences_digested_at ON receiver_sequences (digested_at)")


def downgrade() -> None:
    """Tell nobody any more."""
    op.execute("DROP INDEX ix_receiver_sequences_digested_at")
    op.execute("ALTER TABLE receiver_sequences DROP COLUMN digested_at, DROP COLUMN digested_sequence")
