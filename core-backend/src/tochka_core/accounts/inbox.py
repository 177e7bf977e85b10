"""The development inbox as a page: what would have gone out over MAX and Telegram. Never in production."""

import ipaddress
import re
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from starlette.requests import Request
from tochka_sdk.errors import NotFound

from tochka_core.accounts import phones
from tochka_core.accounts.errors import PhoneInvalid, PhoneNotMobile
from tochka_core.channels.schemas import InboxMessage

OWN_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
CSP = (
    "default-src 'none'; img-src data:; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
CHANNELS = {"max": "MAX", "telegram": "Telegram"}

PAGE = """<!doctype html>
<html lang="ru">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<title>Входящие для разработки</title>
<link rel="stylesheet" href="/dev/inbox.css">
<link rel="icon" href="data:,">
</head>
<body>
<main>
<h1>Входящие для разработки</h1>
<p class="about">Сообщения, которые ушли бы в MAX и Telegram. Новые сверху; страница обновляется сама.</p>
<form action="/dev/inbox" method="get" role="search">
<label for="phone">Телефон</label>
<input id="phone" name="phone" type="tel" value="{phone}" placeholder="+7 999 123-45-67" autocomplete="off">
<button>Показать</button>
<a href="/dev/inbox">Все</a>
</form>
{messages}
</main>
</body>
</html>
"""
MESSAGE = """<article>
<header><a href="/dev/inbox?phone={query}">{phone}</a> <span class="channel">{channel}</span>
<time datetime="{sent_at}">{time} UTC</time></header>
<p class="code">{code}</p>
<p>{text}</p>
</article>"""
EMPTY = '<p class="empty">Сообщений пока нет.</p>'

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; background: Canvas; color: CanvasText; }
main { max-width: 40rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.4rem; margin: 0; }
.about, .empty, time { color: color-mix(in srgb, CanvasText 65%, Canvas); }
.about { margin: .25rem 0 1.25rem; }
form { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center; margin-bottom: 1.25rem; }
input, button { font: inherit; padding: .45rem .8rem; border: 1px solid GrayText; border-radius: .5rem; }
input { flex: 1 1 12rem; }
button { border-color: transparent; background: #2456c6; color: #fff; }
article { border: 1px solid color-mix(in srgb, CanvasText 20%, Canvas); border-radius: .75rem;
  padding: .9rem 1.1rem; margin-bottom: .9rem; }
article header { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; }
article p { margin: .35rem 0 0; }
time { margin-left: auto; font-size: .875rem; }
.channel { font-size: .8rem; padding: .05rem .5rem; border-radius: 1rem;
  background: color-mix(in srgb, CanvasText 10%, Canvas); }
article .code { font: 600 2.4rem/1.2 ui-monospace, monospace; letter-spacing: .12em; user-select: all; }
"""


def require_loopback(request: Request) -> None:
    """Show nothing to another machine, nor to a foreign name that was made to point at this one.

    Raises:
        NotFound: as if there were no such page.
    """
    host = request.headers.get("host", "")
    if not (OWN_HOST.fullmatch(host) and request.client and _is_loopback(request.client.host)):
        raise NotFound("There is nothing here.")


def _is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return bool((mapped or ip).is_loopback)


def wanted_phone(typed: str | None) -> str | None:
    """The phone to show; a + that the query string turned into a space is put back."""
    if typed is None or not typed.strip():
        return None
    text = f"+{typed[1:]}" if typed.startswith(" ") else typed
    try:
        return phones.normalise(text)
    except (PhoneInvalid, PhoneNotMobile):
        return text.strip()


def render(messages: Sequence[InboxMessage], phone: str | None) -> str:
    """The page."""
    shown = "\n".join(_article(message) for message in messages)
    return PAGE.format(phone=escape(phone or ""), messages=shown or EMPTY)


def _article(message: InboxMessage) -> str:
    return MESSAGE.format(
        query=quote(message.phone),
        phone=escape(message.phone),
        channel=CHANNELS[message.channel],
        sent_at=message.sent_at.isoformat(),
        time=message.sent_at.strftime("%H:%M:%S"),
        code=escape(message.code),
        text=escape(message.text),
    )
