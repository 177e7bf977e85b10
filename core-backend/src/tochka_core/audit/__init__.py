"""The audit trail: who did what, written with the deed and never changed."""
