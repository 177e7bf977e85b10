"""A body that comes slowly, or a picture that takes long, holds no connection to the database."""

from collections.abc import AsyncIterator
from urllib.parse import urlencode

import anyio
import httpx
import pytest
from tochka_sdk.signing import FreshInstallation
from tochka_sdk.testing import ModuleClient

from modules.shop.tests.driving import HTML, Buyer, Desk

pytestmark = pytest.mark.anyio

BOUNDARY = "slow"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
UPLOAD = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


class _Slow:
    """A body whose second half comes when it is told to."""

    def __init__(self, first: bytes, second: bytes) -> None:
        self._halves = first, second
        self.waits, self.goes_on = anyio.Event(), anyio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._halves[0]
        self.waits.set()
        await self.goes_on.wait()
        yield self._halves[1]


async def _nothing_goes_on() -> None:
    """Return when every task waits. A look is taken each tenth of a second, as servers tick: if the two are
    in step, one would never see the other at rest, hence a fresh start now and then.
    """
    at_rest = False
    while not at_rest:
        with anyio.move_on_after(0.25):
            await anyio.wait_all_tasks_blocked()
            at_rest = True


async def _connections_in_use(
    running: ModuleClient, browser: httpx.AsyncClient, path: str, body: _Slow, headers: dict[str, str]
) -> tuple[int, int]:
    """How many connections were in use while the body was on its way, and the status in the end."""
    answers: list[httpx.Response] = []

    async def send() -> None:
        answers.append(await browser.post(path, content=body, headers={**HTML, **headers}))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(send)
            await body.waits.wait()
            await _nothing_goes_on()
            in_use = running.runtime.database.pool_status().checked_out
            body.goes_on.set()
    return in_use, answers[0].status_code


def _part(name: str, value: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


async def test_a_buyers_slow_form_holds_no_connection(
    running: ModuleClient, desk: Desk, buyer: Buyer
) -> None:
    goods = await desk.add("Чай")
    await buyer.put(goods.variant)
    order = urlencode(await buyer.form()).encode()
    cart = urlencode({"variant": str(goods.variant), "quantity": "1"}).encode()
    for path, body in (("/cart/add", cart), ("/cart/set", cart), ("/checkout", order)):
        slow = _Slow(body[:9], body[9:])
        assert await _connections_in_use(running, buyer.browser, path, slow, FORM) == (0, 303)


async def test_an_owners_slow_upload_holds_no_connection(running: ModuleClient, desk: Desk) -> None:
    first = _part("title", "Чай") + _part("variants-0-price", "10")
    second = _part("variants-0-stock", "1") + f"--{BOUNDARY}--\r\n".encode()
    slow = _Slow(first, second)
    assert await _connections_in_use(running, desk.browser, "/admin/products/new", slow, UPLOAD) == (0, 303)
    category = urlencode({"title": "Чаи"}).encode()
    slow = _Slow(category[:5], category[5:])
    assert await _connections_in_use(running, desk.browser, "/admin/categories", slow, FORM) == (0, 303)


async def test_a_strangers_upload_is_refused_before_it_is_read(
    running: ModuleClient, installation: FreshInstallation
) -> None:
    async with running.storefront(installation) as stranger:
        unread = _Slow(_part("title", "Чай"), b"")
        answer = await stranger.post(
            "/admin/products/new", content=unread, headers={**UPLOAD, "Accept": "application/json"}
        )
    assert answer.status_code == 401
    assert not unread.waits.is_set()
