"""Configuration of a module: read once from the environment, frozen, handed down."""

import json
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from joserfc.jwk import OKPKey
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tochka_sdk.tokens import read_key


class ModuleSettings(BaseSettings):
    """Everything a module can be told. Names in the environment carry the prefix `TOCHKA_MODULE_`.

    `database_url` is the unprivileged role's, `owner_database_url` the migrations' alone. `core_url` is
    where the core's public listener is reached from here; `issuer` is the `iss` of its tokens, which is
    also the public address of the platform. `core_jwks` is its `jwks.json`, as JSON; empty means that it is
    fetched from `core_url` at start. `private_key` is the module's own Ed25519 private JWK, whose public
    half is registered with the core. `base_url` is where the core and the gateway reach this process.
    `pgbouncer` says that `database_url` leads through PgBouncer in transaction mode.
    `limits` is strict in production and relaxed elsewhere, unless it says otherwise.
    """

    model_config = SettingsConfigDict(env_prefix="TOCHKA_MODULE_", frozen=True, extra="ignore")

    environment: Literal["development", "test", "production"] = "production"
    limits: Literal["strict", "relaxed"] | None = None
    database_url: SecretStr
    owner_database_url: SecretStr | None = None
    pool_size: int = Field(default=5, ge=1, le=100)
    pgbouncer: bool = False

    core_url: str
    issuer: str
    core_jwks: str = ""
    private_key: SecretStr

    public_scheme: Literal["http", "https"] = "http"
    host: str = "127.0.0.1"
    port: int = Field(default=8100, ge=0, le=65535)
    base_url: str = ""
    uploads_dir: Path = Path("uploads")

    log_level: str = "INFO"
    log_json: bool = True

    @field_validator("core_jwks")
    @classmethod
    def _is_key_set(cls, value: str) -> str:
        if value and not isinstance(json.loads(value).get("keys"), list):
            raise ValueError('must be {"keys": [...]}')
        return value

    @field_validator("private_key")
    @classmethod
    def _is_key(cls, value: SecretStr) -> SecretStr:
        read_key(value.get_secret_value())
        return value

    @property
    def jwks(self) -> dict[str, Any] | None:
        """The core's keys as given, or None when they are to be fetched."""
        return dict(json.loads(self.core_jwks)) if self.core_jwks else None

    @property
    def key(self) -> OKPKey:
        """The module's own private key."""
        return read_key(self.private_key.get_secret_value())

    @property
    def app_role(self) -> str:
        """The role that `database_url` signs in with: the one that migrations grant rights to."""
        return urlsplit(self.database_url.get_secret_value()).username or ""

    @property
    def public_base(self) -> str:
        """Where core and gateway reach this process: `base_url`, or host and port."""
        return self.base_url or f"http://{self.host}:{self.port}"

    @property
    def is_relaxed(self) -> bool:
        """Whether limits per address, tenant and route are a hundred times what they are in production."""
        return (self.limits or ("strict" if self.environment == "production" else "relaxed")) == "relaxed"

    @property
    def is_secure(self) -> bool:
        """Whether browsers come over https, so that cookies may be `__Host-` and Secure."""
        return self.public_scheme == "https"
