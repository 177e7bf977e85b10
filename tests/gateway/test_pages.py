"""What the gateway says itself: to people a page, to programs a problem document."""

import asyncio
import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from aiohttp import web

from tests.gateway.caddy import ROOT, Reply
from tests.gateway.conftest import House
from tests.gateway.upstreams import refusing_address

CASES = [
    ("unknown", 404, 404, "domains.unknown", "По этому адресу никого нет", "Nobody lives at this address"),
    ("suspended", 403, 403, "domains.suspended", "Сайт временно закрыт", "This site is closed for now"),
    ("gone", 410, 410, "domains.gone", "Этого сайта больше нет", "This site is gone"),
    ("opening", 503, 503, "domains.provisioning", "Сайт открывается", "This site is opening"),
    (
        "confused",
        500,
        503,
        "gateway.core_unavailable",
        "Сайт сейчас не отвечает",
        "This site is not answering",
    ),
    (
        "strange",
        302,
        503,
        "gateway.core_unavailable",
        "Сайт сейчас не отвечает",
        "This site is not answering",
    ),
]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Shape(HTMLParser):
    """What a page consists of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect."""
        self.tags.append(tag)
        self.attributes += attrs


async def hang_up(request: web.Request) -> web.Response:
    """Cut the connection instead of answering."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def heading(reply: Reply) -> str:
    """The page's one heading."""
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    found = re.findall(r"<h1>(.*?)</h1>", reply.text)
    assert len(found) == 1
    assert f"<title>{found[0]}</title>" in reply.text
    return str(found[0])


@pytest.mark.parametrize(("label", "answer", "status", "code", "russian", "english"), CASES)
def test_what_the_core_says_of_an_address_becomes_a_page_in_both_languages_and_a_problem(
    house: House, label: str, answer: int, status: int, code: str, russian: str, english: str
) -> None:
    host = house.becomes(label, answer)
    for language, title in (("ru-RU,ru;q=0.9,en;q=0.8", russian), ("en-US,en;q=0.9", english)):
        reply = house.gateway.ask(host, headers={"Accept": BROWSER, "Accept-Language": language})
        assert (reply.status, heading(reply)) == (status, title)
        assert f'<html lang="{language[:2]}">' in reply.text
    reply = house.gateway.ask(host, headers={"Accept": "application/json", "X-Request-ID": "req-1"})
    assert reply.status == status
    assert reply.problem["code"] == code
    assert (reply.problem["status"], reply.problem["request_id"]) == (status, "req-1")
    assert set(reply.problem) == {"type", "title", "status", "detail", "code", "request_id"}
    assert house.module.seen == []


def test_a_dead_module_gets_the_page_at_once(house: House) -> None:
    with refusing_address() as nobody:
        host = house.becomes("dead", 200, nobody)
        reply = house.gateway.ask(host, headers={"Accept-Language": "ru"})
        problem = house.gateway.ask(host, method="POST", headers={"Accept": "application/json"}, body=b"{}")
    assert (reply.status, heading(reply)) == (502, "Сайт сейчас не отвечает")
    assert (problem.status, problem.problem["code"]) == (502, "gateway.module_unavailable")


def test_a_module_that_never_answers_gets_the_page_in_time(house: House) -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    host = house.live("slow")
    house.module.answers["/"] = hang
    reply = house.gateway.ask(host, headers={"Accept": "application/json"})
    assert (reply.status, reply.problem["code"]) == (504, "gateway.module_unavailable")


def test_a_module_that_hangs_up_gets_the_page(house: House) -> None:
    host = house.live("rude")
    house.module.answers["/"] = hang_up
    assert heading(house.gateway.ask(host, method="POST", headers={"Accept-Language": "en"})) == (
        "This site is not answering"
    )


def test_a_dead_core_is_a_problem_to_programs_and_a_page_to_people(house: House) -> None:
    for path in ("/api/v1/modules", "/dev/inbox"):
        house.public.answers[path] = hang_up
    api = house.gateway.ask("localhost", "/api/v1/modules", method="POST", headers={"Accept": BROWSER})
    assert (api.status, api.problem["code"]) == (502, "gateway.core_unavailable")
    assert api.headers["retry-after"] == "5"
    page = house.gateway.ask("localhost", "/dev/inbox", method="POST", headers={"Accept-Language": "en"})
    assert (page.status, heading(page)) == (502, "This site is not answering")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "ru"),
        ("*", "ru"),
        ("ru", "ru"),
        ("RU-ru", "ru"),
        ("en", "en"),
        ("en-GB, ru;q=0.9", "en"),
        ("en;q=0.5, ru;q=0.8", "ru"),
        ("en;q=0.8,ru;q=0.5", "en"),
        ("de-DE, de;q=0.9", "en"),
        ("de, ru;q=0.3, en;q=0.2", "ru"),
        ("ru;q=0, en", "en"),
        ("en;q=, ru;q=zzz;;;,,", "en"),
        ("ёж", "en"),
        ("en," * 300, "en"),
    ],
)
def test_the_language_is_the_one_that_the_reader_wants_most(
    house: House, accepted: str, language: str
) -> None:
    reply = house.gateway.raw(
        f"GET / HTTP/1.1\r\nHost: nobody.localhost\r\nAccept-Language: {accepted}\r\n"
        "Connection: close\r\n\r\n".encode()
    )
    assert reply.status == 404
    assert f'<html lang="{language}">' in reply.text


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/problem+json"),
        ("Application/Problem+JSON", "application/problem+json"),
        ("application/json, */*;q=0.5", "application/problem+json"),
        (BROWSER, "text/html; charset=utf-8"),
        ("text/html, application/json", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("image/avif", "text/html; charset=utf-8"),
    ],
)
def test_the_form_is_the_one_that_was_asked_for(house: House, accept: str, kind: str) -> None:
    assert house.gateway.ask("nobody.localhost", headers={"Accept": accept}).headers["content-type"] == kind


@pytest.mark.parametrize("accept", [BROWSER, "application/json"])
@pytest.mark.parametrize(
    ("label", "answer"), [("suspended", 403), ("unknown", 404), ("gone", 410), ("opening", 503)]
)
def test_nobody_keeps_or_indexes_what_the_gateway_says(
    house: House, label: str, answer: int, accept: str
) -> None:
    headers = house.gateway.ask(house.becomes(label, answer), headers={"Accept": accept}).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-robots-tag"] == "noindex"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["vary"] == "Accept, Accept-Language"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers.keys().isdisjoint(
        {"server", "via", "etag", "last-modified", "accept-ranges", "x-upstream"}
    )
    assert not any(name.startswith("x-tochka-") for name in headers)
    assert ("retry-after" in headers) == (answer == 503)


def test_a_page_brings_everything_along_and_the_policy_allows_just_that(house: House) -> None:
    reply = house.gateway.ask("nobody.localhost")
    style = re.search(r"<style>(.*?)</style>", reply.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = reply.headers["content-security-policy"]
    assert f"style-src 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy
    shape = Shape(reply.text)
    assert {"script", "img", "iframe", "form", "object"}.isdisjoint(shape.tags)
    assert not any(name == "style" or name.startswith("on") for name, _ in shape.attributes)
    links = {value for name, value in shape.attributes if name in {"href", "src"}}
    assert links <= {"/", "", "data:,"}


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_the_page_comes_with_its_status_whatever_the_method(house: House, method: str) -> None:
    reply = house.gateway.ask(
        house.becomes("suspended", 403), method=method, body=b"n=1" if method != "HEAD" else None
    )
    assert reply.status == 403
    assert (reply.text == "") == (method == "HEAD")


@pytest.mark.parametrize(
    "conditional",
    [
        {"Range": "bytes=0-10"},
        {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
        {"If-None-Match": "*"},
        {"If-Match": '"x"'},
    ],
)
def test_a_page_is_always_whole(house: House, conditional: dict[str, str]) -> None:
    reply = house.gateway.ask(house.becomes("suspended", 403), headers=conditional)
    assert (reply.status, reply.text.strip()[-7:]) == (403, "</html>")


def test_a_page_that_may_change_soon_asks_again_by_itself_but_never_repeats_a_form(house: House) -> None:
    refresh = 'http-equiv="refresh"'
    assert refresh in house.gateway.ask(house.becomes("opening", 503)).text
    assert refresh not in house.gateway.ask(house.becomes("suspended", 403)).text
    with refusing_address() as nobody:
        host = house.becomes("dead", 200, nobody)
        assert refresh in house.gateway.ask(host).text
        assert refresh not in house.gateway.ask(host, method="POST", body=b"n=1").text


def test_nothing_that_a_stranger_sends_is_repeated_on_a_page(house: House) -> None:
    evil = "<script>alert(1)</script>"
    quoted = '"}, {"code": "'
    for accept in (BROWSER, "application/json"):
        headers = {
            "Accept": accept,
            "Accept-Language": evil,
            "X-Request-ID": evil,
            "Referer": evil,
            "User-Agent": quoted,
        }
        for host, path in (
            ("nobody.localhost", "/%3Cscript%3E"),
            ("localhost", "/_tochka/%3Cscript%3E?q=<script>"),
        ):
            reply = house.gateway.ask(host, path, headers=headers)
            assert "<script" not in reply.text
            assert "alert" not in reply.text


def test_a_resolved_address_that_makes_no_sense_is_an_outage(house: House) -> None:
    for nonsense in ("nonsense", "127.0.0.1:99999", "", "http://127.0.0.1:1/", "127.0.0.1:1/../x"):
        reply = house.gateway.ask(house.becomes("odd", 200, nonsense), headers={"Accept": "application/json"})
        assert reply.status in {500, 502, 503}
        assert reply.problem["code"].startswith("gateway.")


def test_every_text_stands_in_both_languages() -> None:
    page = (ROOT / "gateway/pages/page.html").read_text()
    texts = re.findall(r'"(ru|en)" \(list "([^"]+)" "([^"]+)"\)', page)
    assert len(texts) == 2 * page.count("(dict\n")
    for language, *sentences in texts:
        for sentence in sentences:
            assert bool(re.search("[а-яё]", sentence)) == (language == "ru"), sentence
