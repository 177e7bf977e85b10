"""The one place that speaks HTTP to the outside."""

from tochka_core.outbound.adapters.sender import MOST, Sender, open_sender

__all__ = ["MOST", "Sender", "open_sender"]
