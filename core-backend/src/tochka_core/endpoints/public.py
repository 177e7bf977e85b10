"""What is done with endpoints by those who send to them: ask who hears what, open their secrets, change them,
tell how they fare.
"""

from tochka_core.endpoints import service
from tochka_core.endpoints.schemas import Receiver, Result, Sealed

__all__ = [
    "Receiver",
    "Result",
    "Sealed",
    "get",
    "list_receivers",
    "note_results",
    "open_secrets",
    "update",
]

get = service.get
list_receivers = service.list_receivers
note_results = service.note_results
open_secrets = service.open_secrets
update = service.update
