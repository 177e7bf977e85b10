"""For receivers that are not built with `Module(...)`: verify one request, or let FastAPI do it.

    @app.post("/hook")
    async def hook(event: Annotated[Envelope, Depends(verified_event(keys, receiver="shop"))]) -> None: ...

The caller keeps repetitions out: an event's `id` is the same on every attempt, and its effect belongs into
one transaction with the note that it was seen.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.requests import Request

from tochka_sdk import events, webhooks
from tochka_sdk.errors import Malformed, TooLarge
from tochka_sdk.events import Envelope
from tochka_sdk.keys import PlatformKeys

MAX_BODY = 256 * 1024


class MisdirectedEvent(Malformed):
    """422: the event is genuine, but meant for another receiver."""

    code = "events.misdirected"


def receive(
    headers: Mapping[str, str],
    body: bytes,
    *,
    receiver: str,
    public_keys: Sequence[str] = (),
    secrets: Sequence[str] = (),
) -> Envelope:
    """The event in a signed request.

    Args:
        headers: of the request, in any case.
        body: the raw bytes.
        receiver: the module's id, or the endpoint's: a copy for somebody else is refused.
        public_keys: `whpk_` keys of the platform (`tochka_whpk` in its JWKS), for `v1a`.
        secrets: `whsec_` secrets of this receiver, for `v1`.

    Raises:
        SignatureInvalid: 401, it does not prove that it comes from the platform.
        EventInvalid: 400, it is no event.
        MisdirectedEvent: 422, it is meant for another receiver.
    """
    webhooks.verify(headers, body, public_keys=public_keys, secrets=secrets)
    return read(headers, body, receiver=receiver)


def read(headers: Mapping[str, str], body: bytes, *, receiver: str) -> Envelope:
    """The event in a request that was verified. Raises as `receive` does."""
    lowered = {name.lower(): value for name, value in headers.items()}
    envelope = events.parse(body)
    if lowered.get("webhook-id") != envelope.id:
        raise events.EventInvalid("The event's id and the request's are not the same.")
    if envelope.receiver != receiver:
        raise MisdirectedEvent("The event is meant for another receiver.")
    return envelope


def verified_event(keys: PlatformKeys, *, receiver: str) -> Callable[[Request], Awaitable[Envelope]]:
    """A FastAPI dependency: the verified event of a request, by `v1a` and the platform's published keys.

    What is wrong is raised as a `DomainError`; `tochka_sdk.problems.install(app)` answers it cleanly.
    """

    async def dependency(request: Request) -> Envelope:
        chunks, size = [], 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_BODY:
                raise TooLarge(f"An event has at most {MAX_BODY} bytes.")
            chunks.append(chunk)
        body = b"".join(chunks)
        await keys.verify_webhook(request.headers, body)
        return read(request.headers, body, receiver=receiver)

    return dependency
