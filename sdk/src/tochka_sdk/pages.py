"""The few pages that the SDK itself shows to a browser: small, plain, in the visitor's language."""

import base64
import hashlib
from html import escape

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response

from tochka_sdk.problems import Problem

_TEXTS = {
    "ru": {
        400: ("Не получилось", "Запрос не удалось понять."),
        401: ("Нужно войти", "Войдите в админку из панели Точки Роста: ссылка для входа одноразовая."),
        403: ("Доступ закрыт", "Сейчас эта страница недоступна."),
        404: ("Ничего не найдено", "По этому адресу ничего нет."),
        405: ("Не получилось", "Так эту страницу открыть нельзя."),
        413: ("Слишком большой файл", "Загрузите файл поменьше."),
        429: ("Слишком часто", "Подождите немного и попробуйте снова."),
        503: ("Скоро вернёмся", "Сервис ненадолго недоступен. Обновите страницу через минуту."),
        0: ("Что-то пошло не так", "Мы уже знаем об этом. Попробуйте ещё раз чуть позже."),
    },
    "en": {
        400: ("That did not work", "The request could not be understood."),
        401: ("Please sign in", "Enter the admin from your Tochka Rosta panel: the link works once."),
        403: ("Closed", "This page is not available at the moment."),
        404: ("Nothing here", "There is nothing at this address."),
        405: ("That did not work", "This page cannot be opened that way."),
        413: ("Too large", "Please choose a smaller file."),
        429: ("Too often", "Please wait a moment and try again."),
        503: ("Back soon", "The service is away for a moment. Please reload in a minute."),
        0: ("Something went wrong", "We know about it. Please try again a little later."),
    },
}
_BACK = {"ru": "В панель", "en": "To the panel"}
_STYLE = (
    "body{font:18px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;"
    "background:#f6f7f9;color:#1c2430}main{max-width:28rem;padding:2rem}h1{font-size:1.6rem;margin:0 0 .5rem}"
    "a{color:#1b5fd0}small{color:#667085}"
    "@media(prefers-color-scheme:dark){body{background:#14181f;color:#e6e9ee}a{color:#8ab4ff}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CSP = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def language_of(request: HTTPConnection) -> str:
    """`ru` or `en`: whichever `Accept-Language` names first; Russian when it names neither."""
    for part in request.headers.get("accept-language", "").split(","):
        tag = part.strip().lower()[:2]
        if tag in _TEXTS:
            return tag
    return "ru"


def problem_page(request: HTTPConnection, problem: Problem, *, panel_url: str = "") -> Response:
    """The page of a problem. The problem's own wording is for programs; people read ours."""
    language = language_of(request)
    texts = _TEXTS[language]
    title, text = texts.get(problem.status, texts[0])
    request_id = str(problem.as_dict()["request_id"])
    link = ""
    if problem.status in {401, 403} and panel_url.startswith(("http://", "https://")):
        link = f'<p><a href="{escape(panel_url)}">{_BACK[language]}</a></p>'
    html = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="robots" content="noindex">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><h1>{title}</h1><p>{text}</p>{link}"
        f"<small>{escape(request_id)}</small></main></body></html>"
    )
    headers = {**problem.headers, "Cache-Control": "no-store", "Content-Security-Policy": CSP}
    return HTMLResponse(html, problem.status, headers)
