"""Tenants' own webhook endpoints: where a tenant's systems hear of what happens to it."""
