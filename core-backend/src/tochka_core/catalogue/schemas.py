"""The catalogue as the API shows it."""

from pydantic import BaseModel
from tochka_sdk.manifest import EntitlementSpec, LocalizedText, Publisher


class PlanRead(BaseModel):
    """What a module is sold under. The price is per month, in the smallest unit of the currency."""

    code: str
    name: LocalizedText
    trial_days: int
    price_minor: int
    currency: str
    entitlements: dict[str, bool | int | float | None]


class ModuleRead(BaseModel):
    """One module of the catalogue."""

    id: str
    version: str
    name: LocalizedText
    summary: LocalizedText
    description: LocalizedText
    category: str
    icon: str
    screenshots: list[str]
    publisher: Publisher
    entitlements: list[EntitlementSpec]
    plans: list[PlanRead]


class ModulePage(BaseModel):
    """One page of the catalogue."""

    items: list[ModuleRead]
    next_cursor: str | None
