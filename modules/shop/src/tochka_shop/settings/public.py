"""The settings' face to other slices."""

from tochka_shop.settings.service import change, create, forget, get, take_turn

__all__ = ["change", "create", "forget", "get", "take_turn"]
