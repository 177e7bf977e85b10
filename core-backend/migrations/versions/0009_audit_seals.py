"""The audit trail is sealed: entries wait until a seal holds them, and seals form one chain.

What waits is written by a trigger, with the entry and whoever adds it: nobody can add an entry that is never
sealed, and nobody but the sealer takes one off the list. An entry whose transaction commits late waits from
that moment on, so that none is passed over.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = (
    "CREATE TABLE audit_waiting (id uuid NOT NULL, CONSTRAINT pk_audit_waiting PRIMARY KEY (id))",
    """
    CREATE TABLE audit_seals (
      position bigint NOT NULL, first_number bigint NOT NULL,
      entry_ids uuid[] NOT NULL, leaves bytea NOT NULL,
      previous_hash bytea NOT NULL, hash bytea NOT NULL, sealed_at timestamptz NOT NULL,
      checkpoint text NOT NULL,
      CONSTRAINT pk_audit_seals PRIMARY KEY (position),
      CONSTRAINT uq_audit_seals_first_number UNIQUE (first_number),
      CONSTRAINT ck_audit_seals_position CHECK (position > 0 AND first_number > 0),
      CONSTRAINT ck_audit_seals_leaves CHECK
        (cardinality(entry_ids) > 0 AND octet_length(leaves) = 32 * cardinality(entry_ids)),
      CONSTRAINT ck_audit_seals_hash CHECK (octet_length(hash) = 32 AND octet_length(previous_hash) = 32))
    """,
    # hashes do not compress, and ids hardly do
    "ALTER TABLE audit_seals ALTER entry_ids SET STORAGE EXTERNAL, ALTER leaves SET STORAGE EXTERNAL",
)
TRIGGER = (
    """
    CREATE FUNCTION audit_entry_waits() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
      INSERT INTO audit_waiting (id) VALUES (NEW.id);
      RETURN NULL;
    END $$
    """,
    "REVOKE ALL ON FUNCTION audit_entry_waits() FROM PUBLIC",
    """
    CREATE TRIGGER audit_entries_wait AFTER INSERT ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION audit_entry_waits()
    """,
)
# the owner of the table is bound by its policies, too, and can read all of it for this once
BACKFILL = (
    "ALTER TABLE audit_entries NO FORCE ROW LEVEL SECURITY",
    "INSERT INTO audit_waiting (id) SELECT id FROM audit_entries",
    "ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY",
)
# no policy opens UPDATE to anybody, nor DELETE of a seal
POLICIES = (
    "ALTER TABLE audit_waiting ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE audit_waiting FORCE ROW LEVEL SECURITY",
    "CREATE POLICY audit_waiting_add ON audit_waiting FOR INSERT TO tochka_owner WITH CHECK (true)",
    "CREATE POLICY audit_waiting_jobs ON audit_waiting FOR SELECT TO tochka_jobs USING (true)",
    "CREATE POLICY audit_waiting_jobs_take ON audit_waiting FOR DELETE TO tochka_jobs USING (true)",
    "ALTER TABLE audit_seals ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE audit_seals FORCE ROW LEVEL SECURITY",
    "CREATE POLICY audit_seals_jobs ON audit_seals FOR SELECT TO tochka_jobs USING (true)",
    "CREATE POLICY audit_seals_jobs_add ON audit_seals FOR INSERT TO tochka_jobs WITH CHECK (true)",
)
GRANTS = (
    "GRANT SELECT, DELETE ON audit_waiting TO tochka_jobs",
    "GRANT SELECT, INSERT ON audit_seals TO tochka_jobs",
)


def upgrade() -> None:
    """Make the tables and the trigger; what was recorded before waits, too."""
    for statement in (*TABLES, *POLICIES, *TRIGGER, *BACKFILL, *GRANTS):
        op.execute(statement)


def downgrade() -> None:
    """Drop what `upgrade` made; the entries stay."""
    op.execute("DROP TRIGGER audit_entries_wait ON audit_entries")
    op.execute("DROP FUNCTION audit_entry_waits()")
    for table in ("audit_seals", "audit_waiting"):
        op.execute(f"DROP TABLE {table}")
