"""SMS over whatever HTTP interface the operator's provider has: the request is told by the settings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from tochka_core.channels.adapters import Answer, Http
from tochka_core.channels.schemas import Accepted, Carrier, Finding, Message, Outcome, Rejected

PLACES = re.compile(r"\{(phone|digits|text|code|reference)\}")


@dataclass(frozen=True)
class SmsRequest:
    """One request as the provider wants it; `{phone}`, `{digits}`, `{text}`, `{code}`, `{reference}` are
    filled in wherever a text of `body` holds them.

    `success` is `member=value` of the JSON that comes back when the message was taken; empty: any 2xx.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    encoding: Literal["json", "form"] = "json"
    success: str = ""


@dataclass(frozen=True)
class Sms:
    """One provider."""

    http: Http
    request: SmsRequest
    carrier: Carrier = "sms"

    async def send(self, message: Message) -> Outcome:
        """Send once."""
        filled = fill(self.request.body, message)
        body = {self.request.encoding: filled}
        answer = await self.http.call("POST", self.request.url, headers=self.request.headers, **body)
        return self._judge(answer)

    def _judge(self, answer: Answer) -> Outcome:
        if not answer.is_success:
            return answer.failure()
        if not self.request.success:
            return Accepted()
        name, _, wanted = self.request.success.partition("=")
        if answer.field(name) is None:
            return answer.failure()
        return Accepted() if str(answer.field(name)) == wanted else Rejected(f"{name} is not {wanted}")

    async def check(self) -> Finding:
        """Nothing can be asked of a provider that nobody knows."""
        host = urlsplit(self.request.url).hostname  # keys stand in addresses
        return Finding(True, f"set up for {host}; only a real message would tell more")


def fill(template: Any, message: Message) -> Any:
    """`template` with its places filled in; what is filled in is text and never read as a template."""
    values = {
        "phone": message.phone,
        "digits": message.phone.removeprefix("+"),
        "text": message.text,
        "code": message.code,
        "reference": message.reference,
    }
    match template:
        case str():
            return PLACES.sub(lambda place: values[place[1]], template)
        case Mapping():
            return {name: fill(value, message) for name, value in template.items()}
        case list():
            return [fill(value, message) for value in template]
        case _:
            return template
