"""What can go wrong with people, codes and tokens; each `code` is public API."""

from tochka_sdk.errors import (
    FieldError,
    Forbidden,
    Gone,
    Malformed,
    NotFound,
    Recorded,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)

BEARER = {"WWW-Authenticate": "Bearer"}


class NotSignedIn(Unauthenticated):
    """401: no access token, or not a valid one, or its session has ended."""

    code = "accounts.unauthenticated"

    def __init__(self, detail: str = "Sign in first.") -> None:
        super().__init__(detail, headers=BEARER)


class PhoneInvalid(Malformed):
    """422: not a phone number of any country."""

    code = "accounts.phone_invalid"

    def __init__(self) -> None:
        wrong = FieldError("phone", "This is not a phone number.", "phone_invalid")
        super().__init__("This is not a phone number.", errors=[wrong])


class PhoneNotMobile(Malformed):
    """422: a phone that cannot receive messages."""

    code = "accounts.phone_not_mobile"

    def __init__(self) -> None:
        wrong = FieldError("phone", "This is not a mobile number.", "phone_not_mobile")
        super().__init__("A code can be sent to a mobile number only.", errors=[wrong])


class ChannelUnavailable(Unavailable):
    """503: nothing is set up that could carry a code over this channel."""

    code = "accounts.channel_unavailable"

    def __init__(self) -> None:
        super().__init__("Codes cannot be sent over this channel at the moment.", retry_after=60)


class SendingPaused(Unavailable):
    """503: what codes may cost in a day is spent, for this channel or for the country of the phone."""

    code = "accounts.sending_paused"

    def __init__(self, retry_after: float) -> None:
        detail = "No more codes can be sent this way today. Try another channel, or again tomorrow."
        super().__init__(detail, retry_after=retry_after)


class ChallengeUnknown(NotFound):
    """404: no such challenge, or one from long ago."""

    code = "accounts.challenge_unknown"

    def __init__(self) -> None:
        super().__init__("Ask for a new code.")


class CodeWrong(Malformed):
    """422: not the code that was sent."""

    code = "accounts.code_wrong"

    def __init__(self, tries_left: int) -> None:
        wrong = FieldError("code", "This is not the code that was sent.", "code_wrong")
        super().__init__("This is not the code that was sent.", errors=[wrong], tries_left=tries_left)


class CodeExpired(Gone):
    """410: the code is too old."""

    code = "accounts.code_expired"

    def __init__(self) -> None:
        super().__init__("The code has expired. Ask for a new one.")


class CodeUsed(Gone):
    """410: the code has done its work; only one request wins."""

    code = "accounts.code_used"

    def __init__(self) -> None:
        super().__init__("The code has been used. Ask for a new one.")


class TooManyTries(TooManyRequests):
    """429: too many wrong codes, for this challenge or for this phone.

    `is_first` says that nobody was told so of this challenge before.
    """

    code = "accounts.too_many_tries"

    def __init__(self, retry_after: float, *, is_first: bool = False) -> None:
        super().__init__("Too many wrong codes. Ask for a new one later.", retry_after=retry_after)
        self.is_first = is_first


class TooManyCodes(TooManyRequests):
    """429: too many codes were asked for, or the last one only just now."""

    code = "accounts.too_many_codes"

    def __init__(self, retry_after: float) -> None:
        super().__init__("Too many codes were asked for. Try again later.", retry_after=retry_after)


class CrossSite(Forbidden):
    """403: a page of another site tries to use the refresh cookie."""

    code = "accounts.cross_site"

    def __init__(self) -> None:
        super().__init__("This call is for the platform's own pages.")


class RefreshInvalid(Unauthenticated):
    """401: no refresh token, or none that opens anything; sign in again."""

    code = "accounts.refresh_invalid"

    def __init__(self) -> None:
        super().__init__("The session has ended. Sign in again.")


class SessionReplayed(Recorded, RefreshInvalid):
    """401: a refresh token was used again after its time: perhaps stolen. The session is revoked."""

    code = "accounts.session_revoked"


class SessionUnknown(NotFound):
    """404: the person has no such session."""

    code = "accounts.session_unknown"

    def __init__(self) -> None:
        super().__init__("There is no such session.")


class PersonUnknown(NotFound):
    """404: the person is gone."""

    code = "accounts.person_unknown"

    def __init__(self) -> None:
        super().__init__("There is no such person.")
