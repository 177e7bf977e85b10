"""A confirmed phone becomes user, tenant, membership, session; a refresh token the next one."""
