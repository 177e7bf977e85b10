"""The platform's commands, as the SDK hands them over: inside the transaction of the event."""

from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.events import InstallationRemoved, InstallationRequested
from tochka_sdk.module import Event, Module

from tochka_shop.owners import Owner
from tochka_shop.pictures.public import Pictures
from tochka_shop.provisioning import service


def register(module: Module, pictures: Pictures) -> None:
    """Have the module's commands carried out."""

    @module.on("installation.requested")
    async def provision(event: Event[InstallationRequested], session: AsyncSession) -> None:
        await service.open_shop(session, _owner(event), name=event.data.tenant_name, locale=event.data.locale)

    @module.on("installation.removed")
    async def remove(event: Event[InstallationRemoved], session: AsyncSession) -> None:
        await service.close_shop(session, _owner(event))
        await pictures.storage.clear(_owner(event))  # again at a repetition, should this transaction fail


def _owner(event: Event[InstallationRequested] | Event[InstallationRemoved]) -> Owner:
    return Owner(event.tenant_id, event.installation_id)
