"""What can go wrong with tenants; each `code` is public API."""

from tochka_sdk.errors import Conflict, FieldError, Forbidden, Malformed, NotFound

WHO_MAY = {
    "owner": "This is for the owner of the tenant.",
    "admin": "This is for the owner and the administrators of the tenant.",
}


class AccessDenied(Forbidden):
    """403: not a member; whether the tenant exists is not said."""

    code = "tenants.access_denied"

    def __init__(self) -> None:
        super().__init__("You are not a member of this tenant.")


class RoleRequired(Forbidden):
    """403: a member whose role does not allow this; `role` is the least that does."""

    code = "tenants.role_required"

    def __init__(self, role: str) -> None:
        super().__init__(WHO_MAY[role], role=role)


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


class MemberUnknown(NotFound):
    """404: nobody of that id is a member of the tenant."""

    code = "tenants.member_unknown"

    def __init__(self) -> None:
        super().__init__("There is no such member.")


class LastOwner(Conflict):
    """409: a tenant always has an owner; hand it over first."""

    code = "tenants.last_owner"

    def __init__(self) -> None:
        super().__init__("The last owner cannot leave or become anything else. Hand the tenant over first.")


class AlreadyMember(Conflict):
    """409: the person is a member already."""

    code = "tenants.already_member"

    def __init__(self) -> None:
        super().__init__("This person is a member of the tenant already.")


class AlreadyOwner(Conflict):
    """409: the member is an owner already."""

    code = "tenants.already_owner"

    def __init__(self) -> None:
        super().__init__("This member is an owner of the tenant already.")


class AlreadyInvited(Conflict):
    """409: an invitation of this phone is open; take it back to send another one."""

    code = "tenants.already_invited"

    def __init__(self) -> None:
        super().__init__("This phone has been invited already.")


class TooManyInvitations(Conflict):
    """409: the tenant has as many open invitations as it may have."""

    code = "tenants.too_many_invitations"

    def __init__(self, most: int) -> None:
        super().__init__(f"At most {most} invitations can be open. Take some back, or wait until they end.")


class InvitationUnknown(NotFound):
    """404: no such invitation, not one of this tenant or this phone, or one that is closed."""

    code = "tenants.invitation_unknown"

    def __init__(self) -> None:
        super().__init__("There is no such invitation, or it is not open any more.")


class HandoverUnknown(NotFound):
    """404: the tenant is not being handed over, or not to the one who asks."""

    code = "tenants.handover_unknown"

    def __init__(self) -> None:
        super().__init__("The tenant is not being handed over.")
