"""Codes that go to a phone by themselves: each is handed over once, and nobody sees what became of it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from core_kit.codes import StartCore, answer, ask
from core_kit.modules import raw
from core_kit.people import unique_phone
from core_kit.running import RunningCore, serving
from structlog.testing import capture_logs
from tochka_core.channels.adapters import TOTAL_S, open_http
from tochka_core.channels.fakes.gateway import FakeGateway
from tochka_core.channels.fakes.sms import FakeSms
from tochka_core.channels.gateway import TelegramGateway
from tochka_core.channels.schemas import Accepted, Message, Outcome, Rejected, Uncertain
from tochka_core.channels.sms import Sms, SmsRequest, fill

pytestmark = pytest.mark.anyio
MESSAGE = Message("r-1", "+79991234567", "012345", "Код {phone} 012345")
SMS = {
    "sms_headers": '{"X-Key": "sms-key"}',
    "sms_body": '{"to": "{digits}", "message": "{text}"}',
    "sms_success": "status=OK",
    "dev_inbox": False,
}


@asynccontextmanager
async def _client(
    start_core: StartCore, **settings: object
) -> AsyncIterator[tuple[RunningCore, httpx.AsyncClient]]:
    async with start_core(**settings) as core, httpx.AsyncClient(base_url=core.url) as client:
        yield core, client


async def test_a_code_over_telegram_gateway_opens_a_session(start_core: StartCore) -> None:
    fake, phone = FakeGateway(), unique_phone()
    async with serving(fake.app) as url:
        settings = {"telegram_gateway_token": fake.token, "telegram_gateway_url": url}
        async with _client(start_core, **settings) as (_core, client):
            got = await ask(client, phone, channel="telegram")
            assert (got.json()["carrier"], got.json()["links"]) == ("messenger", [])
            (sent,) = fake.sent
            assert (sent["phone_number"], sent["ttl"], fake.wrong) == (phone, 300, [])
            assert (await answer(client, got.json()["challenge_id"], sent["code"])).status_code == 200


async def test_people_are_offered_what_is_set_up_and_nothing_else(start_core: StartCore) -> None:
    gateway = {"telegram_gateway_token": "a", "telegram_gateway_url": "http://127.0.0.1:9"}
    asked: tuple[tuple[dict[str, object], list[tuple[str, str]]], ...] = (
        ({}, [("max", "inbox"), ("telegram", "inbox")]),
        ({**gateway, "dev_inbox": False}, [("telegram", "messenger")]),
        ({**SMS, "sms_url": "http://127.0.0.1:9"}, [("max", "sms"), ("telegram", "sms")]),
        ({"dev_inbox": False}, []),
    )
    for settings, offered in asked:
        async with _client(start_core, **settings) as (_core, client):
            got = await client.get("/api/v1/auth/channels")
            told = [(one["channel"], one["carrier"]) for one in got.json()["channels"]]
        assert (got.status_code, told) == (200, offered)


@pytest.mark.parametrize("encoding", ["json", "form"])
async def test_a_code_by_sms_opens_a_session(start_core: StartCore, encoding: str) -> None:
    fake, phone = FakeSms(), unique_phone()
    async with serving(fake.app) as url:
        settings = {**SMS, "sms_url": f"{url}/send", "sms_encoding": encoding}
        async with _client(start_core, **settings) as (_core, client):
            for channel in ("max", "telegram"):
                got = await ask(client, phone, channel=channel)
                assert (got.json()["carrier"], got.json()["links"]) == ("sms", [])
                sent = fake.sent[-1]
                assert (sent["to"], fake.wrong) == (phone[1:], [])
                code = sent["message"].partition(": ")[2][:6]
                assert (await answer(client, got.json()["challenge_id"], code)).status_code == 200


async def test_whoever_asks_cannot_see_what_became_of_the_code(start_core: StartCore) -> None:
    fake, away = FakeGateway(), unique_phone()
    fake.unreachable.add(away)
    shapes = []
    async with serving(fake.app) as url:
        settings = {"telegram_gateway_token": fake.token, "telegram_gateway_url": url}
        async with _client(start_core, **settings) as (_core, client):
            for phone, faults in ((unique_phone(), []), (away, []), (unique_phone(), [500])):
                fake.faults += faults
                got = await ask(client, phone, channel="telegram")
                shapes.append((got.status_code, got.json().keys(), got.json()["carrier"]))
    assert len({str(shape) for shape in shapes}) == 1
    assert len(fake.sent) == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_an_uncertain_message_is_not_sent_again(start_core: StartCore, status: int) -> None:
    fake = FakeGateway(faults=[status])
    async with serving(fake.app) as url:
        settings = {"telegram_gateway_token": fake.token, "telegram_gateway_url": url}
        with capture_logs() as lines:
            async with _client(start_core, **settings) as (_core, client):
                assert (await ask(client, unique_phone(), channel="telegram")).status_code == 202
    assert len(fake.sent) == 1
    (line,) = [line for line in lines if line["event"] == "accounts.code_not_accepted"]
    assert (line["outcome"], line["reason"]) == ("uncertain", f"status {status}")


async def test_a_wrong_token_is_a_rejection(start_core: StartCore) -> None:
    fake = FakeGateway()
    async with serving(fake.app) as url, open_http() as http:
        assert await TelegramGateway(http, "other", url).send(MESSAGE) == Rejected("ACCESS_TOKEN_INVALID")
        assert fake.sent == []


WIRES: dict[str, tuple[bytes | None, type[Outcome]]] = {
    "no answer": (b"", Uncertain),
    "half an answer": (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", Uncertain),
    "never": (None, Uncertain),
    "success that is no JSON": (raw(200, b"<html>"), Uncertain),
    "a redirect": (raw(302, b"", Location="http://127.0.0.1:1/"), Rejected),
    "too many": (raw(429, b"{}"), Rejected),
}


@pytest.mark.parametrize("name", WIRES)
async def test_what_the_wire_does_decides_what_is_known(name: str) -> None:
    written, outcome = WIRES[name]
    requests = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        requests += 1
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        assert length is not None
        await reader.readexactly(int(length[1]))  # one that closes on unread bytes resets the connection
        if written is None:
            await reader.read()  # until the other side gives up
        else:
            writer.write(written)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, open_http(seconds=0.5 if written is None else TOTAL_S) as http:
        assert isinstance(await TelegramGateway(http, "t", url).send(MESSAGE), outcome)
        sms = Sms(http, SmsRequest(url, body={"to": "{phone}"}, success="status=OK"))
        assert isinstance(await sms.send(MESSAGE), outcome)
    assert requests == 2


async def test_a_service_that_is_away_leaves_it_uncertain() -> None:
    async with open_http() as http:
        for url in ("http://127.0.0.1:1", "no address"):
            assert isinstance(await TelegramGateway(http, "t", url).send(MESSAGE), Uncertain)


async def test_a_provider_that_says_no_rejects() -> None:
    fake = FakeSms(status="BALANCE")
    async with serving(fake.app) as url, open_http() as http:
        body = {"to": "{digits}", "message": "{text}"}
        request = SmsRequest(f"{url}/send", {"X-Key": fake.key}, body, success="status=OK")
        assert await Sms(http, request).send(MESSAGE) == Rejected("status is not OK")
        fake.status = "OK"
        assert await Sms(http, request).send(MESSAGE) == Accepted()


def test_what_is_filled_in_is_never_read_as_a_place() -> None:
    template = {"a": ["{text}|{code}", {"b": "{reference} {unknown} {}"}], "n": 1}
    assert fill(template, MESSAGE) == {
        "a": ["Код {phone} 012345|012345", {"b": "r-1 {unknown} {}"}],
        "n": 1,
    }
