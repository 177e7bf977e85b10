"""What can go wrong with webhook endpoints; each `code` is public API."""

from tochka_sdk.errors import Conflict, FieldError, Malformed, NotFound


class EndpointUnknown(NotFound):
    """404: the tenant has no such endpoint."""

    code = "endpoints.unknown"

    def __init__(self) -> None:
        super().__init__("There is no such webhook endpoint.")


class TooManyEndpoints(Conflict):
    """409: the tenant has as many endpoints as one may have."""

    code = "endpoints.too_many"

    def __init__(self, most: int) -> None:
        super().__init__(f"A business can have {most} webhook endpoints. Delete one that is not needed.")


class UrlRefused(Malformed):
    """422: nothing would be sent to this address."""

    code = "endpoints.url_refused"

    def __init__(self, why: str) -> None:
        super().__init__(
            "Nothing can be sent to this address.", errors=[FieldError("url", why, "url", "body")]
        )
