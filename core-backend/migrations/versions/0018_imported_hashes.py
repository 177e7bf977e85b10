"""What the dearest bcrypt hash costs that is still stored: every sign-in by password does the work of it.

Whoever signs in is nobody yet, so this is looked up before any scope, and says one number of all people.
"""

from collections.abc import Sequence

from alembic import op
from rls import readable_by_owner

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# of the costs that are taken; empty when the last one was replaced
INDEX = r"""
CREATE INDEX ix_passwords_bcrypt ON passwords (substr(hash, 5, 2))
WHERE hash ~ '^\$2[aby]\$(0[4-9]|1[0-2])\$[./A-Za-z0-9]{53}$'
"""
DEAREST = r"""
CREATE FUNCTION dearest_bcrypt() RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $$
  SELECT coalesce(max(substr(hash, 5, 2)), '0')::integer FROM passwords
  WHERE hash ~ '^\$2[aby]\$(0[4-9]|1[0-2])\$[./A-Za-z0-9]{53}$'
$$
"""


def upgrade() -> None:
    """Make the look-up and its index."""
    op.execute(INDEX)
    op.execute(readable_by_owner("passwords"))
    op.execute(DEAREST)
    op.execute("REVOKE ALL ON FUNCTION dearest_bcrypt() FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION dearest_bcrypt() TO tochka_app")


def downgrade() -> None:
    """Nobody asks any more."""
    op.execute("DROP FUNCTION dearest_bcrypt()")
    op.execute("DROP POLICY passwords_lookup ON passwords")
    op.execute("DROP INDEX ix_passwords_bcrypt")
