"""Queries on the queue. The jobs role sees all of it; requests see their tenant's or their module's part."""
