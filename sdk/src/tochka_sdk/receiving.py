"""For receivers that are not built with `Module(...)`: verify one request, or let FastAPI do it.

    keys = PublishedKeys.at("https://tochka.example")

    @app.post("/hook")
    async def hook(event: Annotated[Envelope, Depends(verified_event(keys, receiver="shop"))]) -> None: ...

The caller keeps repetitions out: an event's `sequence` and `id` are the same on every attempt, and its effect
belongs into one transaction with the note that it was there.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.requests import Request

from tochka_sdk import events, webhooks
from tochka_sdk.errors import Malformed, TooLarge
from tochka_sdk.events import Envelope
from tochka_sdk.keys import PublishedKeys

MAX_BODY = 256 * 1024


class MisdirectedEvent(Malformed):
    """422: the event is genuine, but meant for another receiver."""

    code = "events.misdirected"


def verify(body: bytes, headers: Mapping[str, str], keys: Sequence[str], *, receiver: str) -> Envelope:
    """The event in a signed request.

    Args:
        body: the raw bytes, as they came.
        headers: of the request, in any case.
        keys: `whpk_` keys of the platform (`tochka_whpk` in its `jwks.json`) for `v1a`, `whsec_` secrets of
            this receiver for `v1`, or both; one that fits is enough.
        receiver: the module's id, or the endpoint's. The platform signs all copies with one key, so a copy
            for somebody else is refused.

    Raises:
        tochka_sdk.webhooks.SignatureInvalid: 401, it does not prove that it comes from the platform.
        tochka_sdk.events.EventInvalid: 400, it is signed, but no event.
        MisdirectedEvent: 422, it is meant for another receiver.
    """
    secrets = [key for key in keys if key.startswith(webhooks.SECRET_PREFIX)]
    webhooks.verify(headers, body, public_keys=keys, secrets=secrets)
    return addressed(read(body, headers), receiver)


def read(body: bytes, headers: Mapping[str, str]) -> Envelope:
    """The event in a request that was verified. Raises `EventInvalid`."""
    envelope = events.parse(body)
    lowered = {name.lower(): value for name, value in headers.items()}
    if lowered.get("webhook-id") != envelope.id:
        raise events.EventInvalid("The event's id and the request's are not the same.")
    return envelope


def addressed(envelope: Envelope, receiver: str) -> Envelope:
    """The event, if it names this receiver. Raises `MisdirectedEvent`."""
    if envelope.receiver != receiver:
        raise MisdirectedEvent("The event is meant for another receiver.")
    return envelope


async def body_of(request: Request) -> bytes:
    """The raw body, cut off where it becomes too large. Raises `TooLarge`."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            raise TooLarge(f"An event has at most {MAX_BODY} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


def verified_event(
    keys: PublishedKeys | Sequence[str], *, receiver: str
) -> Callable[[Request], Awaitable[Envelope]]:
    """A FastAPI dependency: the verified event of a request.

    `keys` are those that the platform publishes, fetched and followed as they are rotated
    (`PublishedKeys.at(url)`, or a module's own), or fixed ones as `verify` takes them.

    What is wrong is raised as `verify` does, 413 beside it, and 503 while there is no key to look at a
    signature with. `tochka_sdk.problems.install(app)` answers it as a problem document; an application that
    answers its errors in a way of its own adds `problems.answer` for `DomainError` alone.
    """

    async def event(request: Request) -> Envelope:
        body = await body_of(request)
        if not isinstance(keys, PublishedKeys):
            return verify(body, request.headers, keys, receiver=receiver)
        await keys.verify_webhook(request.headers, body)
        return addressed(read(body, request.headers), receiver)

    return event
