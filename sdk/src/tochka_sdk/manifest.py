"""The manifest: what a module says about itself at `/.well-known/tochka-module.json`.

Source: the platform's contract §3.1. Prices are the platform's and not part of it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import jsonschema
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tochka_sdk.errors import FieldError, Malformed
from tochka_sdk.events import EVENTS

MODULE_ID = r"^[a-z][a-z0-9-]{1,62}$"
SEMVER = (
    r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$"
)
_KEY = r"^[a-z][a-z0-9_]{0,63}$"
_SCOPE = r"^[a-z][a-z0-9_]*(?:[.:][a-z][a-z0-9_]*)*$"
_URL = r"^https?://[^\s/$.?#][^\s]*$"
_PATH = r"^/([^/\s\\?#][^\s\\?#]*)?$"


class ManifestInvalid(Malformed):
    """422: the manifest does not keep the contract; `errors[]` names the fields."""

    code = "manifest.invalid"


def _is_schema(value: dict[str, Any]) -> dict[str, Any]:
    try:
        jsonschema.Draft202012Validator.check_schema(value)
    except jsonschema.SchemaError as error:
        raise ValueError(f"not a JSON Schema: {error.message}") from None
    return value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class LocalizedText(_Part):
    """One text in the languages of the platform."""

    ru: str = Field(min_length=1, max_length=4000)
    en: str = Field(min_length=1, max_length=4000)


class Publisher(_Part):
    """Who made the module, and where its users find help."""

    name: str = Field(min_length=1, max_length=200)
    support_url: str = Field(pattern=_URL, max_length=500)


class Endpoints(_Part):
    """Where the core reaches the module: scheme and authority, no path behind it."""

    base_url: str = Field(pattern=_URL, max_length=500)


class ScopeRequest(_Part):
    """A right that the module asks for, and the reason that the owner will read."""

    code: str = Field(pattern=_SCOPE, max_length=100)
    reason: LocalizedText | str


class EntitlementSpec(_Part):
    """Something that plans can grant: a feature (boolean), a limit (static), a consumption (metered).

    `default` holds when a plan says nothing; null means «without limit». With a `name` it is shown to owners
    who choose between plans: «Products: 100».
    """

    key: str = Field(pattern=_KEY)
    type: Literal["boolean", "static", "metered"]
    default: bool | int | float | None = False
    name: LocalizedText | None = None

    @model_validator(mode="after")
    def _default_fits(self) -> "EntitlementSpec":
        if (self.type == "boolean") != isinstance(self.default, bool):
            raise ValueError(f"the default of a {self.type} entitlement is of another type")
        return self


class SuggestedPlan(_Part):
    """What the module proposes to sell; the platform decides and sets the price."""

    code: str = Field(pattern=_KEY)
    name: LocalizedText
    trial_days: int = Field(default=0, ge=0, le=365)
    entitlements: dict[str, bool | int | float | None] = Field(default_factory=dict)


class Manifest(_Part):
    """A module's description of itself, version 1."""

    manifest_version: Literal[1]
    id: str = Field(pattern=MODULE_ID)
    version: str = Field(pattern=SEMVER, max_length=100)
    sdk_range: str = Field(min_length=1, max_length=100)
    name: LocalizedText
    summary: LocalizedText
    description: LocalizedText
    icon: str = Field(max_length=500)
    screenshots: list[Annotated[str, Field(max_length=500)]] = Field(default_factory=list, max_length=10)
    category: str = Field(pattern=_KEY)
    publisher: Publisher
    endpoints: Endpoints
    storefront_path: str = Field(default="/", pattern=_PATH, max_length=200)
    admin_path: str = Field(pattern=_PATH, max_length=200)
    events: list[str] = Field(default_factory=list)
    scopes: list[ScopeRequest] = Field(default_factory=list)
    entitlements: list[EntitlementSpec] = Field(default_factory=list)
    suggested_plans: list[SuggestedPlan] = Field(default_factory=list)
    settings_schema: Annotated[dict[str, Any], AfterValidator(_is_schema)] = Field(default_factory=dict)
    legal: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> "Manifest":
        keys = [item.key for item in self.entitlements]
        if len(set(keys)) != len(keys):
            raise ValueError("two entitlements have the same key")
        codes = [plan.code for plan in self.suggested_plans]
        if len(set(codes)) != len(codes):
            raise ValueError("two suggested plans have the same code")
        for plan in self.suggested_plans:
            unknown = sorted(set(plan.entitlements) - set(keys))
            if unknown:
                raise ValueError(f"plan {plan.code} grants {', '.join(unknown)}, which is not an entitlement")
        strange = sorted(set(self.events) - set(EVENTS))
        if strange:
            raise ValueError(f"no such event: {', '.join(strange)}")
        return self

    def entitlements_of(self, plan: str) -> dict[str, bool | int | float | None]:
        """What a suggested plan grants, the defaults filled in. An unknown plan grants the defaults."""
        granted = {item.key: item.default for item in self.entitlements}
        for suggested in self.suggested_plans:
            if suggested.code == plan:
                granted |= suggested.entitlements
        return granted


JSON_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **Manifest.model_json_schema(),
}
"""The manifest's JSON Schema (2020-12), for other languages and for editors."""


def parse(document: Mapping[str, Any]) -> Manifest:
    """The manifest in a JSON object. Raises `ManifestInvalid`, which names every field that is wrong."""
    try:
        return Manifest.model_validate(dict(document))
    except ValidationError as error:
        fields = [
            FieldError(".".join(map(str, item["loc"])) or "manifest", item["msg"], item["type"])
            for item in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        named = ", ".join(field.field for field in fields)
        raise ManifestInvalid(f"The manifest is not valid: {named}.", errors=fields) from None
