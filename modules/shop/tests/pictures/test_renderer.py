"""Rendering is bounded: one picture at a time, a few requests waiting, the others asked to return."""

import anyio
import pytest
from tochka_shop.pictures.errors import PicturesBusy
from tochka_shop.pictures.service import MAX_BYTES, Renderer

from modules.shop.tests.pictures import files

pytestmark = pytest.mark.anyio


class _Upload:
    """A file that arrives when the gate opens."""

    def __init__(self, gate: anyio.Event, content: bytes) -> None:
        self._gate = gate
        self._content = content
        self.asked: list[int] = []

    async def read(self, size: int = -1) -> bytes:
        self.asked.append(size)
        await self._gate.wait()
        return self._content[:size]


async def test_those_who_find_the_waiting_room_full_are_asked_to_return() -> None:
    renderer, gate = Renderer(at_once=1, waiting=2), anyio.Event()
    uploads = [_Upload(gate, files.encode(files.photo(64, 64), "PNG")) for _ in range(3)]
    widths: list[list[int]] = []

    async def work(upload: _Upload) -> None:
        widths.append((await renderer.render([upload]))[0].widths)

    async with anyio.create_task_group() as group:
        for upload in uploads:
            group.start_soon(work, upload)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(PicturesBusy) as refusal:
            await renderer.render([_Upload(gate, b"")])
        gate.set()
    assert refusal.value.headers["Retry-After"] == "3"
    assert widths == [[64]] * 3
    assert (await renderer.render([uploads[0]]))[0].widths == [64]


async def test_no_more_is_read_than_is_needed_to_see_that_it_is_too_much() -> None:
    gate = anyio.Event()
    gate.set()
    upload = _Upload(gate, files.encode(files.photo(64, 64), "PNG"))
    await Renderer().render([upload])
    assert upload.asked == [MAX_BYTES + 1]
