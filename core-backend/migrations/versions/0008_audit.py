"""The audit trail: entries that are added and read, and never changed."""

from collections.abc import Sequence

from alembic import op
from rls import TENANT, USER

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLE = """
    CREATE TABLE audit_entries (
      id uuid NOT NULL, tenant_id uuid, user_id uuid, session_id uuid, action text NOT NULL,
      subject_id uuid, address inet, request_id text, data jsonb NOT NULL,
      occurred_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_audit_entries PRIMARY KEY (id),
      CONSTRAINT ck_audit_entries_data CHECK (octet_length(data::text) <= 4096))
"""
INDEXES = (
    "CREATE INDEX ix_audit_entries_tenant_id ON audit_entries (tenant_id, id)",
    "CREATE INDEX ix_audit_entries_user_id ON audit_entries (user_id, id)",
)

SEEN = f"{TENANT} OR {USER}"
# A tenant's entry is written in the tenant's scope, or by a member in the member's own; a person's in that
# person's scope. What names neither is the platform's, and may have to be written before anybody is known:
# hence CASE, which keeps the functions that raise without a scope from being called.
MEMBER = """EXISTS (SELECT 1 FROM memberships m
  WHERE m.tenant_id = audit_entries.tenant_id AND m.user_id = (SELECT app_user_id()))"""
OWN = f"coalesce({TENANT}, false) OR (coalesce({USER}, false) AND (tenant_id IS NULL OR {MEMBER}))"
ADDED = f"CASE WHEN tenant_id IS NULL AND user_id IS NULL THEN true ELSE {OWN} END"
# no policy opens UPDATE or DELETE to anybody, so that even a careless GRANT changes nothing
POLICIES = (
    "ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY audit_entries_scope ON audit_entries FOR SELECT TO tochka_app USING ({TENANT})",
    f"CREATE POLICY audit_entries_read_1 ON audit_entries FOR SELECT TO tochka_app USING ({USER})",
    f"CREATE POLICY audit_entries_add ON audit_entries FOR INSERT TO tochka_app WITH CHECK ({ADDED})",
    f"CREATE POLICY audit_entries_wall ON audit_entries AS RESTRICTIVE FOR ALL TO tochka_app "
    f"USING ({SEEN}) WITH CHECK ({ADDED})",
    "CREATE POLICY audit_entries_jobs ON audit_entries FOR SELECT TO tochka_jobs USING (true)",
    "CREATE POLICY audit_entries_jobs_add ON audit_entries FOR INSERT TO tochka_jobs WITH CHECK (true)",
)


def upgrade() -> None:
    """Make the table; both roles may add and read, none may change or remove."""
    for statement in (TABLE, *INDEXES, *POLICIES):
        op.execute(statement)
    op.execute("GRANT SELECT, INSERT ON audit_entries TO tochka_app, tochka_jobs")


def downgrade() -> None:
    """Drop the table."""
    op.execute("DROP TABLE audit_entries")
