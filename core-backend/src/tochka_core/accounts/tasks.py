"""Hearing from the messengers of bots, by polling or by seeing to it that they call; changing phones."""

import asyncio
import secrets
from collections import defaultdict
from contextlib import suppress
from uuid import UUID

from redis.exceptions import RedisError
from tochka_sdk import logs
from tochka_sdk.errors import Unavailable

from tochka_core.accounts import continuity, handshakes, phone_changes, phones
from tochka_core.channels.errors import MessengerRefuses
from tochka_core.channels.public import BotChannel, webhook_url
from tochka_core.channels.schemas import Batch, ChannelKind, Update
from tochka_core.resources import Resources
from tochka_core.scripts import Script

LEASE_MS = 90_000  # longer than a poll may take
BETWEEN_S = 0.3  # MAX wants that much between two polls
WAIT_S = 5.0  # while another process polls
LONGEST_PAUSE_S = 60.0
MARKER_S = 24 * 3600  # Telegram may count from anywhere after a quiet week
CHANGES_S = 15.0  # between two looks at the changes of phones
SUBSCRIBE_S = 600.0  # a messenger drops a webhook that fails for hours

LEASE = Script(
    """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
)
RELEASE = Script(
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
)
_log = logs.get_logger(__name__)


async def run(resources: Resources, stop: asyncio.Event) -> None:
    """Keep every bot informed, and change phones that are due, until `stop`. Any number of processes may run
    this.
    """
    async with asyncio.TaskGroup() as group:
        group.create_task(_change_phones(resources, stop))
        for kind, bot in resources.channels.bots.items():
            group.create_task(_Ear(resources, kind, bot, stop).run())


async def recover(resources: Resources, was: str, phone: str, user_id: UUID | None, *, take: bool) -> str:
    """Let somebody in again, for an operator: what came of it, as a sentence. Runs as the app role.

    Raises:
        DomainError: nothing did.
    """
    number = phones.normalise(phone)
    found = await continuity.give_back(resources, phones.normalise(was), number, user_id, take=take)
    return f"{found} signs in with {logs.mask_phone(number)} from now on"


async def change_phones(resources: Resources) -> None:
    """Tell of pending changes of phones, and carry out those that are due."""
    await phone_changes.tell_old_phones(resources)
    await phone_changes.carry_out_due(resources)


async def _change_phones(resources: Resources, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await change_phones(resources)
        except Unavailable as error:  # a database that is away is away: a trace would tell nothing
            _log.warning("accounts.phones_not_changed", reason=error.code)
        except Exception as error:
            _log.error("accounts.phones_not_changed", exc_info=error)
        with suppress(TimeoutError):
            async with asyncio.timeout(CHANGES_S):
                await stop.wait()


class _Ear:
    """One bot's."""

    def __init__(self, resources: Resources, kind: ChannelKind, bot: BotChannel, stop: asyncio.Event) -> None:
        self._resources = resources
        self._kind = kind
        self._bot = bot
        self._stop = stop
        self._holder = secrets.token_hex(8)
        self._listens = False

    async def run(self) -> None:
        """Repeat until told to stop; more and more slowly while it fails."""
        polls = self._bot.webhook_secret is None
        failures = 0
        while not self._stop.is_set():
            try:
                pause = await (self._poll() if polls else self._subscribe())
                failures = 0
            except Exception as error:
                failures += 1
                pause = min(0.5 * 2**failures, LONGEST_PAUSE_S)
                self._listens = False
                self._report(error, failures)
            await self._rest(pause)
        if polls:
            with suppress(RedisError):  # the lease runs out by itself
                await RELEASE.run(self._resources.redis, keys=[self._lease], args=[self._holder])

    async def _subscribe(self) -> float:
        await self._bot.listen(self._url)
        return SUBSCRIBE_S

    async def _poll(self) -> float:
        """Poll once, if it is this process's turn; the seconds until the next time."""
        redis = self._resources.redis
        if not await LEASE.run(redis, keys=[self._lease], args=[self._holder, LEASE_MS]):
            self._listens = False
            return WAIT_S
        if not self._listens:
            await self._bot.listen(self._url)
            self._listens = True
        marker = await redis.get(self._marker)
        batch = await self._unless_stopped(None if marker is None else str(marker))
        if batch is None:
            return 0.0
        await self._act(batch)
        if batch.marker is not None:
            await redis.set(self._marker, batch.marker, ex=MARKER_S)
        return BETWEEN_S

    async def _unless_stopped(self, marker: str | None) -> Batch | None:
        """What a poll brings; None when the end comes first, for nothing is lost by not listening."""
        poll = asyncio.create_task(self._bot.poll(marker))
        end = asyncio.create_task(self._stop.wait())
        await asyncio.wait({poll, end}, return_when=asyncio.FIRST_COMPLETED)
        end.cancel()
        if not poll.done():
            poll.cancel()
            await asyncio.gather(poll, return_exceptions=True)
            return None
        return poll.result()

    async def _act(self, batch: Batch) -> None:
        """Chats beside each other, each in its order."""
        chats: dict[str, list[Update]] = defaultdict(list)
        for update in batch.updates:
            chats[update.chat].append(update)

        async def one_by_one(updates: list[Update]) -> None:
            for update in updates:
                await handshakes.act(self._resources, self._kind, update)

        async with asyncio.TaskGroup() as group:
            for updates in chats.values():
                group.create_task(one_by_one(updates))

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    def _report(self, error: Exception, failures: int) -> None:
        facts = {"channel": self._kind, "failures": failures}
        if isinstance(error, MessengerRefuses | RedisError):
            _log.warning("accounts.bot_deaf", reason=str(error), **facts)
        else:
            _log.error("accounts.bot_deaf", exc_info=error, **facts)

    @property
    def _url(self) -> str:
        return webhook_url(self._resources.addresses.public_url, self._kind)

    @property
    def _lease(self) -> str:
        return f"polling:{self._kind}"

    @property
    def _marker(self) -> str:
        return f"marker:{self._kind}:{self._bot.name}"
