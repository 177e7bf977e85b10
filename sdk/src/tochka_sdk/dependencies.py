"""What a module's endpoints take as parameters."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from tochka_sdk.installations import Installation, current_installation
from tochka_sdk.runtime import runtime_of


async def _installation_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with runtime_of(request).database.session(current_installation().scope) as session:
        yield session


InstallationSession = Annotated[AsyncSession, Depends(_installation_session, scope="function")]
"""The transaction of the request, scoped to the current installation. It commits before the answer is sent;
an error rolls it back. All parameters of one request share it.
"""

CurrentInstallation = Annotated[Installation, Depends(current_installation)]
"""The installation being served, as a parameter."""
