"""Doubles of the services that channels talk to, for tests: ASGI applications that check what they are sent.

Each refuses whatever its service would refuse, and notes it in `wrong`; statuses put into `faults` come back
instead of the next answers, after the message was taken all the same. Nothing of the product imports them.
"""
