"""Settings that would be dangerous stop the start, and say why without repeating the secret."""

import json

import pytest
from core_kit.running import AUDIT_KEY, LICENSE_KEY, SIGNING_KEY, WEBHOOK_KEY
from joserfc.jwk import OKPKey, RSAKey
from pydantic import ValidationError
from tochka_core.settings import Settings

GOOD: dict[str, object] = {
    "database_url": "postgresql://app@127.0.0.1/x",
    "jobs_database_url": "postgresql://jobs@127.0.0.1/x",
    "redis_url": "redis://127.0.0.1/0",
    "signing_key": SIGNING_KEY,
    "license_key": LICENSE_KEY,
    "webhook_key": WEBHOOK_KEY,
    "audit_key": AUDIT_KEY,
    "code_pepper": "abcdefgh" * 5,
    "session_key": "ijklmnop" * 5,
    "secret_key_master": "qrstuvwx" * 5,
}
X25519 = json.dumps(OKPKey.generate_key("X25519").as_dict(private=True))
PUBLIC = json.dumps(OKPKey.import_key(json.loads(SIGNING_KEY)).as_dict(private=False))
BAD = [
    ({"code_pepper": "short-secret-value"}, "at least 32 bytes"),
    ({"session_key": "changeme"}, "at least 32 bytes"),
    ({"secret_key_master": "a" * 40}, "random secret"),
    ({"keyring_file": "/run/keyring"}, "give keyring_file, or all of"),
    ({"webhook_key": None}, "give keyring_file, or all of"),
    ({"audit_key": None}, "give keyring_file, or all of"),
    ({"audit_key": PUBLIC}, "Ed25519 private JWK"),
    ({"audit_key": SIGNING_KEY}, "one purpose"),
    ({"signing_key": "not json"}, "Ed25519 private JWK"),
    ({"signing_key": X25519}, "Ed25519 private JWK"),
    ({"signing_key": PUBLIC}, "Ed25519 private JWK"),
    ({"license_key": json.dumps(RSAKey.generate_key(2048).as_dict(private=True))}, "Ed25519 private JWK"),
    ({"license_key": SIGNING_KEY}, "one purpose"),
    ({"session_key": GOOD["code_pepper"]}, "one purpose"),
    ({"environment": "production", "dev_inbox": True}, "development inbox"),
    ({"environment": "production", "webhook_private_addresses": True}, "private addresses"),
    ({"webhook_denied_networks": "everywhere"}, "webhook_denied_networks"),
    ({"max_bot_token": "a-token-of-a-bot"}, "no name"),
    ({"telegram_bot_token": "a-token-of-a-bot"}, "no name"),
    ({"max_bot_name": "https://max.ru/our_bot"}, "max_bot_name"),
    ({"max_webhook_secret": "short-secret-value"}, "32 to 256"),
    ({"telegram_webhook_secret": "s" * 31 + "!"}, "32 to 256"),
    (
        {"telegram_bot_token": "t", "telegram_bot_name": "b", "telegram_gateway_token": "g"},
        "one way to Telegram",
    ),
    ({"sms_url": "https://sms.example/send"}, "no body"),
    ({"sms_headers": "X-Key: not-json-at-all"}, "Invalid JSON"),
    ({"sms_headers": '{"X-Key": 1234567890}'}, "valid string"),
]


def test_good_settings_pass() -> None:
    assert Settings(**GOOD).environment == "production"  # type: ignore[arg-type]  # checked by pydantic


@pytest.mark.parametrize(("change", "reason"), BAD)
def test_dangerous_settings_are_refused_without_repeating_them(
    change: dict[str, object], reason: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(**{**GOOD, **change})  # type: ignore[arg-type]  # checked by pydantic
    assert reason in str(refused.value)
    for value in change.values():
        if isinstance(value, str) and len(value) > 12:
            assert value not in str(refused.value)


@pytest.mark.parametrize("name", ["database_url", "signing_key", "code_pepper", "webhook_key"])
def test_a_missing_secret_stops_the_start(name: str) -> None:
    with pytest.raises(ValidationError):
        Settings(**{key: value for key, value in GOOD.items() if key != name})  # type: ignore[arg-type]  # as above
