"""Sending to addresses that tenants name: an answer comes, in time and in bounds, whoever is there."""

import asyncio
import gzip
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from core_kit.servers import NOW, Names, authority, says, serving, tls_for, trusting
from tochka_core.outbound.public import Policy, open_sender

pytestmark = pytest.mark.anyio
OWN = Policy(private_addresses=True)
STRICT = Policy()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: a\r\nX-One: b\r\n\r\nok"


async def test_an_answer_comes_with_its_headers_timings_and_address() -> None:
    async with serving(says(OK)) as server, open_sender(OWN) as sender:
        answer = await sender.post(server.url, {"X-Request-ID": "1"}, b"{}", 5, trusted=False)
    assert (answer.status, answer.body, answer.error, answer.address) == (200, b"ok", None, "127.0.0.1")
    assert answer.headers["x-one"] == "a, b"
    assert 0 <= (answer.timings.first_byte or -1) <= (answer.timings.total or -1)
    head = server.heads[0].lower()
    assert head.startswith("post /hook http/1.1")
    assert f"host: 127.0.0.1:{server.port}" in head
    assert "accept-encoding: identity" in head
    assert "cookie" not in head


@pytest.mark.parametrize(("trusted", "server_header"), [(False, "Caf\ufffd"), (True, None)])
async def test_headers_that_are_no_text_spoil_no_answer_and_can_be_stored(
    trusted: bool, server_header: str | None
) -> None:
    latin = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: Caf\xe9\r\n\r\nok"
    async with serving(says(latin)) as server, open_sender(OWN) as sender:
        answer = await sender.post(server.url, {}, b"{}", 5, trusted=trusted)
    assert (answer.status, answer.body, answer.error) == (200, b"ok", None)
    assert (answer.headers["content-length"], answer.headers.get("server")) == ("2", server_header)


@pytest.mark.parametrize("status", [300, 304, 307])
async def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    async with serving(says(OK)) as inner, open_sender(OWN) as sender:
        away = f"HTTP/1.1 {status} Away\r\nLocation: {inner.url}\r\nContent-Length: 0\r\n\r\n".encode()
        async with serving(says(away)) as server:
            answer = await sender.post(server.url, {}, b"{}", 5, trusted=False)
    assert (answer.status, answer.error, inner.heads) == (status, "redirect", [])


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_long_header_is_no_failure(trusted: bool) -> None:
    wordy = b"HTTP/1.1 200 OK\r\nX-Trace: " + b"t" * 20_000 + b"\r\nContent-Length: 2\r\n\r\nok"
    async with serving(says(wordy)) as server, open_sender(OWN) as sender:
        answer = await sender.post(server.url, {}, b"{}", 5, trusted=trusted)
    assert (answer.status, answer.body, answer.error) == (200, b"ok", None)


async def test_a_name_that_leads_inside_is_not_asked() -> None:
    async with serving(says(OK)) as server:
        for inside in (("127.0.0.1",), ("8.8.8.8", "127.0.0.1"), ("169.254.169.254",), ("10.0.0.1",)):
            async with open_sender(STRICT, resolver=Names(inside)) as sender:
                answer = await sender.post("https://hooks.example/", {}, b"{}", 5, trusted=False)
                assert (answer.status, answer.error) == (None, "address_denied")
        assert server.connections == 0


async def test_a_name_is_looked_at_again_at_every_attempt(tmp_path: Path) -> None:
    policy = Policy(private_addresses=True, denied_networks=(ip_network("127.0.0.2/32"),))
    closing = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    names = Names(("127.0.0.1",), ("127.0.0.2",))
    async with serving(says(closing)) as fine, serving(says(OK), host="127.0.0.2", port=fine.port) as inner:
        async with open_sender(policy, resolver=names) as sender:
            url = f"http://rebinding.example:{fine.port}/"
            first = await sender.post(url, {}, b"{}", 5, trusted=False)
            second = await sender.post(url, {}, b"{}", 5, trusted=False)
        assert (first.status, second.status, second.error) == (200, None, "address_denied")
        assert inner.connections == 0
    assert names.asked == ["rebinding.example"] * 2


async def test_an_address_by_number_is_looked_at_too() -> None:
    policy = Policy(private_addresses=True, denied_networks=(ip_network("127.0.0.1/32"),))
    async with serving(says(OK)) as server, open_sender(policy) as sender:
        answer = await sender.post(server.url, {}, b"{}", 5, trusted=False)
    assert (answer.error, server.connections) == ("address_denied", 0)


async def test_the_certificate_is_that_of_the_name_and_so_are_server_name_and_host(tmp_path: Path) -> None:
    signer = authority()
    tls = tls_for("hooks.example", signer, tmp_path)
    async with (
        serving(says(OK), tls=tls) as server,
        open_sender(OWN, resolver=Names(("127.0.0.1",)), authorities=trusting(signer[0])) as sender,
    ):
        answer = await sender.post(f"https://hooks.example:{server.port}/x", {}, b"{}", 5, trusted=False)
        assert (answer.status, answer.address) == (200, "127.0.0.1")
        assert server.names == ["hooks.example"]
        assert f"host: hooks.example:{server.port}" in server.heads[0].lower()
        wrong = await sender.post(f"https://other.example:{server.port}/x", {}, b"{}", 5, trusted=False)
        assert (wrong.status, wrong.error) == (None, "tls")
    assert len(server.heads) == 1


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    tls = tls_for("hooks.example", authority(), tmp_path)
    async with (
        serving(says(OK), tls=tls) as server,
        open_sender(OWN, resolver=Names(("127.0.0.1",))) as sender,
    ):
        answer = await sender.post(f"https://hooks.example:{server.port}/x", {}, b"{}", 5, trusted=False)
    assert (answer.error, server.heads) == ("tls", [])


async def test_a_certificate_that_vouches_for_itself_is_refused(tmp_path: Path) -> None:
    async with (
        serving(says(OK), tls=tls_for("hooks.example", None, tmp_path)) as server,
        open_sender(OWN, resolver=Names(("127.0.0.1",))) as sender,
    ):
        answer = await sender.post(f"https://hooks.example:{server.port}/x", {}, b"{}", 5, trusted=False)
    assert (answer.error, server.heads) == ("tls", [])


async def test_a_certificate_whose_time_is_over_is_refused(tmp_path: Path) -> None:
    signer = authority()
    over = tls_for("hooks.example", signer, tmp_path, until=NOW + timedelta(days=1))
    async with (
        serving(says(OK), tls=over) as server,
        open_sender(OWN, resolver=Names(("127.0.0.1",)), authorities=trusting(signer[0])) as sender,
    ):
        answer = await sender.post(f"https://hooks.example:{server.port}/x", {}, b"{}", 5, trusted=False)
    assert (answer.error, server.heads) == ("tls", [])


async def test_what_is_no_tls_is_a_failure_of_tls() -> None:
    async with serving(says(b"nonsense")) as server, open_sender(OWN) as sender:
        answer = await sender.post(server.url.replace("http:", "https:"), {}, b"{}", 2, trusted=False)
    assert answer.status is None
    assert answer.error in {"tls", "timeout", "connect_timeout", "connect"}


async def test_a_body_without_an_end_is_read_so_far_and_no_further() -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + bytes(0x1000) + b"\r\n")
            await writer.drain()

    async with serving(endless) as server, open_sender(OWN) as sender:
        answer = await sender.post(server.url, {}, b"{}", 15, trusted=False)
    assert (answer.status, len(answer.body), answer.is_cut) == (200, 16 * 1024, True)


async def test_a_bomb_is_not_unpacked() -> None:
    packed = gzip.compress(bytes(50 * 1024 * 1024))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    async with serving(says(head.encode(), packed)) as server, open_sender(OWN) as sender:
        answer = await sender.post(server.url, {}, b"{}", 5, trusted=False)
    assert answer.status == 200
    assert packed.startswith(answer.body)
    assert len(answer.body) <= 16 * 1024


@pytest.mark.parametrize("trusted", [True, False])
async def test_an_answer_that_drips_ends_when_its_time_is_over(trusted: bool) -> None:
    over = asyncio.Event()

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na")
        await writer.drain()
        await over.wait()

    async with serving(drip) as server, open_sender(OWN) as sender:
        answer = await sender.post(server.url, {}, b"{}", 0.3, trusted=trusted)
        over.set()
    assert (answer.status, answer.error) == (None, "timeout")


@pytest.mark.parametrize("trusted", [True, False])
async def test_nobody_there_is_a_failed_connection(trusted: bool) -> None:
    async with serving(says(OK)) as server:
        url = server.url
    async with open_sender(OWN) as sender:
        answer = await sender.post(url, {}, b"{}", 5, trusted=trusted)
    assert (answer.status, answer.error) == (None, "connect")


async def test_a_name_that_nobody_knows_is_a_failure_of_names() -> None:
    async with open_sender(OWN, resolver=Names(())) as sender:
        answer = await sender.post("https://nobody.example/", {}, b"{}", 5, trusted=False)
    assert (answer.status, answer.error) == (None, "dns")


@pytest.mark.parametrize("trusted", [True, False])
async def test_bytes_that_are_no_http_are_a_failure_of_the_protocol(trusted: bool) -> None:
    async def garbage(writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\xffnonsense\r\n\r\n")
        await writer.drain()
        writer.close()

    async with serving(garbage) as server, open_sender(OWN) as sender:
        answer = await sender.post(server.url, {}, b"{}", 5, trusted=trusted)
    assert (answer.status, answer.error) == (None, "protocol")


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(says(OK)) as proxy, serving(says(OK)) as server:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        async with open_sender(OWN) as sender:
            for trusted in (True, False):
                answer = await sender.post(server.url, {}, b"{}", 5, trusted=trusted)
                assert answer.status == 200
    assert (proxy.connections, len(server.heads)) == (0, 2)


async def test_a_connection_is_kept_for_the_next_request() -> None:
    async with serving(says(OK)) as server, open_sender(OWN) as sender:
        for _ in range(3):
            assert (await sender.post(server.url, {}, b"{}", 5, trusted=False)).status == 200
        assert server.connections == 1
