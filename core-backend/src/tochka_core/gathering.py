"""A client of Redis that sends what many ask for at the same moment in one go."""

import asyncio
from typing import Any, NamedTuple

from redis.asyncio import Redis


class _Asked(NamedTuple):
    """A command of somebody who waits for the answer."""

    command: tuple[Any, ...]
    options: dict[str, Any]
    answer: "asyncio.Future[Any]"


class GatheringRedis(Redis):
    """One round trip at a time, with all that was asked for meanwhile: most of a command's cost is the way.
    Each has its own answer, or its own refusal; a server that is away is away for all who wait.

    Not for commands that wait for something to happen: they would keep the others waiting.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._asked: list[_Asked] = []
        self._sending: asyncio.Task[None] | None = None

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """The answer to one command."""
        asked = _Asked(args, options, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return await asked.answer

    async def _send(self) -> None:
        try:
            while self._asked:
                together, self._asked = self._asked, []
                try:
                    answers = await self._answers(together)
                except Exception as error:
                    together, self._asked = together + self._asked, []
                    answers = [error] * len(together)
                _hand_out(together, answers)
        finally:
            self._sending = None

    async def _answers(self, together: list[_Asked]) -> list[Any]:
        pipeline = self.pipeline(transaction=False)
        for asked in together:
            pipeline.execute_command(*asked.command, **asked.options)
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers


def _hand_out(together: list[_Asked], answers: list[Any]) -> None:
    for asked, answer in zip(together, answers, strict=True):
        if asked.answer.done():
            continue  # nobody waits for it any more
        if isinstance(answer, Exception):
            asked.answer.set_exception(answer)
        else:
            asked.answer.set_result(answer)
