"""Lists of installations: pages, and no query per row."""

import pytest
from core_kit.activation import activate
from core_kit.codes import refusal
from core_kit.modules import ScriptedModule
from core_kit.people import API, Owner
from core_kit.wired import Wired

pytestmark = pytest.mark.anyio


async def test_pages_hold_everything_once_newest_first(
    owner: Owner, stranger: Owner, module: ScriptedModule
) -> None:
    await activate(stranger, module.id)
    made = [(await activate(owner, module.id))["id"] for _ in range(5)]
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        query = {"limit": "2"} if cursor is None else {"limit": "2", "cursor": cursor}
        page = (await owner.client.get(f"{API}/installations", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == made[::-1]
    assert cursor is None


CURSOR = "AaIUw3qscf2c9n3b2lPbgA"  # of the shape of one
NO_CURSORS = ["", "nonsense", "\x00", "é", f"!{CURSOR}", f"{CURSOR}==", CURSOR[:-1] + "B", "A" * 65]
NO_LIMITS = ["0", "-1", "101", "1e1", "", "9" * 30]


async def test_a_cursor_of_the_right_shape_is_a_place_in_any_list(owner: Owner) -> None:
    answer = await owner.client.get(f"{API}/installations", params={"cursor": CURSOR})
    assert answer.json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    "query", [*({"cursor": text} for text in NO_CURSORS), *({"limit": text} for text in NO_LIMITS)]
)
async def test_a_malformed_page_request_is_refused(owner: Owner, query: dict[str, str]) -> None:
    answer = await owner.client.get(f"{API}/installations", params=query)
    assert refusal(answer)[0] == 422


@pytest.mark.parametrize("path", ["/installations", "/subscriptions"])
async def test_a_list_asks_as_much_for_twenty_as_for_one(wired: Wired, path: str) -> None:
    counts = []
    for count in (1, 20):
        while len(made := await _all(wired, path)) < count:
            await activate(wired.owner, wired.module.id)
        assert len(made) == count
        wired.wire.statements.clear()
        await _all(wired, path)
        counts.append(len(wired.wire.statements))
    assert counts[0] == counts[1]


async def _all(wired: Wired, path: str) -> list[object]:
    answer = await wired.owner.client.get(f"{API}{path}", params={"limit": "100"})
    assert answer.status_code == 200
    return list(answer.json()["items"])
