"""The development inbox: for this machine's own browser only."""

import httpx
import pytest
from core_kit.codes import StartCore, ask, challenge, refusal
from core_kit.people import API, unique_phone

pytestmark = pytest.mark.anyio
PAGES = (f"{API}/dev/inbox", "/dev/inbox", "/dev/inbox.css")
OWN = {"Host": "localhost:8080"}


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:9", "[::1]", "[::1]:8080"]
)
async def test_it_opens_under_the_names_of_this_machine(
    client: httpx.AsyncClient, path: str, host: str
) -> None:
    assert (await client.get(path, headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example"},
        {"Host": "shop.localhost:8080"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost:8080", "X-Forwarded-For": "203.0.113.7"},
        {"Host": "localhost:8080", "X-Forwarded-For": "2001:db8::1"},
    ],
)
async def test_it_is_not_there_for_anyone_else(
    client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    assert refusal(await client.get(path, headers=headers)) == (404, "request.not_found")


async def test_messages_are_listed_newest_first_with_their_codes(client: httpx.AsyncClient) -> None:
    phone = unique_phone()
    codes = [(await challenge(client, phone))[2] for _ in range(3)]
    await challenge(client)
    answer = await client.get(f"{API}/dev/inbox", params={"phone": phone}, headers=OWN)
    messages = answer.json()
    assert [message["code"] for message in messages] == codes[::-1]
    assert all(message.keys() == {"phone", "channel", "text", "code", "sent_at"} for message in messages)
    assert all(message["code"] in message["text"] and message["phone"] == phone for message in messages)


@pytest.mark.parametrize("template", ["?phone=+{0}", "?phone=%2B{0}", "?phone={0}", "?phone=%208{1}"])
async def test_a_phone_is_found_however_it_is_written(client: httpx.AsyncClient, template: str) -> None:
    _, phone, code = await challenge(client)
    query = template.format(phone[1:], phone[2:]) if "%208" not in template else f"?phone=8{phone[2:]}"
    answer = await client.get(f"{API}/dev/inbox{query}", headers=OWN)
    assert [message["code"] for message in answer.json()] == [code]


async def test_an_unknown_phone_has_no_messages(client: httpx.AsyncClient) -> None:
    for phone in (unique_phone(), "nobody", "all"):
        assert (await client.get(f"{API}/dev/inbox", params={"phone": phone}, headers=OWN)).json() == []


async def test_the_page_shows_the_code_and_runs_nothing(client: httpx.AsyncClient) -> None:
    _, phone, code = await challenge(client)
    page = await client.get("/dev/inbox", headers=OWN)
    assert page.headers["content-type"].startswith("text/html")
    assert code in page.text
    assert phone in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in page.text
    assert "<style" not in page.text
    style = await client.get("/dev/inbox.css", headers=OWN)
    assert style.headers["content-type"].startswith("text/css")


async def test_what_is_typed_into_the_filter_is_text(client: httpx.AsyncClient) -> None:
    page = await client.get("/dev/inbox", params={"phone": '"><script>alert(1)</script>'}, headers=OWN)
    assert page.status_code == 200
    assert "<script" not in page.text


async def test_the_inbox_is_absent_when_it_is_switched_off(start_core: StartCore) -> None:
    async with start_core(dev_inbox=False) as bare, httpx.AsyncClient(base_url=bare.url) as client:
        for path in PAGES:
            assert refusal(await client.get(path, headers=OWN)) == (404, "request.not_found")
        assert (await ask(client, unique_phone())).status_code == 503
