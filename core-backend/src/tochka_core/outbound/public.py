"""What the rest of the platform uses to speak to other machines.

`Sender` sends one request and never raises for what the network does. `Gates` are asked before, and told
after: breaker, rate and concurrency per name, shared by all processes. `Gate` is that of one peer, for one
call at a time. `check_url` says whether an address that a tenant names would be asked at all.
"""

from tochka_core.outbound.adapters import Sender, open_sender
from tochka_core.outbound.gate import Gate
from tochka_core.outbound.gates import Gates
from tochka_core.outbound.judging import report_of, retry_after_s
from tochka_core.outbound.schemas import Answer, Grant, Limits, Policy, Report, Timings, Want
from tochka_core.outbound.urls import UrlDenied, check_url

__all__ = [
    "Answer",
    "Gate",
    "Gates",
    "Grant",
    "Limits",
    "Policy",
    "Report",
    "Sender",
    "Timings",
    "UrlDenied",
    "Want",
    "check_url",
    "open_sender",
    "report_of",
    "retry_after_s",
]
