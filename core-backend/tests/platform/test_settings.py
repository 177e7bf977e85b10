"""Settings that would be dangerous stop the start, and say why without repeating the secret."""

import json
import secrets

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
    "code_pepper": secrets.token_urlsafe(32),
    "session_key": secrets.token_hex(16),
    "secret_key_master": secrets.token_hex(32),
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


# what stands in tutorials and samples, and what is long and says little
GUESSABLE = [
    "django-insecure-8f#k2!qz7w@x4m9v$b1n6c3l5j0h",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "09D25E094FAA6CA2556C818166B7A9563B93F7099F6F0F4CAA6CF63B88E8D3E7",
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
    "3EK6FD+o0+c7tzBNVfjpMkNDi2yARAAKzQlk8O2IKoxQu4nF7EdAh8s3TwpHwrdWT6R",
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "a-string-secret-at-least-256-bits-long",
    "your-256-bit-secret-your-256-bit-secret",
    "CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET",
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "reallyreallyreallyreallyverysafe",
    "changeme" * 4,
    "ChangeMe1ChangeMe2ChangeMe3ChangeMe4",
    "0123456789" * 4,
    "0123456789abcdef" * 2,
    "abcdefgh" * 5,
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "zyxwvutsrqponmlkjihgfedcba9876543210",
    "пароль" * 4,
]


@pytest.mark.parametrize("name", ["code_pepper", "session_key", "secret_key_master"])
@pytest.mark.parametrize("text", GUESSABLE)
def test_a_secret_that_can_be_guessed_is_refused_however_long(name: str, text: str) -> None:
    assert len(text.encode()) >= 32
    with pytest.raises(ValidationError, match="random secret") as refused:
        Settings(**{**GOOD, name: text})  # type: ignore[arg-type]  # checked by pydantic
    assert text not in str(refused.value)


def test_a_messenger_s_secret_is_no_other_s_sample() -> None:
    for name in ("max_webhook_secret", "telegram_webhook_secret"):
        for text in ("0123456789abcdef" * 2, GUESSABLE[1]):
            with pytest.raises(ValidationError, match="guess"):
                Settings(**{**GOOD, name: text})  # type: ignore[arg-type]  # checked by pydantic


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
