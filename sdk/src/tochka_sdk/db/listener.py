"""`Listener`: notifications from PostgreSQL over one connection of its own, and the honest word whether it
hears.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg

from tochka_sdk import logs
from tochka_sdk.db.pools import with_scheme

_log = logs.get_logger(__name__)


class Listener:
    """Listens on one channel while `run` runs, and reconnects for as long as it takes.

    Args:
        dsn: the database; not through PgBouncer in transaction mode, which does not carry notifications.
        channel: the channel's name.
        on_notify: called with each payload.
        on_connect: called whenever listening (re)started: whatever was missed meanwhile is lost.
        heartbeat: seconds between proofs that the connection still lives.
    """

    def __init__(
        self,
        dsn: str,
        channel: str,
        *,
        on_notify: Callable[[str], None],
        on_connect: Callable[[], None],
        heartbeat: float = 5.0,
        application_name: str = "tochka-listener",
    ) -> None:
        self._dsn = with_scheme(dsn, "postgresql")
        self._channel = channel
        self._on_notify = on_notify
        self._on_connect = on_connect
        self._heartbeat = heartbeat
        self._application_name = application_name
        self.heard = asyncio.Event()
        """Set while nothing can be missed."""

    @property
    def is_listening(self) -> bool:
        """False whenever a notification could be missed."""
        return self.heard.is_set()

    async def run(self) -> None:
        """Listen until cancelled."""
        delay = 0.1
        while True:
            try:
                await self._listen()
                delay = 0.1
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("listener.away", channel=self._channel, reason=type(error).__name__)
            finally:
                self.heard.clear()
            await asyncio.sleep(delay)
            delay = min(delay * 2, 5.0)

    async def _listen(self) -> None:
        """One connection's life; returns when it ends."""
        connection = await asyncpg.connect(
            self._dsn, timeout=5.0, server_settings={"application_name": self._application_name}
        )
        ended = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _connection: self._end(ended))
            await connection.add_listener(self._channel, self._heard)
            self._on_connect()
            self.heard.set()
            while not ended.is_set():
                try:
                    await asyncio.wait_for(ended.wait(), self._heartbeat)
                except TimeoutError:
                    await connection.execute("SELECT 1", timeout=self._heartbeat)
        finally:
            self.heard.clear()
            connection.terminate()

    def _end(self, ended: asyncio.Event) -> None:
        self.heard.clear()
        ended.set()

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: Any) -> None:
        self._on_notify(str(payload))
