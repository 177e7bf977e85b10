"""Installations, their addresses, subscriptions and licenses."""

from collections.abc import Sequence

from alembic import op
from rls import MODULE, TENANT, protect, readable_by_owner

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = (
    """
    CREATE TABLE subscriptions (
      tenant_id uuid NOT NULL, id uuid NOT NULL, module_id text NOT NULL, plan text NOT NULL,
      status text NOT NULL, trial_ends_at timestamptz, created_at timestamptz NOT NULL DEFAULT now(),
      ended_at timestamptz,
      CONSTRAINT pk_subscriptions PRIMARY KEY (tenant_id, id),
      CONSTRAINT fk_subscriptions_tenant_id_tenants FOREIGN KEY (tenant_id) REFERENCES tenants (id),
      CONSTRAINT fk_subscriptions_module_id_plans FOREIGN KEY (module_id, plan)
        REFERENCES plans (module_id, code),
      CONSTRAINT ck_subscriptions_status CHECK (status IN
        ('trialing', 'active', 'past_due', 'paused', 'suspended', 'canceled', 'void')))
    """,
    """
    CREATE TABLE installations (
      tenant_id uuid NOT NULL, id uuid NOT NULL, module_id text NOT NULL, subscription_id uuid NOT NULL,
      host text NOT NULL, status text NOT NULL, step text NOT NULL DEFAULT 'requested',
      requested_by uuid NOT NULL,
      failure_code text, failure_detail text,
      created_at timestamptz NOT NULL DEFAULT now(), deadline_at timestamptz NOT NULL,
      live_at timestamptz, ended_at timestamptz,
      CONSTRAINT pk_installations PRIMARY KEY (tenant_id, id),
      CONSTRAINT fk_installations_tenant_id_tenants FOREIGN KEY (tenant_id) REFERENCES tenants (id),
      CONSTRAINT fk_installations_module_id_modules FOREIGN KEY (module_id) REFERENCES modules (id),
      CONSTRAINT fk_installations_subscription_id_subscriptions FOREIGN KEY (tenant_id, subscription_id)
        REFERENCES subscriptions (tenant_id, id),
      CONSTRAINT ck_installations_status CHECK (status IN
        ('provisioning', 'live', 'suspended', 'failed', 'gone')),
      CONSTRAINT ck_installations_step CHECK (step IN ('requested', 'retrying', 'accepted')))
    """,
    "CREATE INDEX ix_installations_module_id ON installations (module_id, id)",
    "CREATE INDEX ix_installations_subscription_id ON installations (tenant_id, subscription_id)",
    """
    CREATE TABLE domains (
      tenant_id uuid NOT NULL, id uuid NOT NULL, host text NOT NULL, installation_id uuid NOT NULL,
      kind text NOT NULL DEFAULT 'subdomain', status text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(), live_at timestamptz,
      CONSTRAINT pk_domains PRIMARY KEY (tenant_id, id),
      CONSTRAINT uq_domains_host UNIQUE (host),
      CONSTRAINT fk_domains_installation_id_installations FOREIGN KEY (tenant_id, installation_id)
        REFERENCES installations (tenant_id, id),
      CONSTRAINT ck_domains_host CHECK (host = lower(host) AND char_length(host) <= 253),
      CONSTRAINT ck_domains_kind CHECK (kind IN ('subdomain', 'custom')),
      CONSTRAINT ck_domains_status CHECK (status IN ('reserved', 'live')))
    """,
    "CREATE INDEX ix_domains_installation_id ON domains (tenant_id, installation_id)",
    """
    CREATE TABLE quarantined_hosts (
      tenant_id uuid NOT NULL, host text NOT NULL, released_at timestamptz NOT NULL DEFAULT now(),
      free_at timestamptz NOT NULL,
      CONSTRAINT pk_quarantined_hosts PRIMARY KEY (tenant_id, host))
    """,
    "CREATE INDEX ix_quarantined_hosts_host ON quarantined_hosts (host, free_at)",
    """
    CREATE TABLE licenses (
      tenant_id uuid NOT NULL, installation_id uuid NOT NULL, subscription_id uuid NOT NULL,
      module_id text NOT NULL, version bigint NOT NULL, status text NOT NULL, access text NOT NULL,
      plan text NOT NULL, entitlements jsonb NOT NULL, updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_licenses PRIMARY KEY (tenant_id, installation_id),
      CONSTRAINT fk_licenses_installation_id_installations FOREIGN KEY (tenant_id, installation_id)
        REFERENCES installations (tenant_id, id),
      CONSTRAINT fk_licenses_subscription_id_subscriptions FOREIGN KEY (tenant_id, subscription_id)
        REFERENCES subscriptions (tenant_id, id),
      CONSTRAINT ck_licenses_access CHECK (access IN ('full', 'limited', 'closed')))
    """,
    "CREATE INDEX ix_licenses_module_id ON licenses (module_id, installation_id)",
    "CREATE INDEX ix_licenses_subscription_id ON licenses (tenant_id, subscription_id)",
)

RESOLVE_HOST = """
CREATE FUNCTION resolve_host(wanted text)
RETURNS TABLE (tenant_id uuid, installation_id uuid, module_id text, base_url text, status text, access text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT d.tenant_id, d.installation_id, i.module_id, m.base_url, i.status, l.access
  FROM domains d
  JOIN installations i ON i.tenant_id = d.tenant_id AND i.id = d.installation_id
  JOIN modules m ON m.id = i.module_id
  JOIN licenses l ON l.tenant_id = d.tenant_id AND l.installation_id = d.installation_id
  WHERE d.host = wanted
$$
"""

# Why a host cannot be had, seen across all tenants, without saying whose it is. `claimant` may be NULL.
HOST_REFUSAL = """
CREATE FUNCTION host_refusal(wanted text, claimant uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT CASE
    WHEN EXISTS (SELECT 1 FROM domains d WHERE d.host = wanted) THEN 'taken'
    WHEN EXISTS (SELECT 1 FROM quarantined_hosts q WHERE q.host = wanted AND q.free_at > now()
                 AND q.tenant_id IS DISTINCT FROM claimant) THEN 'quarantined'
  END
$$
"""

# Which modules hear news about a tenant as a whole. The dispatcher has no scope: it serves all tenants.
RECEIVERS_OF = """
CREATE FUNCTION receivers_of(wanted uuid) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT DISTINCT i.module_id FROM installations i
  WHERE i.tenant_id = wanted AND i.status IN ('provisioning', 'live', 'suspended')
$$
"""

# A host released in the moment between the check and the insert is in quarantine only after both: hence a
# trigger, which looks after the unique index has made the insert wait for the release.
REFUSE_QUARANTINED = """
CREATE FUNCTION refuse_quarantined_host() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM quarantined_hosts q WHERE q.host = NEW.host AND q.free_at > now()
             AND q.tenant_id <> NEW.tenant_id) THEN
    RAISE EXCEPTION 'host is in quarantine'
      USING ERRCODE = 'unique_violation', CONSTRAINT = 'quarantined_host';
  END IF;
  RETURN NULL;
END $$
"""

LOOKUPS = {
    "resolve_host(text)": "tochka_app",
    "host_refusal(text, uuid)": "tochka_app",
    "receivers_of(uuid)": "tochka_jobs",
}


def upgrade() -> None:
    """Make the tables, their policies, and the look-ups that precede any scope."""
    for statement in TABLES:
        op.execute(statement)
    policies = (
        *protect("subscriptions", whole=TENANT),
        *protect("installations", whole=TENANT, reads=(MODULE,)),
        *protect("domains", whole=TENANT),
        *protect("quarantined_hosts", whole=TENANT),
        *protect("licenses", whole=TENANT, reads=(MODULE,)),
        *map(readable_by_owner, ("domains", "installations", "licenses", "quarantined_hosts")),
    )
    for statement in (*policies, RESOLVE_HOST, HOST_REFUSAL, RECEIVERS_OF, REFUSE_QUARANTINED):
        op.execute(statement)
    op.execute(
        "CREATE TRIGGER domains_quarantine AFTER INSERT ON domains "
        "FOR EACH ROW EXECUTE FUNCTION refuse_quarantined_host()"
    )
    both = "TO tochka_app, tochka_jobs"
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON subscriptions, installations, licenses {both}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON domains {both}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON quarantined_hosts {both}")
    for function, role in LOOKUPS.items():
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {role}")


def downgrade() -> None:
    """Drop what `upgrade` made."""
    for function in LOOKUPS:
        op.execute(f"DROP FUNCTION {function}")
    for table in (
        "licenses",
        "quarantined_hosts",
        "domains",
        "installations",
        "subscriptions",
    ):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION refuse_quarantined_host()")
