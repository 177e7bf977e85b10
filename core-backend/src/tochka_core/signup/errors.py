"""What can go wrong between a right code and a session; each `code` is public API."""

from tochka_sdk.errors import Unavailable


class SignupInterrupted(Unavailable):
    """503: the code was right and is used up, but nothing could be stored. A new code will do."""

    code = "signup.interrupted"

    def __init__(self) -> None:
        super().__init__("We could not sign you in just now. Please ask for a new code.", retry_after=2)
