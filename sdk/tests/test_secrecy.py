"""What is random is never taken for what can be guessed, in whatever letters it is written."""

import secrets
from collections.abc import Callable

import pytest
from tochka_sdk.secrecy import is_guessable

MAKERS: dict[str, Callable[[int], bytes]] = {
    "bytes": secrets.token_bytes,
    "base64": lambda size: secrets.token_urlsafe(size).encode(),
    "hexadecimal": lambda size: secrets.token_hex(size // 2).encode(),
    "digits": lambda size: str(secrets.randbelow(10**size)).zfill(size).encode(),
}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("size", [32, 48, 64, 400])
def test_what_is_random_cannot_be_guessed(kind: str, size: int) -> None:
    assert [made for _ in range(2000) if is_guessable(made := MAKERS[kind](size))] == []


@pytest.mark.parametrize("part", [b"0123456789", b"abcdefghijklmnop", b"\xd0\xbf\xd0\xb0", b"Tr0ub4dor&3"])
def test_what_repeats_itself_can_be(part: bytes) -> None:
    assert is_guessable((part * 8)[:32])
