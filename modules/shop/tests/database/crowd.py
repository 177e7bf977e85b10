"""A large database: many tenants with full shops, for asking the planner."""

import asyncpg

FILL = (
    """
    INSERT INTO categories (tenant_id, installation_id, id, title, slug, position, created_at)
    SELECT tenant, inst, md5(tenant::text || c)::uuid, 'Раздел ' || c, 'razdel-' || c, c, now()
    FROM owners, generate_series(1, 10) c
    """,
    """
    INSERT INTO products (tenant_id, installation_id, id, category_id, title, slug, description,
        is_published,
                          search_text, created_at, updated_at)
    SELECT tenant, inst, md5(tenant::text || 'p' || p)::uuid, md5(tenant::text || (p % 10 + 1))::uuid,
           'Чай ' || p, 'tovar-' || p, '', p % 5 <> 0, 'чай ' || p, now() - p * interval '1 minute', now()
    FROM owners, generate_series(1, 300) p
    """,
    """
    INSERT INTO variants (tenant_id, installation_id, id, product_id, title, price, stock, position)
    SELECT tenant_id, installation_id, md5(id::text || v)::uuid, id, 'Вариант ' || v, 10000 + v, 50, v
    FROM products JOIN owners ON tenant = tenant_id, generate_series(1, 2) v
    """,
    """
    INSERT INTO pictures (tenant_id, installation_id, id, product_id, content_hash, width, height,
        widths,
                          position, created_at)
    SELECT tenant_id, installation_id, md5(id::text || 'pic' || n)::uuid, id, repeat('a', 32), 800, 800,
           '{320,800}', n, now()
    FROM products JOIN owners ON tenant = tenant_id, generate_series(1, 2) n
    """,
    """
    INSERT INTO carts (tenant_id, installation_id, id, token_hash, updated_at)
    SELECT tenant, inst, md5(tenant::text || 'cart' || c)::uuid, md5(tenant::text || c), now()
    FROM owners, generate_series(1, 300) c
    """,
    """
    INSERT INTO cart_lines (tenant_id, installation_id, id, cart_id, variant_id, quantity, created_at)
    SELECT c.tenant_id, c.installation_id, md5(c.id::text || 'line')::uuid, c.id,
           md5(md5(c.tenant_id::text || 'p1')::uuid::text || '1')::uuid, 1, now()
    FROM carts c JOIN owners ON tenant = tenant_id
    """,
    """
    INSERT INTO orders (tenant_id, installation_id, id, number, status, link, checkout_key, cart_id,
        buyer_name,
                        buyer_phone, comment, method, address, goods_total, delivery_price, total, pieces,
                        language, created_at)
    SELECT tenant, inst, md5(tenant::text || 'o' || o)::uuid, 1000 + o,
           (ARRAY['new', 'confirmed', 'ready', 'completed', 'cancelled'])[o % 5 + 1],
               md5(tenant::text || 'l' || o),
           md5(tenant::text || 'k' || o)::uuid, md5(tenant::text || 'cart1')::uuid, 'Мария',
               '+7999' || o, '',
           'pickup', '', 10000, 0, 10000, 1, 'ru', now()
    FROM owners, generate_series(1, 300) o
    """,
    """
    INSERT INTO order_lines (tenant_id, installation_id, id, order_id, product_id, variant_id, position,
                             product_title, variant_title, price, quantity)
    SELECT tenant_id, installation_id, md5(id::text || 'line')::uuid, id, id, id, 0, 'Чай', '', 10000,
        1 FROM orders
    JOIN owners ON tenant = tenant_id
    """,
    """
    INSERT INTO order_changes (tenant_id, installation_id, id, order_id, from_status, to_status, actor,
        actor_id,
                               note, created_at)
    SELECT tenant_id, installation_id, md5(id::text || 'change')::uuid, id, NULL, 'new', 'buyer', NULL,
        '', now()
    FROM orders JOIN owners ON tenant = tenant_id
    """,
    """
    INSERT INTO order_counters (tenant_id, installation_id, id, last_number)
    SELECT tenant, inst, md5(tenant::text || 'counter')::uuid, 1300 FROM everybody
    """,
    """
    INSERT INTO shop_settings (tenant_id, installation_id, id, name, tagline, about, accent, locale,
        utc_offset,
                               phone, email, hours, legal_details, pickup_enabled, pickup_address,
                               delivery_enabled, delivery_price, delivery_note, created_at)
    SELECT tenant, inst, md5(tenant::text || 's')::uuid, 'Лавка', '', '', 'sea', 'ru', 180, '', '', '',
        '', true,
           '', false, 0, '', now() FROM everybody
    """,
)


async def fill(superuser_dsn: str) -> None:
    """Five thousand shops, sixty of them with three hundred products and orders each."""
    connection = await asyncpg.connect(superuser_dsn)
    try:
        await connection.execute(
            "CREATE TEMP TABLE everybody AS SELECT md5('t' || n)::uuid AS tenant, md5('i' || n)::uuid AS inst"
            " FROM generate_series(1, 5000) n"
        )
        await connection.execute("CREATE TEMP TABLE owners AS SELECT * FROM everybody LIMIT 60")
        for statement in FILL:
            await connection.execute(statement)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
