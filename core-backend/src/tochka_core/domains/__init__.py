"""Addresses: labels, hosts, quarantine, and which installation answers at a host."""
