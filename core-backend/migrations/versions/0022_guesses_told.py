"""Whoever guesses at a number is told of in the trails of the tenants that the number opens.

Nobody is signed in then, and an unknown number must cost the same: so it is one call, whoever has the number.
"""

from collections.abc import Sequence

from alembic import op
from rls import readable_by_owner

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# An entry's id begins with its time (UUID version 7): a copy's begins with the same one.
TELL = """
CREATE FUNCTION tell_tenants_of_guesses(
  entry uuid, guessed text, what text, from_where inet, request text, told jsonb
) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO audit_entries (id, tenant_id, action, subject_id, address, request_id, data)
  SELECT (left(entry::text, 19) || '8' || left(mark, 3) || '-' || substr(mark, 4, 12))::uuid,
         m.tenant_id, what, u.id, from_where, request, told
  FROM users u JOIN memberships m ON m.user_id = u.id, md5(entry::text || m.tenant_id::text) AS mark
  WHERE u.phone = guessed
$$
"""
ADD = """
CREATE POLICY audit_entries_guesses ON audit_entries FOR INSERT TO tochka_owner
WITH CHECK (action IN ('codes.refused', 'password.refused') AND tenant_id IS NOT NULL AND user_id IS NULL)
"""
SIGNATURE = "tell_tenants_of_guesses(uuid, text, text, inet, text, jsonb)"


def upgrade() -> None:
    """Make the call; nobody else may add for a tenant whose scope is not set."""
    op.execute(readable_by_owner("memberships"))
    op.execute(ADD)
    op.execute(TELL)
    op.execute(f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO tochka_app")


def downgrade() -> None:
    """The platform alone is told."""
    op.execute(f"DROP FUNCTION {SIGNATURE}")
    op.execute("DROP POLICY audit_entries_guesses ON audit_entries")
    op.execute("DROP POLICY memberships_lookup ON memberships")
