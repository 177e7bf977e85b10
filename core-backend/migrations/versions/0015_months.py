"""Deliveries and their attempts lie in partitions, one for the deliveries of each month, and whole months are
forgotten at once.

The month of a delivery is in its id, as in every UUID of version 7; its attempts lie beside it. Nobody but
the owner has a right on a partition, since policies of the whole do not bind who asks a part.
"""

from collections.abc import Iterator, Sequence

from alembic import op
from rls import TENANT, protect

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

RECEIVER = "receiver = (SELECT app_module_id())"
GIVEN = """EXISTS (SELECT 1 FROM deliveries d WHERE d.tenant_id = events.tenant_id AND d.event_id = events.id
  AND d.receiver = (SELECT app_module_id()))"""
STATUSES = "'pending', 'accepted', 'delivered', 'refused', 'expired', 'cancelled', 'held'"
DELIVERIES = f"""
    CREATE TABLE deliveries (
      tenant_id uuid NOT NULL, id uuid NOT NULL, event_id uuid NOT NULL, receiver text NOT NULL,
      position bigint NOT NULL, sequence bigint NOT NULL, installation_id uuid, type text NOT NULL,
      command boolean NOT NULL, status text NOT NULL DEFAULT 'pending',
      attempts smallint NOT NULL DEFAULT 0, due_at timestamptz NOT NULL DEFAULT now(),
      leased_until timestamptz, deadline_at timestamptz, created_at timestamptz NOT NULL DEFAULT now(),
      finished_at timestamptz, endpoint_id uuid, resource text, replayed boolean NOT NULL DEFAULT false,
      deferrals integer NOT NULL DEFAULT 0,
      CONSTRAINT pk_deliveries PRIMARY KEY (tenant_id, id),
      CONSTRAINT fk_deliveries_event_id_events FOREIGN KEY (tenant_id, event_id)
        REFERENCES events (tenant_id, id),
      CONSTRAINT ck_deliveries_status CHECK (status IN ({STATUSES})))
"""
ATTEMPTS = """
    CREATE TABLE attempts (
      tenant_id uuid NOT NULL, id uuid NOT NULL, delivery_id uuid NOT NULL, number smallint NOT NULL,
      started_at timestamptz NOT NULL, duration_ms integer NOT NULL, response_status smallint,
      error text, response_body text, response_headers jsonb, timings jsonb, address text,
      CONSTRAINT ck_attempts_response_body CHECK (octet_length(response_body) <= 16384))
"""
UNSETTLED = "status IN ('pending', 'accepted')"
INDEXES = (
    """
    CREATE INDEX ix_deliveries_due ON deliveries (tenant_id, receiver, command, due_at)
    WHERE status = 'pending'
    """,
    f"""
    CREATE INDEX ix_deliveries_deadline ON deliveries (deadline_at)
    WHERE {UNSETTLED} AND deadline_at IS NOT NULL
    """,
    f"CREATE INDEX ix_deliveries_unsettled ON deliveries (tenant_id, installation_id) WHERE {UNSETTLED}",
    "CREATE INDEX ix_deliveries_event_id ON deliveries (tenant_id, event_id)",
    "CREATE INDEX ix_deliveries_receiver ON deliveries (receiver, position)",
    """
    CREATE INDEX ix_deliveries_resource ON deliveries (tenant_id, receiver, resource, sequence)
    WHERE status = 'pending' AND resource IS NOT NULL
    """,
    "CREATE INDEX ix_deliveries_held ON deliveries (tenant_id, receiver) WHERE status = 'held'",
    """
    CREATE INDEX ix_deliveries_endpoint_id ON deliveries (tenant_id, endpoint_id, id)
    WHERE endpoint_id IS NOT NULL
    """,
    "CREATE INDEX ix_attempts_delivery_id ON attempts (tenant_id, delivery_id, number)",
)
# a number is given out once by whoever holds the receiver's count: no index over all months has to say so
SEQUENCE = "CREATE INDEX ix_deliveries_sequence ON deliveries (tenant_id, receiver, sequence)"
UNIQUE_SEQUENCE = (
    "ALTER TABLE deliveries ADD CONSTRAINT uq_deliveries_receiver UNIQUE (tenant_id, receiver, sequence)"
)
ATTEMPTS_OF_ITS_OWN = (
    "ALTER TABLE attempts ADD CONSTRAINT pk_attempts PRIMARY KEY (tenant_id, id)",
    """
    ALTER TABLE attempts ADD CONSTRAINT fk_attempts_delivery_id_deliveries
      FOREIGN KEY (tenant_id, delivery_id) REFERENCES deliveries (tenant_id, id)
    """,
)
FIRST_ID = """
CREATE FUNCTION first_id_of(month timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog AS $$
  SELECT rpad(lpad(to_hex((extract(epoch FROM month) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$
"""
# A partition is named after its month; `before` is everything before it. What waits is never dropped.
KEEP_MONTHS = """
CREATE FUNCTION keep_months(moment timestamptz, kept integer) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
  current timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
  month timestamp;
  part record;
  waits boolean;
  dropped integer := 0;
BEGIN
  FOR ahead IN 0..2 LOOP
    month := current + make_interval(months => ahead);
    PERFORM make_partition('deliveries', 'id', month), make_partition('attempts', 'delivery_id', month);
  END LOOP;
  FOR part IN
    SELECT right(c.relname, -length('deliveries_')) AS name, to_date(right(c.relname, 7), 'YYYY_MM')
      + CASE WHEN c.relname LIKE '%before%' THEN interval '0' ELSE interval '1 month' END AS ends
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'deliveries'::regclass
    ORDER BY ends
  LOOP
    EXIT WHEN part.ends > current - make_interval(months => kept);
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I WHERE status IN (''pending'', ''accepted''))',
                   'deliveries_' || part.name) INTO waits;
    CONTINUE WHEN waits;
    EXECUTE format('DROP TABLE %I, %I', 'attempts_' || part.name, 'deliveries_' || part.name);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END
$$
"""
MAKE_PARTITION = """
CREATE FUNCTION make_partition(whole text, key text, month timestamp) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
  name text := whole || to_char(month, '_YYYY_MM');
BEGIN
  IF to_regclass(name) IS NULL THEN
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', name, whole,
                   first_id_of(month AT TIME ZONE 'UTC'),
                   first_id_of((month + interval '1 month') AT TIME ZONE 'UTC'));
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
  END IF;
END
$$
"""
# everything older than this month lies in one partition
MAKE_FIRST = """
DO $$
DECLARE
  month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
  name text;
  whole text;
BEGIN
  FOREACH whole IN ARRAY ARRAY['deliveries', 'attempts'] LOOP
    name := whole || to_char(month, '"_before_"YYYY_MM');
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (MINVALUE) TO (%L)', name, whole,
                   first_id_of(month AT TIME ZONE 'UTC'));
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
  END LOOP;
  PERFORM keep_months(now(), 1200);
END
$$
"""
COPY_BACK = "INSERT INTO {table} ({columns}) SELECT {columns} FROM kept_{table}"
COLUMNS = {
    "deliveries": "tenant_id, id, event_id, receiver, position, sequence, installation_id, type, command,"
    " status, attempts, due_at, leased_until, deadline_at, created_at, finished_at, endpoint_id, resource,"
    " replayed, deferrals",
    "attempts": "tenant_id, id, delivery_id, number, started_at, duration_ms, response_status, error,"
    " response_body, response_headers, timings, address",
}


def _rebuilt(*making: str) -> Iterator[str]:
    """Other tables with the same rows. The owner is bound by policies, too, but for this once."""
    yield "DROP POLICY events_given ON events"
    yield f"ALTER POLICY events_wall ON events USING ({TENANT})"
    for table in ("attempts", "deliveries"):
        yield f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"
        yield f"CREATE TEMP TABLE kept_{table} ON COMMIT DROP AS TABLE {table}"
    yield "DROP TABLE attempts"
    yield "DROP TABLE deliveries"
    yield from making
    for table in ("deliveries", "attempts"):
        yield COPY_BACK.format(table=table, columns=COLUMNS[table])
    yield from INDEXES
    yield from protect("deliveries", whole=TENANT, reads=(RECEIVER,), queue=True)
    yield from protect("attempts", whole=TENANT, queue=True)
    yield f"CREATE POLICY events_given ON events FOR SELECT TO tochka_app USING ({GIVEN})"
    yield f"ALTER POLICY events_wall ON events USING ({TENANT} OR {GIVEN})"
    yield "GRANT SELECT ON deliveries, attempts TO tochka_app"
    yield "GRANT UPDATE (status, finished_at) ON deliveries TO tochka_app"
    yield "GRANT SELECT, INSERT, UPDATE ON deliveries TO tochka_jobs"
    yield "GRANT SELECT, INSERT ON attempts TO tochka_jobs"


def upgrade() -> None:
    """Make partitions, and let the jobs role ask for new ones and forget old ones."""
    making = (
        f"{DELIVERIES} PARTITION BY RANGE (id)",
        f"{ATTEMPTS} PARTITION BY RANGE (delivery_id)",
        "ALTER TABLE attempts ADD CONSTRAINT pk_attempts PRIMARY KEY (tenant_id, delivery_id, id)",
        *(FIRST_ID, MAKE_PARTITION, KEEP_MONTHS, MAKE_FIRST),
    )
    for statement in (*_rebuilt(*making), SEQUENCE):
        op.execute(statement)
    op.execute("REVOKE ALL ON FUNCTION keep_months(timestamptz, integer) FROM PUBLIC")
    op.execute("REVOKE ALL ON FUNCTION make_partition(text, text, timestamp) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION keep_months(timestamptz, integer) TO tochka_jobs")
    # events are forgotten one by one: each as soon as its last delivery is
    op.execute("CREATE INDEX ix_events_id ON events USING brin (id)")
    op.execute("GRANT DELETE ON events TO tochka_jobs")


def downgrade() -> None:
    """Put all months into one table again."""
    op.execute("REVOKE DELETE ON events FROM tochka_jobs")
    op.execute("DROP INDEX ix_events_id")
    for statement in (*_rebuilt(DELIVERIES, ATTEMPTS), UNIQUE_SEQUENCE, *ATTEMPTS_OF_ITS_OWN):
        op.execute(statement)
    op.execute("DROP FUNCTION keep_months(timestamptz, integer)")
    op.execute("DROP FUNCTION make_partition(text, text, timestamp)")
    op.execute("DROP FUNCTION first_id_of(timestamptz)")
