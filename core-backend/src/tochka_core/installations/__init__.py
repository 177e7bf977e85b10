"""Installations: activation, and the life of a tenant's copy of a module until it is gone."""
