"""What can go wrong with a repeated write; each `code` is public API."""

from tochka_sdk.errors import FieldError, Malformed


class KeyReused(Malformed):
    """422: the key belongs to another request."""

    code = "idempotency.mismatch"

    def __init__(self) -> None:
        wrong = FieldError("Idempotency-Key", "Already used for another request.", "mismatch", "header")
        super().__init__("This idempotency key was used for a different request.", errors=[wrong])
