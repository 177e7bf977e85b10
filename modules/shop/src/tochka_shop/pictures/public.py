"""The pictures' face to other slices: one value per running application, which renders and keeps."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast
from uuid import UUID

import anyio
from fastapi import FastAPI
from tochka_sdk.errors import DatabaseUnavailable
from tochka_sdk.ids import uuid7

from tochka_shop.owners import Owner
from tochka_shop.pictures.schemas import Rendered
from tochka_shop.pictures.service import Renderer, Upload
from tochka_shop.pictures.storage import LocalStorage, PictureStorage


class Pictures:
    """Renders uploads and keeps them. `uploads_dir` is asked late: it is known once the module started."""

    def __init__(self, uploads_dir: Callable[[], Path]) -> None:
        self._uploads_dir = uploads_dir
        self._renderer = Renderer()

    @property
    def storage(self) -> PictureStorage:
        """Where the files lie."""
        return LocalStorage(self._uploads_dir())

    async def render(self, uploads: Sequence[Upload]) -> list[Rendered]:
        """Every upload in every size; the first that is refused raises, and nothing is kept."""
        return await self._renderer.render(uploads)

    @asynccontextmanager
    async def keeping(
        self, owner: Owner, rendered: Sequence[Rendered]
    ) -> AsyncIterator[dict[UUID, Rendered]]:
        """Store the files of new pictures for a block that refers to them; if it fails, they go again.

        If the database is lost on the way, nobody knows whether the references were committed: they stay.
        """
        kept = {uuid7(): picture for picture in rendered}
        try:
            for picture_id, picture in kept.items():
                await self.storage.put(owner, picture_id, picture)
            yield kept
        except DatabaseUnavailable:
            raise
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.drop(owner, list(kept))
            raise

    async def drop(self, owner: Owner, picture_ids: list[UUID]) -> None:
        """Delete the files of pictures to which nothing refers any more."""
        await self.storage.remove(owner, picture_ids)


def pictures_of(app: FastAPI) -> Pictures:
    """The pictures of a running application."""
    return cast("Pictures", app.state.pictures)
