"""What can go wrong with modules and plans; each `code` is public API."""

from tochka_sdk.errors import FieldError, Malformed, NotFound, Unauthenticated, Unavailable


class ModuleUnknown(NotFound):
    """404: no such module in the catalogue, or one that was withdrawn."""

    code = "catalogue.module_unknown"

    def __init__(self) -> None:
        super().__init__("There is no such module in the catalogue.")


class PlanUnknown(Malformed):
    """422: the module is not sold under this plan."""

    code = "catalogue.plan_unknown"

    def __init__(self) -> None:
        wrong = FieldError("plan", "The module has no such plan.", "plan_unknown")
        super().__init__("The module has no such plan.", errors=[wrong])


class KeyInvalid(Malformed):
    """422: not the public half of an Ed25519 key."""

    code = "catalogue.key_invalid"

    def __init__(self) -> None:
        wrong = FieldError("public_key", "Not an Ed25519 public JWK.", "key_invalid")
        super().__init__("The module's key must be an Ed25519 public JWK.", errors=[wrong])


class ManifestUnreachable(Unavailable):
    """503: the module does not show a manifest at its address."""

    code = "catalogue.manifest_unreachable"


class ModuleNotAuthenticated(Unauthenticated):
    """401: the caller does not prove to be a registered module."""

    code = "catalogue.module_unauthenticated"

    def __init__(self) -> None:
        super().__init__("Show a token signed with the module's key.", headers={"WWW-Authenticate": "Bearer"})
