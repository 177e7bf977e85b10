"""Databases and their roles: who owns, who may connect, and that no role steps around row-level security."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import asyncpg

from tochka_stack.refusals import NotPermitted, WrongVersion

OLDEST = 15
ITERATIONS = 4096  # PostgreSQL's own default; the passwords are random


@dataclass(frozen=True)
class DatabasePlan:
    """A database, the role that owns it and migrates it, and the roles that work in it."""

    name: str
    owner: str
    workers: Sequence[str]

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role that may connect."""
        return (self.owner, *self.workers)


async def provision(connection: asyncpg.Connection, plan: DatabasePlan, passwords: Mapping[str, str]) -> bool:
    """Make what is missing and set right what is not; whether anything was missing.

    Safe to repeat; `connection` is an administrator's.

    The schema `public` needs nothing: since PostgreSQL 15 only the database's owner may create in it.
    """
    made = [await _ensure_role(connection, role, passwords[role]) for role in plan.roles]
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", plan.name):
        made.append(True)
        # Who is no superuser must be a member of a role to give it something.
        await _run(connection, "GRANT %I TO CURRENT_USER", plan.owner)
        await _run(connection, "CREATE DATABASE %I OWNER %I", plan.name, plan.owner)
    await _run(connection, "REVOKE ALL ON DATABASE %I FROM PUBLIC", plan.name)
    for role in plan.workers:
        await _run(connection, "GRANT CONNECT ON DATABASE %I TO %I", plan.name, role)
    return any(made)


async def check_server(connection: asyncpg.Connection) -> None:
    """Refuse a server that is too old, or a role that may not make databases and roles."""
    found = connection.get_server_version()
    if found.major < OLDEST:
        raise WrongVersion(
            f"The PostgreSQL server is version {found.major}.{found.minor}; {OLDEST} or newer is needed."
        )
    row = await connection.fetchrow(
        "SELECT rolname, rolsuper OR (rolcreatedb AND rolcreaterole) AS may"
        " FROM pg_roles WHERE rolname = current_user"
    )
    if row is not None and not row["may"]:
        raise NotPermitted(
            f"The PostgreSQL role {row['rolname']} needs the rights CREATEDB and CREATEROLE (or superuser)."
        )


async def _ensure_role(connection: asyncpg.Connection, role: str, password: str) -> bool:
    is_missing = not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
    if is_missing:
        with suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):  # made a moment ago
            await _run(connection, "CREATE ROLE %I", role)
    can_bypass = await connection.fetchval(
        "SELECT bool_or(rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication) FROM pg_roles"
        " WHERE pg_has_role($1, oid, 'MEMBER')",
        role,
    )
    if can_bypass:
        raise NotPermitted(
            f"The PostgreSQL role {role} has rights with which it could step around row-level security: "
            "take SUPERUSER, BYPASSRLS, CREATEROLE and REPLICATION from it and from the roles it belongs to."
        )
    await _run(connection, "ALTER ROLE %I LOGIN PASSWORD %L", role, scram_verifier(password))
    return is_missing


def scram_verifier(password: str) -> str:
    """What PostgreSQL would store (RFC 5802), so that no server log ever sees the password itself."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(ITERATIONS, *encoded)


async def _run(connection: asyncpg.Connection, statement: str, *names: str) -> None:
    """Run a statement of the kind that takes no parameters: PostgreSQL itself quotes the names."""
    await connection.execute(
        await connection.fetchval("SELECT format($1, VARIADIC $2::text[])", statement, names)
    )
