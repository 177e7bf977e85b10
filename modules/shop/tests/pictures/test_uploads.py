"""Pictures from the form to the storefront, and the files that never get there."""

import re
from pathlib import Path

import httpx
import pytest
from tochka_sdk.settings import ModuleSettings
from tochka_sdk.signing import FreshInstallation
from tochka_sdk.testing import ModuleClient

from modules.shop.tests.driving import HTML, Buyer, Desk, Goods
from modules.shop.tests.pictures import files

pytestmark = pytest.mark.anyio


def _shelf(settings: ModuleSettings, installation: FreshInstallation) -> Path:
    return settings.uploads_dir / str(installation.tenant_id) / str(installation.id)


def _files(shelf: Path) -> list[Path]:
    return sorted(path for path in shelf.rglob("*") if path.is_file())


async def _addresses(buyer: Buyer, goods: Goods) -> list[str]:
    html = await buyer.page(f"/p/{goods.slug}")
    return sorted(set(re.findall(r"/media/[0-9a-f-]+/[0-9a-f]+-\d+\.webp", html)))


async def test_a_picture_is_served_in_every_size_for_ever(
    desk: Desk, buyer: Buyer, module_settings: ModuleSettings, installation: FreshInstallation
) -> None:
    goods = await desk.add("Чай", pictures=[("photo.png", files.encode(files.photo(1000, 800), "JPEG"))])
    addresses = await _addresses(buyer, goods)
    assert len(addresses) == 3
    for address in addresses:
        answer = await buyer.browser.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/webp"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
    assert len(_files(_shelf(module_settings, installation))) == 3


async def test_a_picture_is_of_its_own_shop_alone(
    desk: Desk, buyer: Buyer, neighbour: tuple[Desk, Buyer]
) -> None:
    goods = await desk.add("Чай", pictures=[("a.jpg", files.encode(files.photo(100, 100), "JPEG"))])
    (address,) = await _addresses(buyer, goods)
    _, their_buyer = neighbour
    assert (await buyer.browser.get(address)).status_code == 200
    assert (await their_buyer.browser.get(address)).status_code == 404


@pytest.mark.parametrize("name", [name for name in files.REFUSED if name != "nothing"])
async def test_a_bad_file_is_refused_with_a_sentence_and_leaves_nothing(
    desk: Desk, module_settings: ModuleSettings, installation: FreshInstallation, name: str
) -> None:
    content, _ = files.REFUSED[name]
    good = files.encode(files.photo(100, 100), "JPEG")
    data = {"title": "Чай", "variants-0-price": "10", "variants-0-stock": "1"}
    answer = await desk.post("/admin/products/new", data, [("good.jpg", good), ("photo.jpg", content)])
    assert answer.status_code == 422
    assert re.search(r'id="pictures-error">[А-Я][^<]+\.<', answer.text)
    assert 'value="Чай"' in answer.text
    assert "Товаров пока нет" in await desk.page("/admin/products")
    assert not _shelf(module_settings, installation).exists()


async def test_the_first_picture_is_the_cover_until_another_is_chosen(desk: Desk, buyer: Buyer) -> None:
    pictures = [("a.jpg", files.encode(files.photo(100, 100 + n), "JPEG")) for n in range(3)]
    goods = await desk.add("Чай", pictures=pictures)

    async def order() -> list[str]:
        page = await desk.page(f"/admin/products/{goods.id}")
        return re.findall(r'name="remove" value="([0-9a-f-]+)"', page)

    first, second, third = await order()
    await desk.done(f"/admin/products/{goods.id}/pictures", {"first": third})
    assert await order() == [third, first, second]
    assert f"/media/{third}/" in await buyer.page("/")


async def test_a_removed_picture_takes_its_files_along(
    desk: Desk, buyer: Buyer, module_settings: ModuleSettings, installation: FreshInstallation
) -> None:
    pictures = [("a.jpg", files.encode(files.photo(100, 100), "JPEG"))] * 2
    goods = await desk.add("Чай", pictures=pictures)
    shelf = _shelf(module_settings, installation)
    assert len(_files(shelf)) == 2
    page = await desk.page(f"/admin/products/{goods.id}")
    first = re.findall(r'name="remove" value="([0-9a-f-]+)"', page)[0]
    await desk.done(f"/admin/products/{goods.id}/pictures", {"remove": first})
    assert len(_files(shelf)) == 1
    (address,) = await _addresses(buyer, goods)
    assert (await buyer.browser.get(address)).status_code == 200
    await desk.done(f"/admin/products/{goods.id}/remove", {})
    assert _files(shelf) == []
    assert (await buyer.browser.get(address)).status_code == 404


async def test_a_product_has_at_most_twelve_pictures(desk: Desk) -> None:
    picture = ("a.jpg", files.encode(files.photo(32, 32), "JPEG"))
    goods = await desk.add("Чай", pictures=[picture] * 12)
    row = {
        "title": "Чай",
        "variants-0-id": str(goods.variant),
        "variants-0-price": "1",
        "variants-0-stock": "1",
    }
    answer = await desk.post(f"/admin/products/{goods.id}", row, [picture])
    assert answer.status_code == 409
    assert "не больше 12" in answer.text
    assert (await desk.page(f"/admin/products/{goods.id}")).count('name="remove"') == 12


async def test_a_picture_whose_product_is_not_stored_leaves_no_file(
    desk: Desk, running: ModuleClient, module_settings: ModuleSettings, installation: FreshInstallation
) -> None:
    picture = ("a.jpg", files.encode(files.photo(64, 64), "JPEG"))
    row = {"title": "Чай", "variants-0-price": "1", "variants-0-stock": "1"}
    nowhere = "01890000-0000-7000-8000-000000000000"
    for path, data, status in (
        (f"/admin/products/{nowhere}", row, 404),
        ("/admin/products/new", {**row, "category": nowhere}, 404),
        ("/admin/products/new", {**row, "title": ""}, 422),
    ):
        assert (await desk.post(path, data, [picture] * 2)).status_code == status
    assert _files(_shelf(module_settings, installation)) == []

    full = FreshInstallation()
    await running.install(full, license=running.platform.license(full, entitlements={"products": 0}))
    async with running.admin(full) as browser:
        assert (await Desk(browser).post("/admin/products/new", row, [picture])).status_code == 403
    assert _files(_shelf(module_settings, full)) == []


@pytest.mark.parametrize(
    "address",
    [
        "/media/../../../etc/passwd",
        "/media/%2e%2e/%2e%2e",
        "/media/01890000-0000-7000-8000-000000000000/..%2f..%2fshop.css",
        "/media/01890000-0000-7000-8000-000000000000/" + "0" * 32 + "-320.webp",
        "/media/x/" + "0" * 32 + "-320.webp",
    ],
)
async def test_nothing_but_pictures_is_served_from_the_uploads(
    storefront: httpx.AsyncClient, address: str
) -> None:
    assert (await storefront.get(address, headers=HTML)).status_code == 404
