"""Structured logs: one JSON object per line, with request, tenant and user, and without secrets."""

import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import nullcontext, suppress
from functools import lru_cache, partial
from typing import Any, TextIO

import orjson
import structlog

REDACTED = "[redacted]"
_SECRET_KEYS = re.compile(
    r"(^|_)(authorization|cookie|otp|password|pepper|secret|ticket|token|private_key|signing_key|session)s?$"
)
_CODE_VALUE = re.compile(r"\d{3,10}")
_PHONE_KEYS = re.compile(r"(^|_)phone(_number)?$")
_PHONE = re.compile(r"(?<![\w+])\+\d{10,15}(?!\d)")
_BEARER = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|wh(?:sec|sk)_[A-Za-z0-9+/=]{8,}")
_QUIET = ("uvicorn.access", "httpx", "httpcore", "asyncio")


def mask_phone(phone: str) -> str:
    """A phone that can be recognised by its owner and by nobody else: `+79991234567` becomes
    `+7******4567`.
    """
    digits = phone.strip()
    if len(digits) < 8:
        return "*" * len(digits)
    return f"{digits[:2]}{'*' * (len(digits) - 6)}{digits[-4:]}"


def redact(value: Any, key: str = "") -> Any:
    """`value` as it may be logged under `key`: no secrets, no one-time codes, phones masked, at any depth."""
    match value:
        case str():
            return _redact_text(value, key)
        case bytes():
            return f"<{len(value)} bytes>"
        case Mapping():
            return {str(name): redact(item, str(name).lower()) for name, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [redact(item, key) for item in value]
        case _:
            return value


def _redact_text(value: str, key: str) -> str:
    kind = _kind(key)
    if kind == "secret" or (key == "code" and _CODE_VALUE.fullmatch(value)):
        return REDACTED if value else value
    if kind == "phone":
        return mask_phone(value)
    if "+" in value:
        value = _PHONE.sub(lambda match: mask_phone(match[0]), value)
    return _BEARER.sub(REDACTED, value) if "eyJ" in value or "wh" in value else value


@lru_cache(maxsize=1024)
def _kind(key: str) -> str:
    """What stands under a key, by its name. Every line asks, of the same few."""
    return "secret" if _SECRET_KEYS.search(key) else "phone" if _PHONE_KEYS.search(key) else ""


def _redacted(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor of `redact`; internals of structlog (leading underscore) pass."""
    for key in list(event):
        if not key.startswith("_"):
            event[key] = redact(event[key], key.lower())
    return event


def _dumps(event: Any, **_options: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to standard error as it is when the line is written, also when it was replaced meanwhile."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # an attribute of the base
        """Standard error now."""
        return sys.stderr


class _Lines:
    """Where our own lines go: to the handler's stream as they are, past the records that the standard library
    makes of lines, which cost more than the rest.
    """

    def __init__(self, handler: logging.StreamHandler[TextIO], name: str = "") -> None:
        self.name = name
        self._handler = handler

    def write(self, line: str) -> None:
        """Write a line. One that cannot be written fails nothing of what it tells."""
        with self._handler.lock or nullcontext(), suppress(OSError, ValueError):
            self._handler.stream.write(line + self._handler.terminator)
            self._handler.flush()

    debug = info = warning = error = critical = write


def _renderer(*, json: bool) -> structlog.types.Processor:
    if json:
        return structlog.processors.JSONRenderer(serializer=_dumps)
    plain = structlog.dev.plain_traceback  # the rich one shows local variables, and takes seconds
    return structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)


def _told_of(on_error: Callable[[BaseException], object]) -> structlog.types.Processor:
    """A processor that hands on the exceptions of errors, before they become text."""

    def report(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        given = event.get("exc_info")
        error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
        if error is not None and event.get("level") in {"error", "critical"}:
            on_error(error)
        return event

    return report


def configure(
    service: str,
    *,
    level: str = "INFO",
    json: bool = True,
    stream: TextIO | None = None,
    on_error: Callable[[BaseException], object] | None = None,
) -> None:
    """Send every log of this process, structlog's and the standard library's, to one stream.

    Args:
        service: stands in every line as `service` ("core-web", "shop").
        level: the lowest level that is written ("DEBUG", "INFO", "WARNING", "ERROR").
        json: one JSON object per line; otherwise lines for people.
        stream: where to; the default is standard error.
        on_error: called with every exception that is logged as an error, for example
            `sentry_sdk.capture_exception`.
    """

    def named(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("service", service)
        return event

    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        *([_told_of(on_error)] if on_error is not None else ()),
        structlog.processors.format_exc_info,
        named,
        _redacted,
    ]
    renderer = _renderer(json=json)
    handler = logging.StreamHandler(stream) if stream is not None else _Stderr()
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=partial(_Lines, handler),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger; configured or not, it may be made at import time."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(name)
    return logger
