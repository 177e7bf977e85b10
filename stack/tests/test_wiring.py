"""What the operator's own environment says is said to the processes, over what the stack tells them."""

from pathlib import Path

from tochka_stack.data_dir import DataDir
from tochka_stack.settings import read
from tochka_stack.wiring import Wiring

PORTS = {"core": 1, "core_private": 2, "core_worker": 3, "shop": 4}


def test_the_operators_word_counts_over_the_stacks(tmp_path: Path) -> None:
    said = {
        "TOCHKA_CORE_WEBHOOK_PRIVATE_ADDRESSES": "false",
        "TOCHKA_CORE_POOL_SIZE": "9",
        "TOCHKA_MODULE_UPLOADS_DIR": "/srv/uploads",
        "TOCHKA_GATEWAY_FORM_TARGETS": "https://*.shops.example",
    }
    data_dir = DataDir(tmp_path / "data")
    data_dir.open()
    data_dir.ensure_secrets()
    settings = read(data_dir=data_dir.root, port=5, environment=said)
    wiring = Wiring(settings, data_dir, PORTS, "postgresql://x@127.0.0.1:6/x", "redis://127.0.0.1:7/0")
    parts = (wiring.core_web(), wiring.core_worker(), wiring.shop(), wiring.gateway())
    told = [dict(part.command().environment) for part in parts]
    for name, value in said.items():
        assert value in {one.get(name) for one in told}, name
    assert all(one["PATH"] == settings.path for one in told)
