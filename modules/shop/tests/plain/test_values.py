"""Money, telephones and words: small things that must be right every time."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tochka_shop.money import MAX_PRICE, decimal_price, format_roubles, parse_roubles, roubles_for_form
from tochka_shop.phones import format_phone, parse_phone
from tochka_shop.wording import (
    SLUG_LENGTH,
    free_slug,
    one_line,
    paragraphs,
    search_text,
    search_words,
    slugify,
)


@pytest.mark.parametrize(
    ("typed", "kopecks"),
    [
        ("1290", 129_000),
        ("1290 р.", 129_000),
        ("1 290,50 ₽", 129_050),
        ("1\u00a0290.5", 129_050),
        ("0", 0),
        ("0,01", 1),
        ("10000000", MAX_PRICE),
        ("99 руб.", 9_900),
        ("10000000,01", None),
        ("-5", None),
        ("1e3", None),
        ("1,234,567", None),
        ("12.345", None),
        ("", None),
        ("много", None),
        ("٣", None),
    ],
)
def test_a_typed_price_is_read_in_kopecks_or_not_at_all(typed: str, kopecks: int | None) -> None:
    assert parse_roubles(typed) == kopecks


@given(some.integers(0, MAX_PRICE))
def test_a_price_survives_the_form_and_the_page(kopecks: int) -> None:
    assert parse_roubles(roubles_for_form(kopecks)) == kopecks
    assert parse_roubles(format_roubles(kopecks, "ru")) == kopecks
    assert parse_roubles(decimal_price(kopecks)) == kopecks


@given(some.text(max_size=30))
def test_no_typed_price_breaks_anything(typed: str) -> None:
    kopecks = parse_roubles(typed)
    assert kopecks is None or 0 <= kopecks <= MAX_PRICE


def test_prices_look_as_their_reader_expects() -> None:
    assert format_roubles(129_000, "ru") == "1\u00a0290\u00a0₽"
    assert format_roubles(129_050, "ru") == "1\u00a0290,50\u00a0₽"
    assert format_roubles(129_050, "en") == "1,290.50\u00a0₽"


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("8 (999) 123-45-67", "+79991234567"),
        ("+7 999 1234567", "+79991234567"),
        ("9991234567", "+79991234567"),
        ("+375 29 123-45-67", "+375291234567"),
        ("8 495 123-45-67", "+74951234567"),
        ("123", None),
        ("", None),
        ("+7 999 123-45-67 доб. 12", None),
        ("+7 000 000 00 00", None),
        ("позвоните мне", None),
        ("9" * 100, None),
    ],
)
def test_a_typed_telephone_becomes_one_form_or_none(typed: str, number: str | None) -> None:
    assert parse_phone(typed) == number


def test_a_stored_telephone_is_shown_grouped() -> None:
    assert format_phone("+79991234567") == "+7 999 123-45-67"
    assert format_phone("nonsense") == "nonsense"


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Кружка «Утро»", "kruzhka-utro"),
        ("Щётка, ёршик и съёмный чехол", "shchetka-ershik-i-semnyy-chekhol"),
        ("Crème brûlée №5", "creme-brulee-no5"),
        ("日本", "product"),
        ("///", "product"),
        ("А" * 300, "a" * SLUG_LENGTH),
    ],
)
def test_a_title_becomes_an_address(title: str, slug: str) -> None:
    assert slugify(title, "product") == slug


@given(some.text(max_size=200))
def test_every_title_becomes_some_address(title: str) -> None:
    slug = slugify(title, "product")
    assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", slug)
    assert len(slug) <= SLUG_LENGTH
    assert free_slug(slug, {slug, f"{slug}-2"}) == f"{slug}-3"


@given(some.text(max_size=300))
def test_a_search_finds_the_words_of_its_own_text(text: str) -> None:
    stored = search_text(text)
    assert all(word in stored for word in search_words(text))
    assert search_text(stored) == stored


@given(some.text(max_size=300))
def test_texts_come_out_without_control_characters(text: str) -> None:
    assert one_line(text).isprintable()
    assert all(letter == "\n" or letter.isprintable() for letter in paragraphs(text))
    assert "\n\n\n" not in paragraphs(text)
