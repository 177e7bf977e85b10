"""Sealing by hand, and the verification as a list of sentences."""

from collections.abc import Sequence

from tochka_core.audit import service
from tochka_core.audit.checkpoints import Kept
from tochka_core.audit.verification import Verification
from tochka_core.resources import Resources
from tochka_sdk.key_rings import Rings

from core_kit.waiting import until


async def seal(jobs: Resources) -> int:
    """Put one batch under seal; how many entries it has."""
    async with jobs.connections.system("seals for a test") as connection:
        return await service.seal(connection, jobs.keyring, jobs.addresses.issuer)


async def until_taken(jobs: Resources, rings: Rings) -> None:
    """Wait until a core has taken the rings that were put into its key file."""

    async def are_taken() -> bool:
        return jobs.keyring.audit.kid == rings.audit.active.name

    await until(are_taken)


async def seal_all(jobs: Resources) -> int:
    """Seal until nothing waits; how many entries that were."""
    total = 0
    while count := await seal(jobs):
        total += count
    return total


async def newest_checkpoint(jobs: Resources) -> str:
    """What an operator would keep."""
    async with jobs.connections.system("reads for a test") as connection:
        found = await service.find_checkpoint(connection)
    assert found is not None, "nothing has been sealed"
    return found


async def verified(jobs: Resources, kept: Sequence[Kept] = ()) -> tuple[list[str], Verification]:
    """What the verification finds, and itself."""
    published = jobs.keyring.published["tochka_audit"]
    verification = Verification(jobs.connections, published, kept)
    return [finding async for finding in verification.findings()], verification
