"""Every query on the SDK's own tables. The caller's door has opened the transaction."""

from tochka_sdk.repository.admins import AdminStore
from tochka_sdk.repository.event_log import EventLog
from tochka_sdk.repository.feed import Feed
from tochka_sdk.repository.installations import CHANNEL, SERVED, InstallationStore
from tochka_sdk.repository.streams import Proof, Streams
from tochka_sdk.repository.versions import TablesOutdated, check_tables

__all__ = [
    "CHANNEL",
    "SERVED",
    "AdminStore",
    "EventLog",
    "Feed",
    "InstallationStore",
    "Proof",
    "Streams",
    "TablesOutdated",
    "check_tables",
]
