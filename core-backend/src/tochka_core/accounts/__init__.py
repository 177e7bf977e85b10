"""People: their phones, one-time codes, sessions and tokens."""
