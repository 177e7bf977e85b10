"""Tenants, memberships and roles: who may act for whom."""
