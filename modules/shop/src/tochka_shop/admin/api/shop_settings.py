"""Settings: what the shop is called, how it is reached, how goods are handed over."""

from dataclasses import fields

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response
from tochka_sdk.module import InstallationSession

from tochka_shop.admin.api.frame import PAGE, CurrentDesk, ManagerDesk, SentForm, go, phrase, show
from tochka_shop.admin.schemas import Desk
from tochka_shop.locales.catalogs import LANGUAGES
from tochka_shop.locales.formats import DEFAULT_OFFSET, OFFSETS
from tochka_shop.money import roubles_for_form
from tochka_shop.pages.forms import Form
from tochka_shop.settings import public as settings
from tochka_shop.settings.schemas import ACCENTS, SettingsRead

router = APIRouter(prefix="/admin/settings", default_response_class=HTMLResponse)


@router.api_route("", methods=PAGE)
async def read_settings(request: Request, desk: CurrentDesk) -> Response:
    """The form; staff may read it."""
    return _page(request, desk, Form(), _values(desk.shop))


@router.post("")
async def save_settings(
    request: Request, form: SentForm, session: InstallationSession, desk: ManagerDesk
) -> Response:
    """Save the form."""
    wanted = _read(form)
    if not form.is_valid:
        values: dict[str, object] = {field.name: form.raw(field.name) for field in fields(SettingsRead)}
        return _page(request, desk, form, values)
    await settings.change(session, wanted)
    return go("/admin/settings", "saved")


def _read(form: Form) -> SettingsRead:
    email = form.line("email", limit=120)
    if email and ("@" not in email[1:-1] or " " in email):
        form.refuse("email", "form.not_an_email")
    offset = form.choice("utc_offset", [str(minutes) for minutes in OFFSETS], str(DEFAULT_OFFSET))
    pickup, delivery = form.flag("pickup_enabled"), form.flag("delivery_enabled")
    return SettingsRead(
        name=form.line("name", limit=60, required=True),
        tagline=form.line("tagline", limit=140),
        about=form.prose("about", limit=5000),
        accent=form.choice("accent", ACCENTS, ACCENTS[0]),
        locale=form.choice("locale", LANGUAGES, LANGUAGES[0]),
        utc_offset=int(offset),
        phone=form.phone("phone"),
        email=email,
        hours=form.line("hours", limit=120),
        legal_details=form.prose("legal_details", limit=1000),
        pickup_enabled=pickup,
        pickup_address=form.line("pickup_address", limit=200),
        delivery_enabled=delivery,
        delivery_price=form.roubles("delivery_price"),
        delivery_note=form.line("delivery_note", limit=200),
    )


def _values(shop: SettingsRead) -> dict[str, object]:
    stored: dict[str, object] = {field.name: getattr(shop, field.name) for field in fields(SettingsRead)}
    return {**stored, "delivery_price": roubles_for_form(shop.delivery_price)}


def _page(request: Request, desk: Desk, form: Form, values: dict[str, object]) -> Response:
    return show(
        request,
        desk,
        "settings",
        phrase(desk, "desk.settings"),
        status=422 if form.errors else 200,
        form=form,
        values=values,
        accents=ACCENTS,
        offsets=OFFSETS,
    )
