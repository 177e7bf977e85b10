"""What a run of the browser tests can be told by environment. Read here and nowhere else.

TOCHKA_CHROMIUM     the program to drive, or `packaged` for the one from the npm registry; else one that the
                    system has; else the packaged one
TOCHKA_STACK_URL    a running stack to use, e.g. http://localhost:8080; else one is started on a free port
TOCHKA_IMAGES       a folder for the README's pictures, e.g. docs/images; else none are written
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "artifacts"
ENVIRONMENT = dict(os.environ)  # noqa: TID251  tests have no settings

CHROMIUM = ENVIRONMENT.get("TOCHKA_CHROMIUM")
STACK_URL = ENVIRONMENT.get("TOCHKA_STACK_URL")
IMAGES = Path(ENVIRONMENT["TOCHKA_IMAGES"]) if ENVIRONMENT.get("TOCHKA_IMAGES") else None
