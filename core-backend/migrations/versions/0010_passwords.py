"""Passwords, changes of phones, and the messenger accounts by which somebody is known again."""

from collections.abc import Sequence

from alembic import op
from rls import USER, protect

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = (
    # NULL: nobody holds a phone for this person, whose last one somebody else has proven to hold
    "ALTER TABLE users ALTER COLUMN phone DROP NOT NULL",
    "ALTER TABLE users ADD COLUMN released_phone text, ADD COLUMN phone_since timestamptz",
    "CREATE INDEX ix_users_released_phone ON users (released_phone) WHERE released_phone IS NOT NULL",
    # NULL: at the beginning of the session
    "ALTER TABLE sessions ADD COLUMN authenticated_at timestamptz",
    """
    ALTER TABLE sessions ADD COLUMN method text NOT NULL DEFAULT 'otp'
      CONSTRAINT ck_sessions_method CHECK (method IN ('otp', 'pwd'))
    """,
    """
    CREATE TABLE passwords (
      user_id uuid NOT NULL, hash text NOT NULL, changed_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_passwords PRIMARY KEY (user_id),
      CONSTRAINT fk_passwords_user_id_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
      CONSTRAINT ck_passwords_hash CHECK (hash ~ '^\\$(argon2id|2[aby])\\$' AND octet_length(hash) <= 256))
    """,
    """
    CREATE TABLE messenger_accounts (
      user_id uuid NOT NULL, kind text NOT NULL, chat text NOT NULL,
      linked_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_messenger_accounts PRIMARY KEY (user_id, kind),
      CONSTRAINT fk_messenger_accounts_user_id_users FOREIGN KEY (user_id) REFERENCES users (id)
        ON DELETE CASCADE,
      CONSTRAINT ck_messenger_accounts_kind CHECK (kind IN ('max', 'telegram')),
      CONSTRAINT ck_messenger_accounts_chat CHECK (octet_length(chat) BETWEEN 1 AND 64))
    """,
    """
    CREATE TABLE phone_changes (
      user_id uuid NOT NULL, id uuid NOT NULL, phone text NOT NULL, asked_in uuid NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(), due_at timestamptz NOT NULL,
      notice_at timestamptz, closed_at timestamptz, outcome text,
      CONSTRAINT pk_phone_changes PRIMARY KEY (user_id, id),
      CONSTRAINT fk_phone_changes_user_id_users FOREIGN KEY (user_id) REFERENCES users (id)
        ON DELETE CASCADE,
      CONSTRAINT ck_phone_changes_phone CHECK (phone ~ '^\\+[1-9][0-9]{6,14}$'),
      CONSTRAINT ck_phone_changes_closed CHECK ((closed_at IS NULL) = (outcome IS NULL)),
      CONSTRAINT ck_phone_changes_outcome CHECK (outcome IN ('done', 'cancelled', 'replaced', 'refused')))
    """,
    "CREATE UNIQUE INDEX uq_phone_changes_open ON phone_changes (user_id) WHERE closed_at IS NULL",
    "CREATE INDEX ix_phone_changes_due_at ON phone_changes (due_at) WHERE closed_at IS NULL",
    "CREATE INDEX ix_phone_changes_notice_at ON phone_changes (notice_at) WHERE notice_at IS NOT NULL",
)

# For the operator who gives somebody back what a former phone opened.
FORMER = """
CREATE FUNCTION user_ids_by_former_phone(wanted text) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS 'SELECT id FROM users WHERE released_phone = wanted'
"""

GRANTS = (
    "GRANT SELECT, INSERT, UPDATE, DELETE ON passwords, messenger_accounts TO tochka_app",
    "GRANT SELECT, INSERT, UPDATE ON phone_changes TO tochka_app",
    # what the worker needs to change a phone when its time has come
    "GRANT SELECT, UPDATE ON phone_changes TO tochka_jobs",
    "GRANT SELECT, UPDATE (phone, phone_since, released_phone) ON users TO tochka_jobs",
    "GRANT SELECT, UPDATE (revoked_at) ON sessions TO tochka_jobs",
    "GRANT SELECT, DELETE ON messenger_accounts TO tochka_jobs",
    "REVOKE ALL ON FUNCTION user_ids_by_former_phone(text) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION user_ids_by_former_phone(text) TO tochka_app",
)


def upgrade() -> None:
    """Make the tables and their policies."""
    policies = (
        *protect("passwords", whole=USER),
        *protect("messenger_accounts", whole=USER),
        *protect("phone_changes", whole=USER, queue=True),
    )
    for statement in (*TABLES, *policies, FORMER, *GRANTS):
        op.execute(statement)


def downgrade() -> None:
    """Drop what `upgrade` made. Who has no phone by then has to be given one first."""
    op.execute("DROP FUNCTION user_ids_by_former_phone(text)")
    op.execute("REVOKE ALL ON users, sessions FROM tochka_jobs")
    for table in ("phone_changes", "messenger_accounts", "passwords"):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE sessions DROP COLUMN authenticated_at, DROP COLUMN method")
    op.execute("ALTER TABLE users DROP COLUMN released_phone, DROP COLUMN phone_since")
    op.execute("ALTER TABLE users ALTER COLUMN phone SET NOT NULL")
