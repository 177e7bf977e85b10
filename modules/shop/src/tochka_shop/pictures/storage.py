"""Where pictures are kept: a small port, and the local disk behind it."""

import shutil
from pathlib import Path
from typing import Protocol
from uuid import UUID

import anyio.to_thread

from tochka_shop.owners import Owner
from tochka_shop.pictures.schemas import Rendered


class PictureStorage(Protocol):
    """Keeps renditions under an installation; an S3-compatible store fits behind it as well."""

    async def put(self, owner: Owner, picture_id: UUID, rendered: Rendered) -> None:
        """Keep every size of a picture. Repeating it changes nothing."""

    async def find(self, owner: Owner, picture_id: UUID, name: str) -> bytes | None:
        """One size of a picture of this installation; None if there is none."""

    async def remove(self, owner: Owner, picture_ids: list[UUID]) -> None:
        """Forget pictures. Those already gone do not matter."""

    async def clear(self, owner: Owner) -> None:
        """Forget everything of an installation."""


class LocalStorage:
    """`<root>/<tenant>/<installation>/<picture>/<hash>-<width>.webp`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, owner: Owner, picture_id: UUID, rendered: Rendered) -> None:
        """Keep every size of a picture; each file appears whole or not at all."""
        await anyio.to_thread.run_sync(self._put, self._place(owner, picture_id), rendered)

    async def find(self, owner: Owner, picture_id: UUID, name: str) -> bytes | None:
        """One size of a picture of this installation; the caller has checked the form of the name."""
        return await anyio.to_thread.run_sync(self._read, self._place(owner, picture_id) / name)

    async def remove(self, owner: Owner, picture_ids: list[UUID]) -> None:
        """Forget pictures."""
        for picture_id in picture_ids:
            await anyio.to_thread.run_sync(_forget, self._place(owner, picture_id))

    async def clear(self, owner: Owner) -> None:
        """Forget everything of an installation."""
        await anyio.to_thread.run_sync(_forget, self._shelf(owner))

    def _shelf(self, owner: Owner) -> Path:
        return self._root / str(owner.tenant_id) / str(owner.installation_id)

    def _place(self, owner: Owner, picture_id: UUID) -> Path:
        return self._shelf(owner) / str(picture_id)

    @staticmethod
    def _put(place: Path, rendered: Rendered) -> None:
        place.mkdir(parents=True, exist_ok=True)
        for rendition in rendered.renditions:
            target = place / f"{rendered.content_hash}-{rendition.width}.webp"
            draft = target.with_suffix(".part")
            draft.write_bytes(rendition.content)
            draft.replace(target)

    @staticmethod
    def _read(path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None


def _forget(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
