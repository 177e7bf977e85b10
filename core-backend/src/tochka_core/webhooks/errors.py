"""What can go wrong with deliveries and at the modules' side door; each `code` is public API."""

from tochka_sdk.errors import Conflict, FieldError, Malformed, NotFound


class FeedCursorInvalid(Malformed):
    """422: `after` is not a position that this platform gave out."""

    code = "webhooks.cursor_invalid"

    def __init__(self) -> None:
        wrong = FieldError("after", "Not a position.", "cursor", "query")
        super().__init__("Take `after` from `next_cursor`, or the sequence of an event.", errors=[wrong])


class DeliveryUnknown(NotFound):
    """404: the tenant has no such delivery to an endpoint of its own."""

    code = "webhooks.delivery_unknown"

    def __init__(self) -> None:
        super().__init__("There is no such delivery to one of your endpoints.")


class ReplayUnknown(NotFound):
    """404: the tenant has no such replay."""

    code = "webhooks.replay_unknown"

    def __init__(self) -> None:
        super().__init__("There is no such replay.")


class ReplayFinished(Conflict):
    """409: the replay has ended; there is nothing to stop."""

    code = "webhooks.replay_finished"

    def __init__(self) -> None:
        super().__init__("The replay has ended already.")


class EndpointDisabled(Conflict):
    """409: nothing is sent to an endpoint that is disabled."""

    code = "webhooks.endpoint_disabled"

    def __init__(self) -> None:
        super().__init__("The endpoint is disabled. Enable it first.")


class DeliveryUnsettled(Conflict):
    """409: nobody has tried the delivery yet, or another one has to come first."""

    code = "webhooks.delivery_unsettled"

    def __init__(self) -> None:
        super().__init__("The delivery has not been tried yet; it will be sent without being asked for.")
