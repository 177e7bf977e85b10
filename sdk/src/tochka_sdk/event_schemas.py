"""What SDKs in other languages are generated from: `python -m tochka_sdk.event_schemas` prints one document.

`envelope` is the schema of the envelope, `data` that of every event's body by type; `commands` and
`tenant_wide` are the types of these kinds. All are JSON Schema 2020-12.
"""

import json
import sys
from typing import Any

from tochka_sdk.events import COMMANDS, EVENTS, TENANT_WIDE, Envelope


def document() -> dict[str, Any]:
    """The document. Its order is that of the code, so that it changes only with what it says."""
    return {
        "envelope": Envelope.model_json_schema(),
        "data": {type: model.model_json_schema() for type, model in EVENTS.items()},
        "commands": [type for type in EVENTS if type in COMMANDS],
        "tenant_wide": [type for type in EVENTS if type in TENANT_WIDE],
    }


def main() -> None:
    """Print it."""
    json.dump(document(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
