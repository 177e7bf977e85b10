"""The SDK's own tables in a module's database, as SQLAlchemy sees them; `migrations.create_sdk_tables`
makes them.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()

installations = Table(
    "tochka_installations",
    METADATA,
    Column("installation_id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("status", Text, nullable=False),
    Column("host", Text),
    Column("url", Text),
    Column("locale", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("license", Text, nullable=False),
    Column("license_claims", JSONB),
    Column("license_version", BigInteger, nullable=False),
    Column("license_refresh_at", DateTime(timezone=True)),
    Column("settings", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
"""What is known of each installation; also of those that were removed, so that they stay so."""

hosts = Table(
    "tochka_hosts",
    METADATA,
    Column("host", Text, primary_key=True),
    Column("installation_id", Uuid, nullable=False),
    Column("tenant_id", Uuid, nullable=False),
    Column("url", Text, nullable=False),
    Column("is_primary", Boolean, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("sequence", BigInteger, nullable=False),
)
"""Host → installation. `sequence` is that of the last event about it, so that an older one changes nothing.
"""

events = Table(
    "tochka_events",
    METADATA,
    Column("event_id", Text, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("answer", SmallInteger, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
)
"""Events that had their effect: all of those above the unbroken run, and for a while those below it, for the
answer that they got. Numbers are unique within a tenant.
"""

sequences = Table(
    "tochka_sequences",
    METADATA,
    Column("tenant_id", Uuid, primary_key=True),
    Column("last_sequence", BigInteger, nullable=False),
    Column("highest_sequence", BigInteger, nullable=False),
    Column("tenant_name", Text, nullable=False),
    Column("name_sequence", BigInteger, nullable=False),
    Column("gap_check_at", DateTime(timezone=True)),
    Column("newest_at", DateTime(timezone=True), nullable=False),
    Column("lost", BigInteger, nullable=False),
    Column("digest_sequence", BigInteger, nullable=False),
    Column("digest_at", DateTime(timezone=True)),
    Column("proved_until", DateTime(timezone=True)),
)
"""A stream, all events of a tenant: up to where they came without a hole (the watermark), the highest heard
of, the latest moment told of, what the newest digest said and until when all is there, and the tenant's name.
"""

feed = Table(
    "tochka_feed",
    METADATA,
    Column("receiver", Text, primary_key=True),
    Column("cursor", Text, nullable=False),
    Column("claimed_until", DateTime(timezone=True)),
)
"""How far the module has read the platform's feed of its events, and who reads it now."""

tickets = Table(
    "tochka_tickets",
    METADATA,
    Column("jti", Text, primary_key=True),
    Column("used_at", DateTime(timezone=True), nullable=False),
)
"""Admin tickets that were used, so that each is used once; `all:…` are those of somebody whose role changed.
"""

admin_sessions = Table(
    "tochka_admin_sessions",
    METADATA,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("installation_id", Uuid, nullable=False),
    Column("tenant_id", Uuid, nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)
"""Who is signed in to an admin; the token itself is never stored."""
