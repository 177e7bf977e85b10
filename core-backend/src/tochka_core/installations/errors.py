"""What can go wrong with installations; each `code` is public API."""

from tochka_sdk.errors import Conflict, NotFound


class InstallationUnknown(NotFound):
    """404: no such installation, or not one that the caller may see."""

    code = "installations.unknown"

    def __init__(self) -> None:
        super().__init__("There is no such installation.")


class NotLive(Conflict):
    """409: it is not live yet, or not any more."""

    code = "installations.not_live"

    def __init__(self) -> None:
        super().__init__("The installation is not live.")


class Closed(Conflict):
    """409: its subscription is suspended."""

    code = "installations.closed"

    def __init__(self) -> None:
        super().__init__("The installation is closed: its subscription is suspended.")


class NotProvisioning(Conflict):
    """409: nobody waits for this report any more: it came too late, or the installation is gone."""

    code = "installations.not_provisioning"

    def __init__(self) -> None:
        super().__init__("The installation is not being provisioned.")
