"""How often: every cap on codes, in one place.

Caps per code and per phone are the same everywhere; those per network address are relaxed in development.
A phone's caps count what was *not* answered: a code that is typed back correctly proves that its owner asked
for it, and clears the phone's counters, so that signing in again and again is not held up.
"""

from tochka_core.limits import AddressCap, admit, known

__all__ = ["AddressCap", "admit", "known"]

CODE_LENGTH = 6
CODE_TTL_S = 300
TRIES_PER_CHALLENGE = 5
RESEND_COOLDOWN_S = 60
TOMBSTONE_S = 600  # how long a used or expired challenge is still told from an unknown one

HOUR_S = 3600
DAY_S = 24 * HOUR_S
SENDS_PER_PHONE_HOUR = 5
SENDS_PER_PHONE_DAY = 10
FAILURES_PER_PHONE_HOUR = 10
FAILURES_PER_PHONE_DAY = 30


# one mobile operator's address may stand for a whole block of flats
SENDS = AddressCap("sends", 30, HOUR_S)
CONFIRMS = AddressCap("confirms", 120, 600)
