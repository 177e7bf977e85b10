"""`make bench`: measures the running product and prints the figures; nothing here passes or fails."""
