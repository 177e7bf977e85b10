"""The rule for labels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tochka_core.domains.labels import OBSCENE, RESERVED, SHAPE, refusal

GOOD = ["abc", "a1b", "123", "pekarnya", "my-shop", "a-b-c", "shop24", "a" * 32, "ab-c", "a--b"]
MALFORMED = [
    *("", "a", "ab", "-abc", "abc-", "a" * 33, "a b", "a.b", "a_b", "ab--c", "xn--p1ai", "пекарня", "ABC"),
    *("abc\n", "abc\x00", "١٢٣", "ａｂｃ", "a/b", "a%62c"),
]
RESERVED_ONES = [
    "www",
    "api",
    "admin",
    "mail",
    "ns1",
    "localhost",
    "sberbank",
    "shop",
    "my-sql",
    "post-master",
]


@pytest.mark.parametrize("label", GOOD)
def test_a_good_label_is_nobodys_yet(label: str) -> None:
    assert refusal(label) is None


@pytest.mark.parametrize("label", MALFORMED)
def test_a_malformed_label_is_refused(label: str) -> None:
    assert refusal(label) == "malformed"


@pytest.mark.parametrize("label", RESERVED_ONES)
def test_a_reserved_label_is_refused_with_or_without_hyphens(label: str) -> None:
    assert refusal(label) == "reserved"


def test_an_obscene_word_is_refused_alone_and_as_a_part() -> None:
    word = next(word for word in sorted(OBSCENE) if SHAPE.fullmatch(word))
    assert refusal(word) == "reserved"
    assert refusal(f"my-{word}") == "reserved"
    assert refusal(f"{word[0]}-{word[1:]}") == "reserved"


def test_an_obscene_word_within_another_word_is_none() -> None:
    assert "anal" in OBSCENE
    assert refusal("analitika") is None
    assert refusal("cocktail-bar") is None


REQUIRED = """
www api app admin auth login id account billing pay mail smtp imap mx ns1 ns2 cdn static media assets img
status docs help support blog dev stage test demo gateway webhooks ws metrics autodiscover autoconfig wpad
localhost root postmaster abuse security shop
"""


def test_the_list_holds_what_must_never_be_given_away() -> None:
    assert set(REQUIRED.split()) <= RESERVED
    assert all(word == word.lower() and word.isascii() for word in RESERVED | OBSCENE)


@given(st.text(max_size=40))
def test_what_passes_is_a_host_name_whatever_was_typed(text: str) -> None:
    if refusal(text) is None:
        assert 3 <= len(text) <= 32
        assert set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert text[0] != "-" != text[-1]
        assert text[2:4] != "--"
