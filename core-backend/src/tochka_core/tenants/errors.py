"""What can go wrong with tenants; each `code` is public API."""

from tochka_sdk.errors import FieldError, Forbidden, Malformed, NotFound


class AccessDenied(Forbidden):
    """403: not a member; whether the tenant exists is not said."""

    code = "tenants.access_denied"

    def __init__(self) -> None:
        super().__init__("You are not a member of this tenant.")


class RoleRequired(Forbidden):
    """403: a member whose role does not allow this."""

    code = "tenants.role_required"

    def __init__(self) -> None:
        super().__init__("This is for the owner and the administrators of the tenant.")


class TenantMalformed(Malformed):
    """422: the tenant is not named by a UUID."""

    code = "tenants.malformed_id"

    def __init__(self, field: str, location: str) -> None:
        wrong = FieldError(field, "Not the id of a tenant.", "uuid", location)
        super().__init__("The tenant's id is malformed.", errors=[wrong])


class TenantContradiction(Malformed):
    """422: path and header name different tenants."""

    code = "tenants.contradiction"

    def __init__(self) -> None:
        wrong = FieldError("X-Tenant-ID", "Names another tenant than the path.", "contradiction", "header")
        super().__init__("The request names two different tenants.", errors=[wrong])


class TenantNotChosen(Malformed):
    """422: neither path, header nor token names a tenant."""

    code = "tenants.not_chosen"

    def __init__(self) -> None:
        wrong = FieldError("X-Tenant-ID", "Name the tenant.", "missing", "header")
        super().__init__("The request does not say which tenant it is for.", errors=[wrong])


class TenantUnknown(NotFound):
    """404: no such tenant within this scope."""

    code = "tenants.unknown"

    def __init__(self) -> None:
        super().__init__("There is no such tenant.")
