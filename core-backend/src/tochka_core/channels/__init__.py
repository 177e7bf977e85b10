"""The ways on which codes leave, and on which messengers answer."""
