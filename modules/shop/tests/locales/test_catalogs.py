"""Both languages say everything, with the plurals that they have, and readers get the one they want."""

import json
import re
import string
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
import tochka_shop
from tochka_sdk.errors import DomainError
from tochka_shop.locales.catalogs import LANGUAGES, UnknownPhrase, catalog
from tochka_shop.locales.choice import preferred_language
from tochka_shop.pictures import errors as picture_errors

from modules.shop.tests.driving import HTML, Buyer, Desk

SOURCE = Path(tochka_shop.__file__).parent
# Keys that are put together when a page is made.
MADE = (
    r"status\.", r"method\.", r"change\.", r"deed\.", r"actor\.", r"step\.", r"accent\.", r"zone\.",
    r"privacy\.", r"order\.told\.", r"order\.where\.", r"problem\.", r"error\.", r"said\.",
)  # fmt: skip


def _fields(phrase: object) -> set[str]:
    texts = [phrase] if isinstance(phrase, str) else list(phrase.values())  # type: ignore[attr-defined]  # a mapping
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_phrase_is_there_in_every_language() -> None:
    keys = {language: set(catalog(language).phrases) for language in LANGUAGES}
    assert keys["ru"] == keys["en"]
    for key in keys["ru"]:
        russian, english = (catalog(language).phrases[key] for language in LANGUAGES)
        assert isinstance(russian, str) == isinstance(english, str), key
        assert _fields(russian) == _fields(english), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plural_has_every_form_that_its_language_has(language: str) -> None:
    words = catalog(language)
    forms = {*words.locale.plural_form.tags, "other"}
    for key, phrase in words.phrases.items():
        if not isinstance(phrase, str):
            assert set(phrase) == forms, key
            assert words.say(key, count=21)


def test_russian_counts_as_russians_do() -> None:
    say = catalog("ru").say
    said = [say("list.count", count=count) for count in (0, 1, 2, 5, 11, 21, 104)]
    assert said == ["0 товаров", "1 товар", "2 товара", "5 товаров", "11 товаров", "21 товар", "104 товара"]


def _asked() -> set[str]:
    """Keys that pages and code name in full."""
    pattern = re.compile(
        r"""(?:\bt|say|phrase|_titled|refuse)\(\s*(?:(?:desk|shell|name),\s*)?["']([a-z_0-9.]+)["'](?! ~)"""
    )
    found: set[str] = set()
    for path in SOURCE.rglob("*"):
        if path.suffix in {".html", ".py"}:
            text = path.read_text(encoding="utf-8")
            found |= {key for key in pattern.findall(text) if "." in key and not key.endswith(".")}
            found |= set(re.findall(r'"(form\.[a-z_]+)"', text))
    return found


def test_every_phrase_that_is_asked_for_exists_and_every_phrase_is_asked_for() -> None:
    known, asked = set(catalog("ru").phrases), _asked()
    assert asked - known == set()
    made = re.compile("|".join(MADE))
    assert {key for key in known - asked if not made.match(key)} == set()


def test_every_refusal_has_its_sentence() -> None:
    import tochka_shop.catalogue.errors
    import tochka_shop.orders.errors
    import tochka_shop.settings.errors

    modules = (
        picture_errors,
        tochka_shop.catalogue.errors,
        tochka_shop.orders.errors,
        tochka_shop.settings.errors,
    )
    own = [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, DomainError) and value.__module__ == module.__name__
    ]
    assert len(own) > 20
    for error in own:
        assert catalog("ru").has(f"error.{error.code}"), error.code


def test_an_unknown_phrase_is_a_mistake() -> None:
    with pytest.raises(UnknownPhrase):
        catalog("ru").say("no.such.phrase")


def test_catalogues_are_package_data() -> None:
    for language in LANGUAGES:
        for part in ("common", "storefront", "admin"):
            assert json.loads(
                files("tochka_shop.locales").joinpath(language, f"{part}.json").read_text("utf-8")
            )


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("en-US,en;q=0.9,ru;q=0.8", "en"),
        ("ru,en;q=0.9", "ru"),
        ("de,en;q=0.5", "en"),
        ("de, fr", None),
        ("", None),
        ("en;q=0, ru;q=0.1", "ru"),
        ("en;q=x", None),
        ("*", None),
    ],
)
def test_a_browsers_wishes_are_read(header: str, language: str | None) -> None:
    assert preferred_language(header) == language


@pytest.mark.anyio
async def test_the_language_is_chosen_by_address_then_cookie_then_browser(
    desk: Desk, storefront: httpx.AsyncClient
) -> None:
    await desk.add("Чай")

    async def language(path: str, **headers: str) -> str:
        answer = await storefront.get(path, headers={**HTML, **headers})
        assert "Accept-Language" in answer.headers["vary"]
        found = re.search(r'<html lang="(..)"', answer.text)
        assert found is not None
        return found[1]

    assert await language("/") == "ru"
    assert await language("/", **{"Accept-Language": "en-GB"}) == "en"
    assert await language("/?lang=xx") == "ru"
    assert await language("/?lang=en") == "en"
    assert await language("/") == "en"
    assert await language("/", **{"Accept-Language": "ru"}) == "en"
    assert await language("/?lang=ru", **{"Accept-Language": "en"}) == "ru"


@pytest.mark.anyio
async def test_an_english_page_says_nothing_in_russian_of_its_own(desk: Desk, buyer: Buyer) -> None:
    await desk.settings(name="Shop", pickup_address="Tver", phone="+7 910 123-45-67")
    await desk.done("/admin/categories", {"title": "Teas"})
    page = await desk.page("/admin/categories")
    first = re.findall(r"/admin/categories/([0-9a-f-]{36})", page)[0]
    await desk.done(f"/admin/categories/{first}", {"title": "Pots", "deed": "rename"})
    goods = await desk.add("Tea", ("50 g", "320", 1), ("100 g", "590", 0), description="Nice")
    await buyer.get("/?lang=en")
    await buyer.put(goods.variant)
    paths = [
        "/",
        f"/p/{goods.slug}",
        "/search?q=tea",
        "/search?q=x",
        "/cart",
        "/checkout",
        "/about",
        "/privacy",
        "/no",
    ]
    texts = [(await buyer.get(path)).text for path in paths]
    texts.append(await buyer.page(await buyer.order(name="Mary")))
    await desk.get("/admin?lang=en")
    (order,) = await desk.order_ids()
    for path in (
        "",
        "/products",
        "/products/new",
        f"/products/{goods.id}",
        "/categories",
        "/orders",
        f"/orders/{order}",
        "/settings",
        "/no",
    ):
        texts.append((await desk.get(f"/admin{path}")).text)
    for text in texts:
        assert '<html lang="en"' in text
        own = text.replace("Русский", "")
        assert re.findall(r"[А-Яа-яЁё]+", own) == []
