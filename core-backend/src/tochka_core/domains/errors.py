"""What can go wrong with addresses; each `code` is public API. None of them says whose an address is."""

from tochka_sdk.errors import Conflict, FieldError, Forbidden, Gone, Malformed, NotFound, Unavailable

RULE = "3 to 32 Latin letters, digits and hyphens; no hyphen at either end, and not two at places 3 and 4."


class LabelMalformed(Malformed):
    """422: not a label that a subdomain can have."""

    code = "domains.malformed"

    def __init__(self) -> None:
        super().__init__(f"An address has {RULE}", errors=[FieldError("subdomain", RULE, "malformed")])


class LabelReserved(Conflict):
    """409: kept for the platform, a brand, or nobody."""

    code = "domains.reserved"

    def __init__(self) -> None:
        super().__init__("This address is reserved.")


class HostTaken(Conflict):
    """409: somebody has it."""

    code = "domains.taken"

    def __init__(self) -> None:
        super().__init__("This address is taken.")


class HostQuarantined(Conflict):
    """409: it was somebody else's shop until lately, and its visitors still come."""

    code = "domains.quarantined"

    def __init__(self) -> None:
        super().__init__("This address was in use until lately and is not free yet.")


class HostUnknown(NotFound):
    """404: nothing answers at this host."""

    code = "domains.unknown"

    def __init__(self) -> None:
        super().__init__("There is nothing at this address.")


class HostSuspended(Forbidden):
    """403: what is there is closed for now."""

    code = "domains.suspended"

    def __init__(self) -> None:
        super().__init__("This address is closed for now.")


class HostGone(Gone):
    """410: what was there is gone."""

    code = "domains.gone"

    def __init__(self) -> None:
        super().__init__("What was at this address is gone.")


class HostProvisioning(Unavailable):
    """503: it is being set up."""

    code = "domains.provisioning"

    def __init__(self) -> None:
        super().__init__("This address is being set up.", retry_after=1)
