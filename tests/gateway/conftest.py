"""One gateway for all tests of this folder, with a core, a module and a panel of stubs behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.gateway.caddy import Gateway
from tests.gateway.upstreams import Addresses, Upstream, Upstreams

LANDING = "<!doctype html><title>landing</title>"
LANDING_EN = "<!doctype html><title>landing in English</title>"
PANEL = "<!doctype html><title>panel</title>"


@dataclass(frozen=True)
class House:
    """A gateway and everything behind it."""

    gateway: Gateway
    upstreams: Upstreams
    public: Upstream
    private: Upstream
    module: Upstream
    addresses: Addresses

    def live(self, label: str) -> str:
        """Make `<label>.localhost` an address of the module; gives the host."""
        return self.becomes(label, 200, self.module.address)

    def becomes(self, label: str, status: int, upstream: str = "") -> str:
        """Make the core answer so for `<label>.localhost`; gives the host."""
        host = f"{label}.localhost"
        self.addresses.known[host] = (status, upstream)
        return host


def panel_files(folder: Path) -> Path:
    """A built panel as small as it gets."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(LANDING)
    (folder / "index.en.html").write_text(LANDING_EN)
    (folder / "app.html").write_text(PANEL)
    (folder / "assets" / "app-3f9c1a.js").write_text("console.log('panel');" * 200)
    (folder / "assets" / "app-3f9c1a.css").write_text("body{margin:0}")
    (folder / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return folder


@pytest.fixture(scope="session")
def house_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The processes, started once."""
    folder = tmp_path_factory.mktemp("gateway")
    upstreams = Upstreams()
    try:
        public, private, module = (upstreams.start(name) for name in ("core", "private", "module"))
        addresses = Addresses()
        private.answers["/internal/resolve"] = addresses.resolve
        environment = {
            "TOCHKA_GATEWAY_STATE": str(folder / "a state"),
            "TOCHKA_CORE_PUBLIC": public.address,
            "TOCHKA_CORE_PRIVATE": private.address,
            "TOCHKA_PANEL_DIR": str(panel_files(folder / "a panel")),
            "TOCHKA_GATEWAY_API_BODY": "4KB",
            "TOCHKA_GATEWAY_STOREFRONT_BODY": "64KB",
        }
        with Gateway(environment) as gateway:
            yield House(gateway, upstreams, public, private, module, addresses)
    finally:
        upstreams.close()


@pytest.fixture
def house(house_for_all: House) -> House:
    """The gateway with everything behind it as if new: nothing seen, no address known, nobody misbehaving."""
    house_for_all.addresses.known.clear()
    for upstream in (house_for_all.public, house_for_all.private, house_for_all.module):
        upstream.seen.clear()
        upstream.cut.clear()
    house_for_all.public.answers.clear()
    house_for_all.module.answers.clear()
    house_for_all.private.answers = {"/internal/resolve": house_for_all.addresses.resolve}
    return house_for_all


@pytest.fixture
def gateway(house: House) -> Gateway:
    """Just the gateway."""
    return house.gateway
