"""Subscriptions: which plan a tenant has a module under, its trial, and the licenses that modules act on."""
