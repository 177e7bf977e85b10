"""What can go wrong with settings."""

from tochka_sdk.errors import NotFound


class ShopNotProvisioned(NotFound):
    """The address is known, the shop behind it is not there (any more)."""

    code = "settings.not_provisioned"

    def __init__(self) -> None:
        super().__init__("There is no shop at this address.")
