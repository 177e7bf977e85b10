"""What a file really is: its format by content, its size by its own header, and what is hidden in it.

Runs before a decoder sees the file: a WebP decoder, for one, allocates its canvas when it is opened.
"""

import re
import struct
from typing import Literal

from tochka_shop.pictures.errors import PictureBroken, PictureHidesSomething, PictureNotAPicture

Format = Literal["jpeg", "png", "webp"]

_PNG = b"\x89PNG\r\n\x1a\n"
_ACTIVE = re.compile(rb"<script|<!doctype html|<iframe|<\?php|javascript:", re.IGNORECASE)
_STOWED = re.compile(
    rb"<html|<svg|<!entity|%PDF-|PK\x03\x04|PK\x05\x06|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|\x7fELF|^MZ",
    re.IGNORECASE,
)
_HEAD = 1024


def real_format(content: bytes) -> Format:
    """The format by the first bytes; anything but JPEG, PNG and WebP is refused."""
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if content.startswith(_PNG):
        return "png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    raise PictureNotAPicture


def announced_size(content: bytes, kind: Format) -> tuple[int, int] | None:
    """Width and height by the header of a PNG or WebP; a JPEG is opened lazily and tells itself."""
    try:
        if kind == "png":
            return _png_size(content)
        if kind == "webp":
            return _webp_size(content)
    except struct.error as error:
        raise PictureBroken from error
    return None


def refuse_polyglot(content: bytes, kind: Format) -> None:
    """Refuse a file that is also something else: a page in its comments, an archive behind its end."""
    if _ACTIVE.search(content) or b"%PDF-" in content[:_HEAD]:
        raise PictureHidesSomething
    if _STOWED.search(content[_end(content, kind) :]):
        raise PictureHidesSomething


def _png_size(content: bytes) -> tuple[int, int]:
    if content[12:16] != b"IHDR":
        raise PictureBroken
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _webp_size(content: bytes) -> tuple[int, int]:
    chunk = content[12:16]
    if chunk == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
        return width, height
    if chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise PictureBroken


def _end(content: bytes, kind: Format) -> int:
    """Where the picture ends and whatever follows it begins."""
    if kind == "png":
        return _png_end(content)
    if kind == "webp":
        return min(8 + int(struct.unpack_from("<I", content, 4)[0]), len(content))
    return _jpeg_end(content)


def _png_end(content: bytes) -> int:
    at = len(_PNG)
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        at += 12 + length
        if content[at - length - 8 : at - length - 4] == b"IEND":
            return at
    return len(content)


def _jpeg_end(content: bytes) -> int:
    """Walk the segments; inside a scan, look for the next real marker."""
    at = 2
    while 0 <= at < len(content) - 1:
        marker = content[at + 1]
        if content[at] != 0xFF or marker == 0xFF:
            at += 1
        elif marker == 0xD9:
            return at + 2
        elif marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            at = content.find(b"\xff", at + 2)
        elif at + 4 > len(content):
            break
        else:
            at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
            if marker == 0xDA:
                at = content.find(b"\xff", at)
    return len(content)
