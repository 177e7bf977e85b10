"""Every query on the SDK's own tables. The caller's door has opened the transaction."""

from tochka_sdk.repository.events import EventLog
from tochka_sdk.repository.installations import CHANNEL, SERVED, AdminStore, InstallationStore

__all__ = ["CHANNEL", "SERVED", "AdminStore", "EventLog", "InstallationStore"]
