"""What becomes of a picture, and which files are refused before and while they are decoded."""

import io

import pytest
from PIL import Image
from tochka_shop.pictures.errors import PictureRefused
from tochka_shop.pictures.service import render

from modules.shop.tests.pictures import files


def _pixel(picture: Image.Image, x: int, y: int) -> tuple[int, ...]:
    value = picture.getpixel((x, y))
    assert isinstance(value, tuple)
    return value


@pytest.mark.parametrize("name", files.REFUSED)
def test_a_file_that_is_not_an_honest_picture_is_refused(name: str) -> None:
    content, code = files.REFUSED[name]
    with pytest.raises(PictureRefused) as refusal:
        render(content)
    assert refusal.value.code == code
    assert refusal.value.detail.endswith(".")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_good_picture_becomes_webp_in_every_size(kind: str, mode: str) -> None:
    rendered = render(files.encode(files.photo(2000, 1500, mode), kind))
    assert rendered.widths == [320, 800, 1600]
    for rendition in rendered.renditions:
        with Image.open(io.BytesIO(rendition.content)) as picture:
            assert (picture.format, picture.size) == ("WEBP", (rendition.width, rendition.height))
            assert picture.height == round(picture.width * 3 / 4)


@pytest.mark.parametrize(
    ("width", "widths"),
    [
        (100, [100]),
        (320, [320]),
        (500, [320, 500]),
        (800, [320, 800]),
        (1599, [320, 800, 1599]),
        (4000, [320, 800, 1600]),
    ],
)
def test_a_picture_is_never_made_larger(width: int, widths: list[int]) -> None:
    assert render(files.encode(files.photo(width, width), "JPEG")).widths == widths


def test_a_sideways_photograph_is_turned_upright_and_forgets_where_it_was_taken() -> None:
    rendered = render(files.sideways_photo())
    assert rendered.largest.height > rendered.largest.width
    for rendition in rendered.renditions:
        assert files.SECRET.encode() not in rendition.content
        with Image.open(io.BytesIO(rendition.content)) as picture:
            assert dict(picture.getexif()) == {}
            assert set(picture.info) <= {"loop", "background", "timestamp", "duration"}


def test_text_in_a_png_is_dropped_and_transparency_is_kept() -> None:
    rendered = render(files.commented_png())
    assert all(files.SECRET.encode() not in rendition.content for rendition in rendered.renditions)
    transparent = render(files.encode(Image.new("RGBA", (64, 64), (255, 0, 0, 0)), "PNG"))
    with Image.open(io.BytesIO(transparent.largest.content)) as picture:
        assert picture.mode == "RGBA"
        assert _pixel(picture, 5, 5)[3] == 0


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_kept(kind: str) -> None:
    rendered = render(files.animation(kind))
    with Image.open(io.BytesIO(rendered.largest.content)) as picture:
        assert getattr(picture, "n_frames", 1) == 1
        red, green, blue = _pixel(picture.convert("RGB"), 30, 30)
        assert red > 200
        assert max(green, blue) < 60


def test_print_colours_palettes_and_deep_greys_become_plain_colours() -> None:
    cmyk = files.encode(files.photo(200, 200, "CMYK"), "JPEG")
    palette = files.encode(files.photo(200, 200, "P"), "PNG")
    deep = files.encode(Image.new("I;16", (64, 64), 32768), "PNG")
    for content in (cmyk, palette):
        with Image.open(io.BytesIO(render(content).largest.content)) as picture:
            red, _, blue = _pixel(picture.convert("RGB"), 100, 110)
            assert red > blue
    with Image.open(io.BytesIO(render(deep).largest.content)) as picture:
        assert picture.convert("L").getpixel((30, 30)) == pytest.approx(128, abs=4)


def test_the_same_file_has_the_same_name_and_another_has_another() -> None:
    one, other = files.encode(files.photo(100, 100), "PNG"), files.encode(files.photo(100, 120), "PNG")
    assert render(one).content_hash == render(one).content_hash
    assert render(one).content_hash != render(other).content_hash
