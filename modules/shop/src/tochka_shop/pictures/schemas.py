"""What goes between uploading and keeping a picture."""

from dataclasses import dataclass
from uuid import UUID

WIDTHS = (320, 800, 1600)


@dataclass(frozen=True, slots=True)
class Rendition:
    """One size of a picture, encoded."""

    width: int
    height: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Rendered:
    """A picture ready to be kept: the hash of what was sent, and every size, smallest first."""

    content_hash: str
    renditions: tuple[Rendition, ...]

    @property
    def widths(self) -> list[int]:
        """The widths that exist."""
        return [rendition.width for rendition in self.renditions]

    @property
    def largest(self) -> Rendition:
        """The size that the others were made from."""
        return self.renditions[-1]


@dataclass(frozen=True, slots=True)
class PictureRef:
    """What a page needs to show a picture."""

    id: UUID
    content_hash: str
    width: int
    height: int
    widths: tuple[int, ...]

    def url(self, at_least: int = 0) -> str:
        """The address of the smallest size that is at least so wide, or of the largest."""
        width = next((width for width in self.widths if width >= at_least), self.widths[-1])
        return f"/media/{self.id}/{self.content_hash}-{width}.webp"

    @property
    def srcset(self) -> str:
        """Every size, for the browser to choose."""
        return ", ".join(f"{self.url(width)} {width}w" for width in self.widths)
