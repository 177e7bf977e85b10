"""The composition root: the only file that knows every slice."""

from pathlib import Path

from fastapi import FastAPI
from starlette.requests import HTTPConnection
from starlette.responses import Response
from tochka_sdk.module import Module
from tochka_sdk.problems import Problem
from tochka_sdk.runtime import Runtime

from tochka_shop.admin.api import frame as desk
from tochka_shop.admin.api import router as admin
from tochka_shop.pages.problem import concerns_the_platform, problem_page
from tochka_shop.pictures.public import Pictures
from tochka_shop.provisioning import tasks
from tochka_shop.storefront.api import frame as counter
from tochka_shop.storefront.api import router as storefront

MANIFEST = Path(__file__).parent / "tochka-module.json"
CSP = (
    "default-src 'none'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
UPLOAD = 130 * 1024 * 1024  # twelve pictures of ten megabytes, so that one too heavy gets a sentence


class _Running:
    """Where the application learns its uploads folder once it has started."""

    def __init__(self) -> None:
        self._app: FastAPI | None = None
        self.pictures = Pictures(self._uploads_dir)

    def build(self, app: FastAPI) -> None:
        self._app = app
        app.state.pictures = self.pictures

    def _uploads_dir(self) -> Path:
        if self._app is None:
            raise RuntimeError("the module has not been started")
        runtime: Runtime = self._app.state.tochka
        return runtime.settings.uploads_dir


def _page(request: HTTPConnection, problem: Problem) -> Response | None:
    """What a browser sees when something went wrong; None leaves it to the SDK."""
    if concerns_the_platform(problem):
        return None
    return (
        desk.problem_page(request, problem)
        or counter.problem_page(request, problem)
        or problem_page(request, problem)
    )


def compose() -> Module:
    """The shop as a module."""
    running = _Running()
    module = Module(
        id="shop",
        manifest=MANIFEST,
        routers=[admin, storefront],
        build=running.build,
        page=_page,
        csp=CSP,
        max_body=256 * 1024,
        body_limits={"/admin/products/": UPLOAD},
    )
    tasks.register(module, running.pictures)
    return module
