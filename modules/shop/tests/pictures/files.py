"""Files that owners send: good pictures and everything that only pretends to be one, built on the spot."""

import io
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image, ImageDraw, PngImagePlugin

SECRET = "59.9343N 30.3351E"


def photo(width: int = 1200, height: int = 900, mode: str = "RGB") -> Image.Image:
    """A picture with some structure in it, so that it neither vanishes nor explodes when encoded."""
    picture = Image.new("RGB", (width, height), (214, 222, 218))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((width * 0.2, height * 0.2, width * 0.8, height * 0.9), fill=(176, 92, 58))
    draw.rectangle((0, 0, width * 0.1, height * 0.1), fill=(20, 60, 200))
    return picture.convert(mode)


def encode(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a picture in a format."""
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def sideways_photo() -> bytes:
    """A phone's photograph: landscape pixels, «turn me» in EXIF, and the place where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = SECRET
    exif.get_ifd(0x8825)[1] = "N"
    return encode(photo(1200, 900), "JPEG", exif=exif, comment=SECRET.encode())


def commented_png() -> bytes:
    """A PNG with text chunks."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", SECRET)
    return encode(photo(400, 400, "RGBA"), "PNG", pnginfo=info)


def animation(kind: str) -> bytes:
    """Three frames; the first is red."""
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "green", "blue")]
    return encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def lying_png(width: int, height: int) -> bytes:
    """A PNG whose header announces a size that its data does not have."""
    honest = encode(Image.new("RGB", (32, 32), "white"), "PNG")
    header = struct.pack(">II", width, height) + honest[24:29]
    return honest[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + honest[33:]


def vast_webp() -> bytes:
    """A WebP container that asks for a canvas of 16383 × 16383."""
    still = encode(Image.new("RGB", (32, 32), "white"), "WEBP")
    side = (16383 - 1).to_bytes(3, "little")
    chunks = b"VP8X" + struct.pack("<I", 10) + b"\x00\x00\x00\x00" + side + side + still[12:]
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def jpeg_with_archive() -> bytes:
    """A photograph with a zip behind its end."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as inside:
        inside.writestr("shell.php", "<?php system($_GET[0]);")
    return encode(photo(300, 300), "JPEG") + archive.getvalue()


def jpeg_with_page_in_comment() -> bytes:
    """A photograph that a careless browser would run."""
    return encode(photo(300, 300), "JPEG", comment=b"<script>alert(1)</script>")


def png_with_page_behind() -> bytes:
    """A PNG with a page after its end."""
    return encode(photo(300, 300), "PNG") + b"<html><body onload=alert(1)>"


def webp_with_page_behind() -> bytes:
    """A WebP with a page after its end."""
    return encode(photo(300, 300), "WEBP") + b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def truncated(kind: str) -> bytes:
    """The first half of an honest picture."""
    whole = encode(photo(600, 600), kind)
    return whole[: len(whole) // 2]


def png_with_broken_checksum() -> bytes:
    """A PNG with a flipped bit in its data."""
    whole = bytearray(encode(photo(300, 300), "PNG"))
    whole[len(whole) // 2] ^= 0xFF
    return bytes(whole)


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!doctype html><html><body><script>alert(1)</script></body></html>"
GIF = encode(Image.new("P", (32, 32)), "GIF")
BMP = encode(Image.new("RGB", (32, 32)), "BMP")
TIFF = encode(Image.new("RGB", (32, 32)), "TIFF")

REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "pictures.empty"),
    "eleven megabytes": (encode(photo(), "JPEG") + b"\0" * 10 * 1024 * 1024, "pictures.too_heavy"),
    "text": (b"hello", "pictures.not_a_picture"),
    "SVG": (SVG, "pictures.not_a_picture"),
    "HTML": (HTML, "pictures.not_a_picture"),
    "GIF": (GIF, "pictures.not_a_picture"),
    "BMP": (BMP, "pictures.not_a_picture"),
    "TIFF": (TIFF, "pictures.not_a_picture"),
    "PDF": (b"%PDF-1.7 ...", "pictures.not_a_picture"),
    "JPEG signature and nothing more": (b"\xff\xd8\xff", "pictures.broken"),
    "PNG signature and nothing more": (b"\x89PNG\r\n\x1a\n", "pictures.broken"),
    "WebP signature and nothing more": (b"RIFF\x04\0\0\0WEBP", "pictures.broken"),
    "JPEG signature before a page": (b"\xff\xd8\xff\xe0" + HTML, "pictures.hides_something"),
    "half a JPEG": (truncated("JPEG"), "pictures.broken"),
    "half a PNG": (truncated("PNG"), "pictures.broken"),
    "half a WebP": (truncated("WEBP"), "pictures.broken"),
    "PNG with a flipped bit": (png_with_broken_checksum(), "pictures.broken"),
    "PNG larger than its data": (lying_png(3000, 3000), "pictures.broken"),
    "PNG of three gigapixels": (lying_png(60_000, 50_000), "pictures.too_large"),
    "WebP of 268 megapixels": (vast_webp(), "pictures.too_large"),
    "JPEG of 42 megapixels": (encode(Image.new("L", (7000, 6000)), "JPEG"), "pictures.too_large"),
    "a stripe": (encode(Image.new("RGB", (2000, 100)), "PNG"), "pictures.odd_shape"),
    "a dot": (encode(Image.new("RGB", (4, 4)), "PNG"), "pictures.odd_shape"),
    "JPEG with an archive behind it": (jpeg_with_archive(), "pictures.hides_something"),
    "JPEG with a script in its comment": (jpeg_with_page_in_comment(), "pictures.hides_something"),
    "PNG with a page behind it": (png_with_page_behind(), "pictures.hides_something"),
    "WebP with SVG behind it": (webp_with_page_behind(), "pictures.hides_something"),
}
