"""A confirmed phone becomes user, tenant, membership and session; a refresh token becomes a fresh access token."""
