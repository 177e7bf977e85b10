"""What can go wrong at the modules' side door; each `code` is public API."""

from tochka_sdk.errors import FieldError, Malformed


class FeedCursorInvalid(Malformed):
    """422: `after` is not a position that this platform gave out."""

    code = "webhooks.cursor_invalid"

    def __init__(self) -> None:
        wrong = FieldError("after", "Not a position.", "cursor", "query")
        super().__init__("Take `after` from `next_cursor`, or the sequence of an event.", errors=[wrong])
