"""Tables as they are after years: a hundred thousand rows each, of two hundred tenants."""

import asyncpg

ROWS = 100_000
TENANTS = 200

# uuid of a small number, and of a small number in a family: one column refers to another's by the same call
PREPARE = """
    SET session_replication_role = replica;  -- no foreign keys, no triggers: rows by the hundred thousand
    CREATE FUNCTION pg_temp.u(n bigint, family int DEFAULT 0) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT (lpad(to_hex(family), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
"""
FILL = (
    """INSERT INTO users (id, phone, released_phone)
       SELECT pg_temp.u(n), '+7' || (9000000000 + n),
              CASE WHEN n % 1000 = 0 THEN '+7' || (9100000000 + n) END FROM generate_series(1, {rows}) n""",
    """INSERT INTO passwords (user_id, hash)
       SELECT pg_temp.u(n), '$argon2id$' || n FROM generate_series(1, {rows}) n""",
    """INSERT INTO messenger_accounts (user_id, kind, chat)
       SELECT pg_temp.u(n), 'max', n FROM generate_series(1, {rows}) n""",
    """INSERT INTO phone_changes (user_id, id, phone, asked_in, due_at, notice_at, closed_at, outcome)
       SELECT pg_temp.u(n), pg_temp.u(n, 10), '+7' || (9200000000 + n), pg_temp.u(n, 1),
              now() + (n - 1000) * interval '1 minute', CASE WHEN n % 500 = 0 THEN now() END,
              CASE WHEN n % 500 <> 0 THEN now() END, CASE WHEN n % 500 <> 0 THEN 'done' END
       FROM generate_series(1, {rows}) n""",
    """INSERT INTO sessions (user_id, id, idle_expires_at, expires_at)
       SELECT pg_temp.u(n % 50000), pg_temp.u(n, 1), now(), now() FROM generate_series(1, {rows}) n""",
    """INSERT INTO confirmed_challenges (challenge_id, user_id)
       SELECT pg_temp.u(n, 2), pg_temp.u(n) FROM generate_series(1, {rows}) n""",
    "INSERT INTO tenants (id, name) SELECT pg_temp.u(n), 'Т' || n FROM generate_series(0, {rows}) n",
    """INSERT INTO memberships (tenant_id, user_id, role)
       SELECT pg_temp.u(n % {tenants}), pg_temp.u(n), 'owner' FROM generate_series(1, {rows}) n""",
    """INSERT INTO invitations
       (tenant_id, id, phone, role, invited_by, token_hash, expires_at, closed_at, outcome)
       SELECT pg_temp.u(n % {tenants}), pg_temp.u(n, 9), '+7' || (9000000000 + n), 'staff', pg_temp.u(n), '',
              now() + interval '1 day', CASE WHEN n % 100 <> 0 THEN now() END,
              CASE WHEN n % 100 <> 0 THEN 'accepted' END FROM generate_series(1, {rows}) n""",
    """INSERT INTO handovers (tenant_id, from_user_id, to_user_id, expires_at)
       SELECT pg_temp.u(n), pg_temp.u(n), pg_temp.u(n + 1), now() FROM generate_series(1, {rows}) n""",
    """INSERT INTO idempotency_keys (user_id, key, fingerprint, status, body)
       SELECT pg_temp.u(n), 'k' || n, 'f', 201, '{{}}' FROM generate_series(1, {rows}) n""",
    """INSERT INTO modules (id, base_url, public_key, version)
       SELECT 'module-' || n, 'http://m', '{{}}', '1.0.0' FROM generate_series(1, 2000) n""",
    """INSERT INTO module_versions (module_id, version, manifest)
       SELECT 'module-' || n, v || '.0.0', '{{}}' FROM generate_series(1, 2000) n, generate_series(1, 5) v""",
    """INSERT INTO plans (module_id, code, position, name, trial_days, entitlements)
       SELECT 'module-' || n, 'plan' || p, p, '{{}}', 14, '{{}}'
       FROM generate_series(1, 2000) n, generate_series(1, 3) p""",
    """INSERT INTO subscriptions (tenant_id, id, module_id, plan, status)
       SELECT pg_temp.u(n % {tenants}), pg_temp.u(n, 3), 'module-' || n % 20 + 1, 'plan1', 'active'
       FROM generate_series(1, {rows}) n""",
    """INSERT INTO installations
       (tenant_id, id, module_id, subscription_id, host, status, requested_by, deadline_at)
       SELECT pg_temp.u(n % {tenants}), pg_temp.u(n, 4), 'module-' || n % 20 + 1, pg_temp.u(n, 3),
              'h' || n || '.localhost', CASE WHEN n % 5 = 0 THEN 'gone' ELSE 'live' END, pg_temp.u(n), now()
       FROM generate_series(1, {rows}) n""",
    """INSERT INTO domains (tenant_id, id, host, installation_id, status)
       SELECT pg_temp.u(n % {tenants}), pg_temp.u(n, 5), 'h' || n || '.localhost', pg_temp.u(n, 4), 'live'
       FROM generate_series(1, {rows}) n""",
    """INSERT INTO quarantined_hosts (tenant_id, host, free_at)
       SELECT pg_temp.u(n % {tenants}), 'q' || n || '.localhost', now() FROM generate_series(1, {rows}) n""",
    """INSERT INTO licenses (tenant_id, installation_id, subscription_id, module_id, version, status, access,
                             plan, entitlements)
       SELECT pg_temp.u(n % {tenants}), pg_temp.u(n, 4), pg_temp.u(n, 3), 'module-' || n % 20 + 1, n,
              'active', 'full', 'plan1', '{{}}' FROM generate_series(1, {rows}) n""",
    """INSERT INTO events (tenant_id, id, type, installation_id, module_id, data, fanned_out_at)
       SELECT pg_temp.u(n % {tenants}), pg_temp.u(n, 6), 'license.updated', pg_temp.u(n, 4),
              'module-' || n % 20 + 1, '{{}}', CASE WHEN n % 500 <> 0 THEN now() END
       FROM generate_series(1, {rows}) n""",
    """INSERT INTO receiver_positions (receiver, last_position)
       SELECT 'module-' || n, n FROM generate_series(1, 2000) n""",
    """INSERT INTO receiver_sequences (tenant_id, receiver, last_sequence)
       SELECT pg_temp.u(n), 'module-' || m, n
       FROM generate_series(1, {rows} / 20) n, generate_series(1, 20) m""",
    """INSERT INTO deliveries (tenant_id, id, event_id, receiver, position, sequence, installation_id, type,
                               command, status, deadline_at)
       SELECT pg_temp.u(n % {tenants}), pg_temp.u(n, 7), pg_temp.u(n, 6), 'module-' || n % 20 + 1, n, n,
              pg_temp.u(n, 4), 'installation.requested', n % 2 = 0,
              CASE WHEN n % 500 = 0 THEN 'pending' ELSE 'delivered' END, now() + interval '1 minute'
       FROM generate_series(1, {rows}) n""",
    """INSERT INTO delivery_queues (tenant_id, receiver, command, due_at)
       SELECT pg_temp.u(n), 'module-' || n % 20 + 1, c, CASE WHEN n % 500 = 0 THEN now() END
       FROM generate_series(1, {rows}) n, unnest(ARRAY[true, false]) c""",
    """INSERT INTO webhook_endpoints (tenant_id, id, url, description, event_types, schema_version, ordered,
                                      rate_per_second, concurrency, secret)
       SELECT pg_temp.u(n % {tenants}), pg_temp.u(n, 11), 'https://example.com/', '', '{{}}', 1, false, 50, 8,
              '' FROM generate_series(1, {rows}) n""",
    """INSERT INTO attempts (tenant_id, id, delivery_id, number, started_at, duration_ms)
       SELECT pg_temp.u(n % {tenants}), pg_temp.u(n, 8), pg_temp.u(n, 7), 1, now(), 5
       FROM generate_series(1, {rows}) n""",
    """INSERT INTO audit_entries (id, tenant_id, user_id, action, data)
       SELECT pg_temp.u(n, 9), pg_temp.u(n % {tenants}), pg_temp.u(n), 'tenant.renamed', '{{}}'
       FROM generate_series(1, {rows}) n""",
    "INSERT INTO audit_waiting (id) SELECT pg_temp.u(n, 9) FROM generate_series(1, {rows}) n",
    """INSERT INTO audit_seals
       (position, first_number, entry_ids, leaves, previous_hash, hash, sealed_at, checkpoint)
       SELECT n, 5 * n - 4, ARRAY(SELECT pg_temp.u(5 * n - k, 9) FROM generate_series(0, 4) k),
              decode(repeat('00', 160), 'hex'),
              sha256(''), sha256(n::text::bytea), now(), 'c' FROM generate_series(1, {rows} / 5) n""",
)


async def fill(connection: asyncpg.Connection) -> None:
    """Fill every table, as a superuser, and let the planner know."""
    await connection.execute(PREPARE)
    for statement in FILL:
        await connection.execute(statement.format(rows=ROWS, tenants=TENANTS))
    await connection.execute("RESET session_replication_role")
    await connection.execute("ANALYZE")
