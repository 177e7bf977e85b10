"""Invitations by phone, and tenants on their way from one owner to the next."""

from collections.abc import Sequence

from alembic import op
from rls import TENANT, protect, readable_by_owner

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = (
    """
    CREATE TABLE invitations (
      tenant_id uuid NOT NULL, id uuid NOT NULL, phone text NOT NULL, role text NOT NULL,
      invited_by uuid NOT NULL, token_hash bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL,
      closed_at timestamptz, outcome text,
      CONSTRAINT pk_invitations PRIMARY KEY (tenant_id, id),
      CONSTRAINT fk_invitations_tenant_id_tenants FOREIGN KEY (tenant_id) REFERENCES tenants (id),
      CONSTRAINT fk_invitations_invited_by_users FOREIGN KEY (invited_by) REFERENCES users (id),
      CONSTRAINT ck_invitations_role CHECK (role IN ('owner', 'admin', 'staff')),
      CONSTRAINT ck_invitations_closed CHECK ((closed_at IS NULL) = (outcome IS NULL)),
      CONSTRAINT ck_invitations_outcome CHECK (outcome IN ('accepted', 'declined', 'withdrawn', 'expired')))
    """,
    "CREATE UNIQUE INDEX uq_invitations_open ON invitations (tenant_id, phone) WHERE closed_at IS NULL",
    "CREATE INDEX ix_invitations_phone ON invitations (phone)",
    """
    CREATE TABLE handovers (
      tenant_id uuid NOT NULL, from_user_id uuid NOT NULL, to_user_id uuid NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL,
      CONSTRAINT pk_handovers PRIMARY KEY (tenant_id),
      CONSTRAINT fk_handovers_from_user_id_memberships FOREIGN KEY (tenant_id, from_user_id)
        REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE,
      CONSTRAINT fk_handovers_to_user_id_memberships FOREIGN KEY (tenant_id, to_user_id)
        REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE)
    """,
)

# The invited person is nobody in the tenant yet: what may be seen before the tenant's scope is known is what
# names the person's own phone, and no more of the tenant than its name and who invites. An invitation that
# was accepted stays in it, so that accepting it once more is answered alike.
TO_PERSON = """
CREATE FUNCTION invitations_to_person()
RETURNS TABLE (tenant_id uuid, id uuid, tenant_name text, role text, invited_by_name text, token_hash bytea,
               created_at timestamptz, expires_at timestamptz, outcome text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT i.tenant_id, i.id, t.name, i.role, inviter.name, i.token_hash, i.created_at, i.expires_at, i.outcome
  FROM users u
  JOIN invitations i ON i.phone = u.phone
  JOIN tenants t ON t.id = i.tenant_id
  JOIN users inviter ON inviter.id = i.invited_by
  WHERE u.id = (SELECT app_user_id())
    AND ((i.closed_at IS NULL AND i.expires_at > now()) OR i.outcome = 'accepted')
$$
"""

GRANTS = (
    "GRANT SELECT, INSERT, UPDATE ON invitations TO tochka_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON handovers TO tochka_app",
    "REVOKE ALL ON FUNCTION invitations_to_person() FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION invitations_to_person() TO tochka_app",
)


def upgrade() -> None:
    """Make the tables, their policies, and the look-up that precedes the tenant's scope."""
    for statement in TABLES:
        op.execute(statement)
    policies = (
        *protect("invitations", whole=TENANT),
        *protect("handovers", whole=TENANT),
        *map(readable_by_owner, ("invitations", "tenants")),
    )
    for statement in (*policies, TO_PERSON, *GRANTS):
        op.execute(statement)


def downgrade() -> None:
    """Drop what `upgrade` made."""
    op.execute("DROP FUNCTION invitations_to_person()")
    op.execute("DROP POLICY tenants_lookup ON tenants")
    for table in ("handovers", "invitations"):
        op.execute(f"DROP TABLE {table}")
