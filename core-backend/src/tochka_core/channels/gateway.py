"""Telegram Gateway: codes to a phone number by Telegram itself, for money (core.telegram.org/gateway/api)."""

from collections.abc import Mapping
from dataclasses import dataclass

from tochka_core.channels.adapters import Answer, Http
from tochka_core.channels.schemas import Accepted, Carrier, Finding, Message, Outcome, Rejected

TTL_S = 300  # refunded when it is not delivered by then; the code is dead by then, too
NOBODY = "0"


@dataclass(frozen=True)
class TelegramGateway:
    """One account. `sender` is a verified channel of its owner, or empty."""

    http: Http
    token: str
    api_url: str
    sender: str = ""
    carrier: Carrier = "messenger"

    async def send(self, message: Message) -> Outcome:
        """Send our own code. Nothing makes a repetition harmless here: each is paid for."""
        if not message.code:
            return Rejected("carries codes only")
        body = {
            "phone_number": message.phone,
            "code": message.code,
            "ttl": TTL_S,
            "payload": message.reference,
            **({"sender_username": self.sender} if self.sender else {}),
        }
        answer = await self._call("sendVerificationMessage", body)
        if answer.is_success and answer.field("ok") is True:
            return Accepted()
        if answer.is_success and answer.field("ok") is False:
            return Rejected(str(answer.field("error")))
        return answer.failure(answer.field("error"))

    async def check(self) -> Finding:
        """Ask after a message that there is not: a good token is told so, and pays nothing."""
        answer = await self._call("checkVerificationStatus", {"request_id": NOBODY})
        reason = str(answer.field("error") or answer.error or f"status {answer.status}")
        if reason.startswith("REQUEST_ID"):
            return Finding(True, "the token is known")
        return Finding(False, f"Telegram Gateway answers {answer.status or 'nothing'}: {reason}")

    async def _call(self, method: str, body: Mapping[str, object]) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.http.call("POST", f"{self.api_url}/{method}", headers=headers, json=body)
