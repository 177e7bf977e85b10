"""The gateway: a real Caddy with our configuration, between raw sockets and small upstreams."""
