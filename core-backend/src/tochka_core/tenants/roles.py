"""What each role may do, all of it, and nowhere else.

Endpoints ask for a role by the type of a parameter (`public`: `TenantSession`, `AdminConnection`, …), so that
none can open a transaction without saying who it is for; rules about other members' roles are the functions
below. Nothing outside this file compares roles, and a test of the architecture holds that.

    staff   look, enter the admin of a module, leave
    admin   as staff; change the tenant, activate, see phones, invite up to admin, take back such invitations,
            remove staff
    owner   as admin; invite owners, change roles, remove anyone, remove an installation, hand the tenant over

A tenant always has an owner. Nobody is made one: it takes accepting an invitation or a handover. What an
owner does to other members, or to make more owners, takes a recent sign-in: a session left open gives no
tenant away.
"""

from tochka_core.tenants.errors import RoleRequired
from tochka_core.tenants.schemas import Member, Role

RANKS: tuple[Role, ...] = ("staff", "admin", "owner")
"""Lowest first; each may do what those before it may."""


def reaches(role: Role, least: Role) -> bool:
    """Whether a role is `least`, or above it."""
    return RANKS.index(role) >= RANKS.index(least)


def require(member: Member, least: Role) -> None:
    """Refuse a member below a role.

    Raises:
        RoleRequired: with the role that it takes.
    """
    if not reaches(member.role, least):
        raise RoleRequired(least)


def grantable(role: Role) -> list[Role]:
    """The roles that a member may invite others to: up to one's own, for those who invite at all."""
    if not reaches(role, "admin"):
        return []
    return [other for other in RANKS if reaches(role, other)]


def may_remove(role: Role, other: Role) -> bool:
    """Whether a member may remove another one: owners anyone, administrators those below themselves."""
    return owns(role) or (reaches(role, "admin") and not reaches(other, role))


def owns(role: Role) -> bool:
    """Whether the tenant is this member's."""
    return reaches(role, "owner")


def sees_phones(role: Role) -> bool:
    """Whether other members' phones are shown as a whole."""
    return reaches(role, "admin")
