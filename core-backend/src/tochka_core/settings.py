"""Configuration of the core: read once in `main`, handed down, never a global."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, Json, JsonValue, SecretStr, StringConstraints, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from tochka_sdk.secrecy import is_guessable
from tochka_sdk.tokens import read_key

from tochka_core.hashing import PasswordCosts
from tochka_core.quotas import Quotas

MIN_SECRET_BYTES = 32
ORIGIN = re.compile(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?")
WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{32,256}")
BotName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{0,64}$")]


class ChannelSettings(BaseSettings):
    """What carries codes to people. Each part is absent until its token or address is given.

    Kept apart so that channels can be looked at without a database, keys or anything that runs.
    """

    model_config = SettingsConfigDict(
        env_prefix="TOCHKA_CORE_",
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    public_url: str = "http://localhost:8080"

    max_bot_token: SecretStr | None = None
    max_bot_name: BotName = ""
    max_webhook_secret: SecretStr | None = None
    max_api_url: str = "https://platform-api2.max.ru"

    telegram_bot_token: SecretStr | None = None
    telegram_bot_name: BotName = ""
    telegram_webhook_secret: SecretStr | None = None
    telegram_api_url: str = "https://api.telegram.org"

    telegram_gateway_token: SecretStr | None = None
    telegram_gateway_sender: str = ""
    telegram_gateway_url: str = "https://gatewayapi.telegram.org"

    sms_url: str = ""
    sms_headers: Annotated[Json[dict[str, SecretStr]], NoDecode] = Field(default={}, validate_default=False)
    sms_body: Annotated[Json[dict[str, JsonValue]], NoDecode] = Field(default={}, validate_default=False)
    sms_encoding: Literal["json", "form"] = "json"
    sms_success: str = ""

    @field_validator("max_webhook_secret", "telegram_webhook_secret")
    @classmethod
    def _can_be_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        """Refuse what messengers refuse, and what could be guessed."""
        text = None if value is None else value.get_secret_value()
        if text is not None and not WEBHOOK_SECRET.fullmatch(text):
            raise ValueError("must be 32 to 256 letters, digits, _ and -")
        if text is not None and is_guessable(text.encode()):
            raise ValueError("must be random: this one can be guessed")
        return value

    @model_validator(mode="after")
    def _whole_channels(self) -> Self:
        """Refuse a channel that is half set up, and two that carry the same."""
        for messenger in ("max", "telegram"):
            if getattr(self, f"{messenger}_bot_token") and not getattr(self, f"{messenger}_bot_name"):
                raise ValueError(f"the {messenger} bot has a token and no name")
        if self.telegram_bot_token and self.telegram_gateway_token:
            raise ValueError("choose one way to Telegram: its bot, or its Gateway")
        if self.sms_url and not self.sms_body:
            raise ValueError("SMS have an address and no body")
        return self


class Settings(ChannelSettings):
    """Everything the core can be told. Secrets have no default: a missing one stops the start.

    Every name is read from the environment with the prefix `TOCHKA_CORE_`; a single quota by its own name,
    as in `TOCHKA_CORE_QUOTAS__CODES=30/1h`. Signing keys stand in the file `keyring_file`, which is followed
    while the process runs, or all four in settings of their own, which cannot be rotated: `signing_key`,
    `license_key` and `audit_key` are Ed25519 private JWKs (RFC 8037) as JSON, `webhook_key` is a Standard
    Webhooks `whsk_` key.
    """

    environment: Literal["development", "test", "production"] = "production"
    storefront_domain: str = "localhost"
    storefront_scheme: Literal["http", "https"] = "http"
    storefront_port_suffix: str = ""

    database_url: SecretStr
    jobs_database_url: SecretStr
    redis_url: SecretStr
    pool_size: int = Field(default=8, ge=1, le=100)

    issuer: str = ""
    keyring_file: Path | None = None
    signing_key: SecretStr | None = None
    license_key: SecretStr | None = None
    webhook_key: SecretStr | None = None
    audit_key: SecretStr | None = None
    code_pepper: SecretStr
    session_key: SecretStr
    secret_key_master: SecretStr

    host: str = "127.0.0.1"
    port: int = 8000
    private_host: str = "127.0.0.1"
    private_port: int = 8001
    worker_port: int = 8002

    limits: Literal["strict", "relaxed"] = "strict"
    quotas: Quotas = Quotas()
    passwords: PasswordCosts = PasswordCosts()
    dev_inbox: bool = False
    log_level: str = "INFO"
    log_json: bool = True
    sentry_dsn: SecretStr | None = None

    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1", "::1")
    webhook_private_addresses: bool = False
    webhook_ports: Annotated[tuple[int, ...], NoDecode] = (443, 8443)
    webhook_denied_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    webhook_connections: int = Field(default=512, ge=2, le=100_000)
    deliveries_kept_months: int = Field(default=3, ge=1, le=120)
    activation_deadline_s: float = Field(default=60.0, gt=0, le=600)
    trial_days: int = Field(default=14, ge=0, le=365)

    @field_validator(
        *("cors_origins", "trusted_proxies", "webhook_ports", "webhook_denied_networks"), mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        """Read a list from one comma-separated string."""
        if isinstance(value, str):
            return tuple(item.strip() for item in value.split(",") if item.strip())
        return value

    @field_validator("cors_origins")
    @classmethod
    def _exact(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse whatever is not one origin as browsers write it: no `*`, no path, no capitals."""
        if not all(ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("must be exact origins, like https://app.example or http://localhost:5173")
        return origins

    @field_validator("trusted_proxies")
    @classmethod
    def _known(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse names, `*` and the whole of the internet: whoever is trusted may say who the client is."""
        if any(ip_network(proxy).prefixlen == 0 for proxy in proxies):
            raise ValueError("must be the addresses or networks of your own proxies")
        return proxies

    @field_validator("code_pepper", "session_key", "secret_key_master")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        """Refuse short secrets, and those that can be guessed."""
        secret = value.get_secret_value().encode()
        if len(secret) < MIN_SECRET_BYTES or is_guessable(secret):
            raise ValueError(f"must be a random secret of at least {MIN_SECRET_BYTES} bytes")
        return value

    @field_validator("signing_key", "license_key", "audit_key")
    @classmethod
    def _is_ed25519(cls, value: SecretStr | None) -> SecretStr | None:
        """Refuse anything that is not an Ed25519 private key, without echoing it."""
        if value is not None:
            read_key(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Refuse settings that are only dangerous together."""
        keys = (self.signing_key, self.license_key, self.webhook_key, self.audit_key)
        signing = [key for key in keys if key is not None]
        if len(signing) != (len(keys) if self.keyring_file is None else 0):
            raise ValueError("give keyring_file, or all of signing_key, license_key, webhook_key, audit_key")
        secrets = [*signing, self.code_pepper, self.session_key, self.secret_key_master]
        values = {secret.get_secret_value() for secret in secrets}
        if len(values) != len(secrets):
            raise ValueError("every key has one purpose: two of the secrets are the same")
        if self.environment == "production" and self.dev_inbox:
            raise ValueError("the development inbox cannot be switched on in production")
        if self.environment == "production" and self.webhook_private_addresses:
            raise ValueError("webhooks to private addresses cannot be switched on in production")
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
