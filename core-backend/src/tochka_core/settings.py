"""Configuration of the core: read once in `main`, handed down, never a global."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from tochka_sdk.tokens import read_key

KNOWN_DEFAULTS = frozenset({"secret", "changeme", "change-me", "password", "test", "development"})
MIN_SECRET_BYTES = 32


class Settings(BaseSettings):
    """Everything the core can be told. Secrets have no default: a missing one stops the start.

    Every name is read from the environment with the prefix `TOCHKA_CORE_`. Keys are Ed25519 private JWKs
    (RFC 8037) as JSON; `webhook_key` is a Standard Webhooks `whsk_` key.
    """

    model_config = SettingsConfigDict(
        env_prefix="TOCHKA_CORE_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    environment: Literal["development", "test", "production"] = "production"
    public_url: str = "http://localhost:8080"
    storefront_domain: str = "localhost"
    storefront_scheme: Literal["http", "https"] = "http"
    storefront_port_suffix: str = ""

    database_url: SecretStr
    jobs_database_url: SecretStr
    redis_url: SecretStr
    pool_size: int = Field(default=8, ge=1, le=100)

    issuer: str = ""
    signing_key: SecretStr
    license_key: SecretStr
    webhook_key: SecretStr
    code_pepper: SecretStr
    session_key: SecretStr
    secret_key_master: SecretStr

    host: str = "127.0.0.1"
    port: int = 8000
    private_host: str = "127.0.0.1"
    private_port: int = 8001
    worker_port: int = 8002

    limits: Literal["strict", "relaxed"] = "strict"
    dev_inbox: bool = False
    log_level: str = "INFO"
    log_json: bool = True
    sentry_dsn: SecretStr | None = None

    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    activation_deadline_s: float = Field(default=60.0, gt=0, le=600)
    trial_days: int = Field(default=14, ge=0, le=365)

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Read origins from one comma-separated string."""
        if isinstance(value, str):
            return tuple(origin.strip() for origin in value.split(",") if origin.strip())
        return value

    @field_validator("code_pepper", "session_key", "secret_key_master")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        """Refuse short and well-known secrets."""
        text = value.get_secret_value()
        if text.lower() in KNOWN_DEFAULTS or len(text.encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"must be a random secret of at least {MIN_SECRET_BYTES} bytes")
        return value

    @field_validator("signing_key", "license_key")
    @classmethod
    def _is_ed25519(cls, value: SecretStr) -> SecretStr:
        """Refuse anything that is not an Ed25519 private key, without echoing it."""
        read_key(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Refuse settings that are only dangerous together."""
        secrets = [self.signing_key, self.license_key, self.webhook_key, self.code_pepper, self.session_key]
        values = [secret.get_secret_value() for secret in (*secrets, self.secret_key_master)]
        if len(set(values)) != len(values):
            raise ValueError("every key has one purpose: two of the secrets are the same")
        if self.environment == "production" and self.dev_inbox:
            raise ValueError("the development inbox cannot be switched on in production")
        return self

    @property
    def token_issuer(self) -> str:
        """The `iss` of every token: the public address of the platform unless told otherwise."""
        return self.issuer or self.public_url

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach the platform over https, so that cookies may be `__Host-` and Secure."""
        return self.public_url.startswith("https://")

    def storefront_url(self, host: str) -> str:
        """The public address of a storefront host (no port in `host`)."""
        return f"{self.storefront_scheme}://{host}{self.storefront_port_suffix}"
