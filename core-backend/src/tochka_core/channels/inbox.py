"""The development inbox: messages that would have gone out, kept in Redis for a page to show."""

import json
from dataclasses import dataclass

from redis.asyncio import Redis
from tochka_sdk import clock

from tochka_core.channels.schemas import (
    Accepted,
    Carrier,
    ChannelKind,
    Finding,
    InboxMessage,
    Message,
    Outcome,
)
from tochka_core.scripts import Script

INBOX_TTL_S = 24 * 3600
INBOX_MOST = (20, 100)  # of one phone, of all
PUT = Script(
    """
for number, key in ipairs(KEYS) do
  redis.call('LPUSH', key, ARGV[1])
  redis.call('LTRIM', key, 0, ARGV[2 + number] - 1)
  redis.call('EXPIRE', key, ARGV[2])
end
"""
)


@dataclass(frozen=True, slots=True)
class DevelopmentInbox:
    """Shows what would have gone out over the messenger."""

    kind: ChannelKind
    redis: Redis
    carrier: Carrier = "inbox"

    async def send(self, message: Message) -> Outcome:
        """Put the message on top of its phone's list and of the list of all."""
        shown = {
            "phone": message.phone,
            "channel": self.kind,
            "text": message.text,
            "code": message.code,
            "sent_at": clock.now().isoformat(),
        }
        line = json.dumps(shown, ensure_ascii=False)
        keys = [_key(message.phone), _key()]
        await PUT.run(self.redis, keys=keys, args=[line, INBOX_TTL_S, *INBOX_MOST])
        return Accepted()

    async def check(self) -> Finding:
        """It always works."""
        return Finding(True, "the development inbox")


def _key(phone: str | None = None) -> str:
    return "{inbox}:all" if phone is None else f"{{inbox}}:of:{phone}"


async def read_inbox(redis: Redis, phone: str | None) -> list[InboxMessage]:
    """What went to a phone, or to all, newest first."""
    lines = await redis.lrange(_key(phone), 0, -1)
    return [InboxMessage.model_validate_json(line) for line in lines]
