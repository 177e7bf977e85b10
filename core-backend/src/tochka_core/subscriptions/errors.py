"""What can go wrong with subscriptions; each `code` is public API."""

from tochka_sdk.errors import Conflict, NotFound


class SubscriptionUnknown(NotFound):
    """404: the tenant has no such subscription."""

    code = "subscriptions.unknown"

    def __init__(self) -> None:
        super().__init__("There is no such subscription.")


class SubscriptionEnded(Conflict):
    """409: canceled or void; it does not come back."""

    code = "subscriptions.ended"

    def __init__(self) -> None:
        super().__init__("This subscription has ended.")
