"""Every statement of the shop, explained on a large database: an index that leads with the tenant."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from tochka_sdk.db import Database, Scope
from tochka_sdk.signing import FreshInstallation
from tochka_sdk.testing import ModuleClient
from tochka_stack.testing import ScratchDatabase

from modules.shop.tests.database.crowd import fill
from modules.shop.tests.database.statements import TABLES, Heard, listening
from modules.shop.tests.driving import Buyer, Desk, hidden_fields
from modules.shop.tests.pictures import files

pytestmark = pytest.mark.anyio

VERBS = ("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")


async def _walk(desk: Desk, buyer: Buyer) -> None:
    """Everything that can be done in the shop, once."""
    picture = files.encode(files.photo(64, 64), "PNG")
    goods = await desk.add("Чай", ("а", "10", 9), ("б", "20", 9), pictures=[("a.png", picture)] * 2)
    form = await desk.page(f"/admin/products/{goods.id}")
    fields = {name: value for name, value in hidden_fields(form).items() if name.startswith("variants-")}
    row = {
        "title": "Чай",
        "is_published": "1",
        "variants-0-title": "а",
        "variants-0-price": "11",
        "variants-0-stock": "9",
    }
    await desk.done(f"/admin/products/{goods.id}", {**fields, **row, "variants-1-remove": "1"})
    await desk.done("/admin/categories", {"title": "Новый"})
    category = form.split('<option value="')[2].split('"')[0]
    for deed in ("raise", "rename"):
        await desk.done(f"/admin/categories/{category}", {"deed": deed, "title": "Чаи"})
    ids = [part.split('"')[0] for part in form.split('name="remove" value="')[1:]]
    await desk.done(f"/admin/products/{goods.id}/pictures", {"first": ids[1]})
    await desk.done(f"/admin/products/{goods.id}/pictures", {"remove": ids[0]})
    await desk.settings()
    for path in ("/", "/c/katalog", "/search?q=чай", f"/p/{goods.slug}", "/sitemap.xml"):
        await buyer.get(path)
    await buyer.put(goods.variant)
    await buyer.browser.post("/cart/set", data={"variant": str(goods.variant), "quantity": "2"})
    await buyer.page("/cart")
    await buyer.page(await buyer.order())
    for path in (
        "",
        "/products?q=чай",
        "/orders",
        "/orders?status=new",
        "/orders?q=1001",
        "/orders?q=89991234567",
    ):
        await desk.page(f"/admin{path}")
    (order,) = await desk.order_ids()
    await desk.page(f"/admin/orders/{order}")
    await desk.move(order, "cancelled")
    await desk.done(f"/admin/products/{goods.id}/remove", {})
    await desk.done(f"/admin/categories/{category}", {"deed": "remove"})


def _scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a plan that reads a table."""
    if "Relation Name" in plan and plan["Node Type"] != "ModifyTable":
        yield plan
    for child in plan.get("Plans", ()):
        yield from _scans(child)


def _condition(plan: dict[str, Any]) -> str:
    """The index conditions of a node and of the bitmaps below it."""
    parts = [str(plan.get("Index Cond", ""))]
    return " ".join(parts + [_condition(child) for child in plan.get("Plans", ())])


async def _explain(database: Database, scope: Scope, heard: Heard) -> dict[str, list[str]]:
    """What is wrong with the plans of what was said, by statement."""
    wrong: dict[str, list[str]] = {}
    said = dict(heard.said)
    for statement, parameters in said.items():
        if not statement.lstrip().startswith(VERBS) or not any(table in statement for table in TABLES):
            continue
        async with database.session(scope) as session:
            await session.execute(text("SET LOCAL enable_seqscan = on"))
            connection = await session.connection()
            answer = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            raw = answer.scalar_one()
        plan = (json.loads(raw) if isinstance(raw, str) else raw)[0]["Plan"]
        complaints = [
            f"{node['Node Type']} on {node['Relation Name']}: {_condition(node)}"
            for node in _scans(plan)
            if node["Relation Name"] in TABLES
            and ("Seq" in node["Node Type"] or "tenant_id =" not in _condition(node))
        ]
        if complaints:
            wrong[statement] = complaints
    return wrong


async def test_every_statement_uses_an_index_that_leads_with_the_tenant(
    database: ScratchDatabase,
    running: ModuleClient,
    desk: Desk,
    buyer: Buyer,
    installation: FreshInstallation,
) -> None:
    await fill(database.superuser_dsn)
    with listening() as heard:
        await _walk(desk, buyer)
        gone = await running.install()
        await running.remove(gone)
    scope = Scope(tenant_id=installation.tenant_id, installation_id=installation.id)
    said = {statement for statement, _ in heard.said}
    assert len(said) > 60
    assert await _explain(running.runtime.database, scope, heard) == {}
