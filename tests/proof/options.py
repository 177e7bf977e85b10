"""What a run of the long tests can be told by environment. Read here and nowhere else.

TOCHKA_PROOF_SEED   the seed of everything that is left to chance, to have a run's choices again
TOCHKA_PROOF_LOGS   a folder where the logs of every stack are left; without it they are removed with the rest
"""

import os
import random
from pathlib import Path

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("TOCHKA_")}  # noqa: TID251  tests have no settings
SEED = int(os.environ.get("TOCHKA_PROOF_SEED") or random.SystemRandom().randrange(10**6))  # noqa: TID251  tests have no settings
LOGS = Path(os.environ["TOCHKA_PROOF_LOGS"]) if os.environ.get("TOCHKA_PROOF_LOGS") else None  # noqa: TID251  tests have no settings
