"""Turning an upload into sizes of WebP. Plain CPU work: `render` runs in a thread, one at a time."""

import hashlib
from collections.abc import Sequence
from io import BytesIO
from typing import Protocol

import anyio
import anyio.to_thread
from PIL import Image, ImageCms, ImageFile, ImageOps
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from tochka_shop.pictures.errors import (
    PictureBroken,
    PictureEmpty,
    PictureOddShape,
    PicturesBusy,
    PictureTooHeavy,
    PictureTooLarge,
)
from tochka_shop.pictures.inspection import Format, announced_size, real_format, refuse_polyglot
from tochka_shop.pictures.schemas import WIDTHS, Rendered, Rendition

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
MIN_SIDE = 16
MAX_RATIO = 8
QUALITY = 80

# The classes themselves, not Image.open: no other decoder can be talked into running.
_DECODERS: dict[Format, type[ImageFile.ImageFile]] = {
    "jpeg": JpegImageFile,
    "png": PngImageFile,
    "webp": WebPImageFile,
}
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


class Upload(Protocol):
    """A file on its way in."""

    async def read(self, size: int = -1) -> bytes:
        """The next so many bytes of it."""


class Renderer:
    """Renders uploads off the event loop; one picture at a time, so that memory stays bounded.

    Owners take turns picture by picture. Only so many may wait that the last one still gets an answer in
    time: the others are asked to return.
    """

    def __init__(self, at_once: int = 1, waiting: int = 11) -> None:
        self._limiter = anyio.CapacityLimiter(at_once)
        self._room = at_once + waiting
        self._inside = 0

    async def render(self, uploads: Sequence[Upload]) -> list[Rendered]:
        """Every size of every picture, or a `PictureRefused` that says why not."""
        if self._inside >= self._room:
            raise PicturesBusy
        self._inside += 1
        try:
            return [await self._one(upload) for upload in uploads]
        finally:
            self._inside -= 1

    async def _one(self, upload: Upload) -> Rendered:
        async with self._limiter:  # what waits is not read into memory yet
            content = await upload.read(MAX_BYTES + 1)
            return await anyio.to_thread.run_sync(render, content)


def render(content: bytes) -> Rendered:
    """Decode, turn upright, drop all metadata, resize, encode."""
    if not content:
        raise PictureEmpty
    if len(content) > MAX_BYTES:
        raise PictureTooHeavy
    kind = real_format(content)
    size = announced_size(content, kind)
    if size is not None:
        _check_size(*size)
    refuse_polyglot(content, kind)
    picture = _decode(content, kind)
    renditions = tuple(_rendition(picture, width) for width in _widths(picture.width))
    return Rendered(hashlib.sha256(content).hexdigest()[:32], renditions)


def _decode(content: bytes, kind: Format) -> Image.Image:
    try:
        with _DECODERS[kind](BytesIO(content)) as opened:
            _check_size(*opened.size)
            opened.draft("RGB", (2 * WIDTHS[-1], 2 * WIDTHS[-1]))
            opened.seek(0)  # of an animation, the first frame
            opened.load()
            profile = opened.info.get("icc_profile")
            upright = ImageOps.exif_transpose(opened)
            return _to_srgb(_plain(upright), profile)
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, MemoryError) as error:
        raise PictureBroken from error  # decoders report damage in many ways; none is our fault
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge from error


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise PictureTooLarge
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_RATIO * min(width, height):
        raise PictureOddShape


def _plain(picture: Image.Image) -> Image.Image:
    """Only pixels: palettes, greys, CMYK and 16 bits become RGB, transparency is kept."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        return picture.convert("RGBA")
    if picture.mode.startswith("I;16"):  # straight conversion would clip instead of scale
        return picture.point(lambda level: level / 256).convert("L").convert("RGB")
    return picture.convert("RGB")


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours of a phone's wide profile, said in sRGB; a broken profile is as good as none."""
    if not profile or picture.mode != "RGB":
        return picture
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        return ImageCms.profileToProfile(picture, source, _SRGB) or picture
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture


def _widths(width: int) -> list[int]:
    return [step for step in WIDTHS if step < width][: len(WIDTHS)] + ([width] if width <= WIDTHS[-1] else [])


def _rendition(picture: Image.Image, width: int) -> Rendition:
    height = max(1, round(picture.height * width / picture.width))
    resized = picture if width == picture.width else picture.resize((width, height), Image.Resampling.LANCZOS)
    encoded = BytesIO()
    fresh = Image.frombytes(resized.mode, resized.size, resized.tobytes())  # no metadata travels along
    fresh.save(encoded, "WEBP", quality=QUALITY, method=4)
    return Rendition(width, height, encoded.getvalue())
