"""People and tenants: users, sessions, confirmed challenges, tenants, memberships, idempotency keys."""

from collections.abc import Sequence

from alembic import op
from rls import TENANT, USER, protect, readable_by_owner

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = (
    """
    CREATE TABLE users (
      id uuid NOT NULL, phone text NOT NULL, name text NOT NULL DEFAULT '', locale text NOT NULL DEFAULT 'ru',
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_users PRIMARY KEY (id),
      CONSTRAINT uq_users_phone UNIQUE (phone),
      CONSTRAINT ck_users_phone CHECK (phone ~ '^\\+[1-9][0-9]{6,14}$'),
      CONSTRAINT ck_users_name CHECK (char_length(name) <= 120),
      CONSTRAINT ck_users_locale CHECK (locale IN ('ru', 'en')))
    """,
    """
    CREATE TABLE sessions (
      user_id uuid NOT NULL, id uuid NOT NULL, counter integer NOT NULL DEFAULT 0,
      user_agent text NOT NULL DEFAULT '', ip inet,
      created_at timestamptz NOT NULL DEFAULT now(), last_used_at timestamptz NOT NULL DEFAULT now(),
      rotated_at timestamptz, idle_expires_at timestamptz NOT NULL, expires_at timestamptz NOT NULL,
      revoked_at timestamptz,
      CONSTRAINT pk_sessions PRIMARY KEY (user_id, id),
      CONSTRAINT fk_sessions_user_id_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
      CONSTRAINT ck_sessions_user_agent CHECK (char_length(user_agent) <= 400))
    """,
    """
    CREATE TABLE confirmed_challenges (
      challenge_id uuid NOT NULL, user_id uuid NOT NULL, confirmed_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_confirmed_challenges PRIMARY KEY (challenge_id),
      CONSTRAINT fk_confirmed_challenges_user_id_users FOREIGN KEY (user_id) REFERENCES users (id)
        ON DELETE CASCADE)
    """,
    "CREATE INDEX ix_confirmed_challenges_user_id ON confirmed_challenges (user_id)",
    """
    CREATE TABLE tenants (
      id uuid NOT NULL, name text NOT NULL, locale text NOT NULL DEFAULT 'ru',
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_tenants PRIMARY KEY (id),
      CONSTRAINT ck_tenants_name CHECK (char_length(name) BETWEEN 1 AND 120),
      CONSTRAINT ck_tenants_locale CHECK (locale IN ('ru', 'en')))
    """,
    """
    CREATE TABLE memberships (
      tenant_id uuid NOT NULL, user_id uuid NOT NULL, role text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_memberships PRIMARY KEY (tenant_id, user_id),
      CONSTRAINT fk_memberships_tenant_id_tenants FOREIGN KEY (tenant_id) REFERENCES tenants (id),
      CONSTRAINT fk_memberships_user_id_users FOREIGN KEY (user_id) REFERENCES users (id),
      CONSTRAINT ck_memberships_role CHECK (role IN ('owner', 'admin', 'staff')))
    """,
    "CREATE INDEX ix_memberships_user_id ON memberships (user_id, tenant_id)",
    """
    CREATE TABLE idempotency_keys (
      user_id uuid NOT NULL, key text NOT NULL, fingerprint text NOT NULL,
      status smallint NOT NULL, body jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_idempotency_keys PRIMARY KEY (user_id, key),
      CONSTRAINT fk_idempotency_keys_user_id_users FOREIGN KEY (user_id) REFERENCES users (id)
        ON DELETE CASCADE,
      CONSTRAINT ck_idempotency_keys_key CHECK (char_length(key) BETWEEN 1 AND 255))
    """,
    "CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)",
)

MEMBER = """EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = users.id
  AND m.tenant_id = (SELECT app_tenant_id()))"""
MINE = """EXISTS (SELECT 1 FROM memberships m WHERE m.tenant_id = tenants.id
  AND m.user_id = (SELECT app_user_id()))"""

BEFORE_SCOPE = """
CREATE FUNCTION user_id_by_phone(wanted text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS 'SELECT id FROM users WHERE phone = wanted'
"""

GRANTS = (
    "GRANT SELECT, INSERT, UPDATE ON users, sessions, tenants TO tochka_app",
    "GRANT SELECT, INSERT ON confirmed_challenges TO tochka_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON memberships, idempotency_keys TO tochka_app",
    "GRANT SELECT ON tenants TO tochka_jobs",
    # a policy on tenants and users looks into memberships as the caller
    "GRANT SELECT ON memberships TO tochka_jobs",
    "REVOKE ALL ON FUNCTION user_id_by_phone(text) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION user_id_by_phone(text) TO tochka_app",
)


def upgrade() -> None:
    """Make the tables, their policies and the one look-up that precedes any scope."""
    for statement in TABLES:
        op.execute(statement)
    policies = (
        *protect("users", whole="id = (SELECT app_user_id())", reads=(MEMBER,)),
        *protect("sessions", whole=USER),
        *protect("confirmed_challenges", whole=USER),
        *protect("tenants", whole="id = (SELECT app_tenant_id())", reads=(MINE,)),
        *protect("memberships", whole=TENANT, reads=(USER,)),
        *protect("idempotency_keys", whole=USER),
        readable_by_owner("users"),
    )
    for statement in (*policies, BEFORE_SCOPE, *GRANTS):
        op.execute(statement)


def downgrade() -> None:
    """Drop what `upgrade` made."""
    op.execute("DROP FUNCTION user_id_by_phone(text)")
    op.execute("DROP POLICY users_read_1 ON users")
    op.execute("DROP POLICY users_wall ON users")
    op.execute("DROP POLICY tenants_read_1 ON tenants")
    op.execute("DROP POLICY tenants_wall ON tenants")
    for table in ("idempotency_keys", "memberships", "tenants", "confirmed_challenges", "sessions", "users"):
        op.execute(f"DROP TABLE {table}")
