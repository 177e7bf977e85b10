"""HTTP for the catalogue: public, read-only."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy.ext.asyncio import AsyncSession

from tochka_core.catalogue import service
from tochka_core.catalogue.schemas import ModulePage, ModuleRead
from tochka_core.resources import ResourcesDep

router = APIRouter(prefix="/modules", tags=["catalogue"])


async def _public_session(resources: ResourcesDep) -> AsyncIterator[AsyncSession]:
    async with resources.database.system("shows the catalogue, which is public") as session:
        yield session


PublicSession = Annotated[AsyncSession, Depends(_public_session, scope="function")]


@router.get("", operation_id="list_modules")
async def list_modules(
    session: PublicSession,
    cursor: Annotated[str | None, Query(pattern=r"^[a-z0-9-]{1,63}$")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> ModulePage:
    """The modules that can be activated."""
    return await service.page(session, cursor, limit)


@router.get("/{module_id}", operation_id="get_module")
async def get_module(session: PublicSession, module_id: str) -> ModuleRead:
    """One module."""
    return await service.get(session, module_id)
