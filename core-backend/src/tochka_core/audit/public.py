"""What other slices do with the trail: write down a deed in their own transaction, show a page of it, and say
where its chain stands.
"""

from tochka_core.audit import service
from tochka_core.audit.schemas import Actor, AuditEntryRead

__all__ = [
    "Actor",
    "AuditEntryRead",
    "find_checkpoint",
    "page_of_person",
    "page_of_tenant",
    "record",
    "record_guesses",
]

find_checkpoint = service.find_checkpoint
page_of_person = service.page_of_person
page_of_tenant = service.page_of_tenant
record = service.record
record_guesses = service.record_guesses
