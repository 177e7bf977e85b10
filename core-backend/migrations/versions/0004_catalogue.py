"""The catalogue: modules, the versions of their manifests, the platform's plans. Global, not a tenant's."""

from collections.abc import Sequence

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = (
    """
    CREATE TABLE modules (
      id text NOT NULL, base_url text NOT NULL, public_key jsonb NOT NULL, version text NOT NULL,
      status text NOT NULL DEFAULT 'published', registered_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_modules PRIMARY KEY (id),
      CONSTRAINT ck_modules_id CHECK (id ~ '^[a-z][a-z0-9-]{1,62}$'),
      CONSTRAINT ck_modules_status CHECK (status IN ('published', 'withdrawn')))
    """,
    """
    CREATE TABLE module_versions (
      module_id text NOT NULL, version text NOT NULL, manifest jsonb NOT NULL,
      fetched_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_module_versions PRIMARY KEY (module_id, version),
      CONSTRAINT fk_module_versions_module_id_modules FOREIGN KEY (module_id) REFERENCES modules (id))
    """,
    """
    CREATE TABLE plans (
      module_id text NOT NULL, code text NOT NULL, position smallint NOT NULL, name jsonb NOT NULL,
      trial_days smallint NOT NULL, entitlements jsonb NOT NULL,
      price_minor bigint NOT NULL DEFAULT 0, currency text NOT NULL DEFAULT 'RUB',
      offered boolean NOT NULL DEFAULT true,
      CONSTRAINT pk_plans PRIMARY KEY (module_id, code),
      CONSTRAINT fk_plans_module_id_modules FOREIGN KEY (module_id) REFERENCES modules (id),
      CONSTRAINT ck_plans_trial_days CHECK (trial_days BETWEEN 0 AND 365),
      CONSTRAINT ck_plans_price_minor CHECK (price_minor >= 0))
    """,
)


def upgrade() -> None:
    """Make the tables; requests read them, only the jobs role writes them."""
    for statement in TABLES:
        op.execute(statement)
    op.execute("GRANT SELECT ON modules, module_versions, plans TO tochka_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON modules, module_versions, plans TO tochka_jobs")


def downgrade() -> None:
    """Drop the tables."""
    for table in ("plans", "module_versions", "modules"):
        op.execute(f"DROP TABLE {table}")
