"""Webhooks: events become deliveries, deliveries are sent until they are answered; the modules' side door."""
