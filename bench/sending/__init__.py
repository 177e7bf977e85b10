"""Senders of webhooks beside ours, the receiver that counts for all of them, and what is sent."""
