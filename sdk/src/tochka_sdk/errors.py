"""What can go wrong, as a tree; each error carries an HTTP status and a stable public code.

    DomainError                 400  the root; never raised itself
    ├── Malformed               422  the request does not mean anything
    ├── Unauthenticated         401  nobody known is asking
    ├── Forbidden               403  somebody known, but not allowed
    ├── NotFound                404  no such thing, or not yours to see
    ├── TooSlow                 408  the rest of the request did not come in time
    ├── Conflict                409  the thing is in a state that does not permit this
    ├── Gone                    410  it was there and is not any more
    ├── TooLarge                413  more bytes than allowed
    ├── UnsupportedMediaType    415  a body of a kind that is not read here
    ├── TooManyRequests         429  come back after `Retry-After`
    └── Unavailable             503  something behind us is away; come back after `Retry-After`
        ├── DatabaseBusy             every connection of the pool is taken
        └── DatabaseUnavailable      the database does not answer

A package subclasses one of these, sets `code` ("slice.fact") and maybe `title`, and raises it with a
sentence for the reader. `tochka_sdk.problems` renders it as RFC 9457 problem+json. Errors carry no internal
detail: everything in them reaches the client. An error that also derives from `Recorded` commits the
transaction that it leaves.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field of a request that was refused.

    `field` is the dotted path inside its place ("items.0.price"), `code` is stable and meant for programs
    ("missing"), `message` is meant for people, `location` is where the field stood: body, query, path,
    header.
    """

    field: str
    message: str
    code: str = "invalid"
    location: str = "body"

    def as_dict(self) -> dict[str, JsonValue]:
        """The shape that stands in `errors[]` of a problem."""
        return {
            "field": self.field,
            "code": self.code,
            "message": self.message,
            "location": self.location,
        }


class DomainError(Exception):
    """The root of what a client may be told.

    Args:
        detail: one sentence for the person who reads the answer.
        errors: which fields were refused, if it is about fields.
        headers: headers of the answer, for example `Retry-After` or `WWW-Authenticate`.
        extra: more members of the problem document; names of the standard members are refused.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "request.refused"
    title: ClassVar[str] = ""

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **extra: JsonValue,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors: tuple[FieldError, ...] = tuple(errors)
        self.headers: dict[str, str] = dict(headers or {})
        self.extra: dict[str, JsonValue] = extra

    @property
    def heading(self) -> str:
        """The problem's `title`: that of the class, else the phrase of the status."""
        return self.title or HTTPStatus(self.status).phrase


class Malformed(DomainError):
    """422: the request cannot be understood; repeating it unchanged will not help."""

    status = 422
    code = "request.malformed"


class Unauthenticated(DomainError):
    """401: there is no valid proof of who is asking."""

    status = 401
    code = "request.unauthenticated"


class Forbidden(DomainError):
    """403: known, and not allowed."""

    status = 403
    code = "request.forbidden"


class NotFound(DomainError):
    """404: it does not exist, or belongs to somebody else, which is the same to the one who asks."""

    status = 404
    code = "request.not_found"


class TooSlow(DomainError):
    """408: the request did not arrive in time; the connection is closed."""

    status = 408
    code = "request.too_slow"


class Conflict(DomainError):
    """409: the present state does not permit it."""

    status = 409
    code = "request.conflict"


class Gone(DomainError):
    """410: it existed and will not come back."""

    status = 410
    code = "request.gone"


class TooLarge(DomainError):
    """413: the body has more bytes than this address accepts."""

    status = 413
    code = "request.too_large"


class UnsupportedMediaType(DomainError):
    """415: the body is declared as something that this address does not read."""

    status = 415
    code = "request.unsupported_media_type"


class _Later(DomainError):
    """An error that says when to come back."""

    def __init__(
        self,
        detail: str,
        *,
        retry_after: float = 1.0,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **extra: JsonValue,
    ) -> None:
        """`retry_after` is in seconds; the header carries it rounded up to whole ones, at least 1."""
        seconds = max(1, math.ceil(retry_after))
        merged = {"Retry-After": str(seconds), **(headers or {})}
        super().__init__(detail, errors=errors, headers=merged, **extra)
        self.retry_after = retry_after


class TooManyRequests(_Later):
    """429: a limit is reached; `retry_after` seconds is when it opens again."""

    status = 429
    code = "request.too_many"


class Unavailable(_Later):
    """503: something that this needs is away for now; repeating after `retry_after` seconds may help."""

    status = 503
    code = "request.unavailable"


class DatabaseBusy(Unavailable):
    """503: no connection became free within the pool's timeout."""

    code = "database.busy"


class DatabaseUnavailable(Unavailable):
    """503: the database could not be reached, or went away in the middle.

    Nothing was stored, unless the connection was lost during the commit itself: then the outcome is
    unknown, as with every network, and a repeat must be safe.
    """

    code = "database.unavailable"


class Recorded:
    """A mixin for errors whose transaction commits although they were raised.

    The rule is that an error rolls everything back. A few facts must outlive the refusal that they cause: a
    session family revoked because its token was replayed, the audit row of a failure. Such an error says so
    by its type::

        class TokenReplayed(Recorded, Unauthenticated):
            code = "accounts.token_replayed"
    """
