"""What the dispatcher does with endpoints: ask who hears what, open their secrets, tell how they fare."""

from tochka_core.endpoints import service
from tochka_core.endpoints.schemas import Receiver, Result, Sealed

__all__ = ["Receiver", "Result", "Sealed", "get", "list_receivers", "note_results", "open_secrets"]

get = service.get
list_receivers = service.list_receivers
note_results = service.note_results
open_secrets = service.open_secrets
