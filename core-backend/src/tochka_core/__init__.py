"""The platform: people, tenants, catalogue, addresses, subscriptions, installations."""
