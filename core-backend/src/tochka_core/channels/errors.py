"""What can go wrong between a bot and its messenger."""

from tochka_sdk.errors import Malformed, NotFound


class MessengerRefuses(Exception):
    """A messenger does not do what a bot needs; the message is for the operator and holds no secret."""


class NoSuchBot(NotFound):
    """404: no messenger is expected to call here, or not with this secret."""

    code = "channels.no_such_bot"

    def __init__(self) -> None:
        super().__init__("There is nothing here.")


class UpdateUnreadable(Malformed):
    """422: what a messenger sends is not an update."""

    code = "channels.update_unreadable"

    def __init__(self) -> None:
        super().__init__("This is not an update.")
