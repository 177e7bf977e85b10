"""What can go wrong with people, codes and tokens; each `code` is public API."""

from collections.abc import Sequence

from tochka_sdk.errors import (
    Conflict,
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


class CredentialsWrong(Unauthenticated):
    """401: nobody signs in with this phone and this password. Which of the two it is, nobody is told."""

    code = "accounts.credentials_wrong"

    def __init__(self) -> None:
        super().__init__("This is not the phone, or not its password. You can always sign in with a code.")


class PasswordWrong(Malformed):
    """422: not the password of whoever is signed in."""

    code = "accounts.password_wrong"

    def __init__(self, field: str) -> None:
        detail = "This is not your password."
        super().__init__(detail, errors=[FieldError(field, detail, "password_wrong")])


class PasswordRefused(Malformed):
    """422: a password that others would guess; the field's code says why."""

    code = "accounts.password_refused"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail, errors=[FieldError("password", detail, reason)])


class TooManyPasswords(TooManyRequests):
    """429: too many wrong passwords for this phone; a code signs in all the same.

    `is_first` says that nobody was told so since the limit was reached.
    """

    code = "accounts.too_many_passwords"

    def __init__(self, retry_after: float, *, is_first: bool = False) -> None:
        detail = "Too many wrong passwords. Sign in with a code, or try again later."
        super().__init__(detail, retry_after=retry_after)
        self.is_first = is_first


class ReauthenticationNeeded(Unauthenticated):
    """401 (RFC 9470): signed in, but not lately enough for this. `POST /me/reauthentication` helps."""

    code = "accounts.reauthentication_needed"

    def __init__(self, max_age: int) -> None:
        detail = "Confirm that it is you: with a code, or with your password."
        challenge = f'Bearer error="insufficient_user_authentication", max_age="{max_age}"'
        super().__init__(detail, headers={"WWW-Authenticate": challenge}, max_age=max_age)


class ConfirmationNeeded(Recorded, Conflict):
    """409: the phone is proven, but whether the one who holds it now is the one who did is not clear.

    `ways` says what `POST /auth/challenges/{id}/recover` takes (`password`, `anew`), and whether an open
    session or another messenger would be known again.
    """

    code = "accounts.confirmation_needed"

    def __init__(self, ways: Sequence[str]) -> None:
        detail = "This number has an account, perhaps somebody else's. Prove that it is yours, or begin anew."
        super().__init__(detail, ways=list(ways))


class PhoneUnchanged(Malformed):
    """422: it is the person's phone already."""

    code = "accounts.phone_unchanged"

    def __init__(self) -> None:
        detail = "This is your number already."
        super().__init__(detail, errors=[FieldError("phone", detail, "phone_unchanged")])


class PhoneTaken(Conflict):
    """409: somebody else has signed up with this phone; told only to whoever has proven to hold it."""

    code = "accounts.phone_taken"

    def __init__(self) -> None:
        super().__init__("This number belongs to another account.")


class PhoneMissing(Conflict):
    """409: the person has no phone to which a code could be sent."""

    code = "accounts.phone_missing"

    def __init__(self) -> None:
        super().__init__("There is no number to send a code to.")


class PhoneChangeUnknown(NotFound):
    """404: the person changes no phone in this way, or not any more."""

    code = "accounts.phone_change_unknown"

    def __init__(self) -> None:
        super().__init__("There is no such change of a number.")


class AccountUnclear(Conflict):
    """409: an operator names a number that no account, or more than one, was opened by."""

    code = "accounts.unclear"

    def __init__(self, found: Sequence[str]) -> None:
        accounts = ", ".join(found) or "none"
        super().__init__(f"Which account is meant? Found: {accounts}.", found=list(found))
