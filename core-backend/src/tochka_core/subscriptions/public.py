"""What other slices do with subscriptions: start and end them, close and open them, sign licenses."""

from tochka_core.subscriptions import service
from tochka_core.subscriptions.service import Start, Terms

__all__ = [
    "Start",
    "Terms",
    "briefs",
    "end",
    "find_terms",
    "next_version",
    "resume",
    "sign",
    "start",
    "suspend",
]

briefs = service.briefs
end = service.end
find_terms = service.find_terms
next_version = service.next_version
resume = service.resume
sign = service.sign
start = service.start
suspend = service.suspend
