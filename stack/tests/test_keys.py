"""`tochka keys`: the rings of the core's keys turn in one step, whatever it is interrupted by."""

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tochka_sdk.key_rings import PUBLISHED_AHEAD_S, PURPOSES, Rings
from tochka_sdk.tokens import generate_key
from tochka_sdk.webhooks import generate_keypair
from tochka_stack.data_dir import DataDir
from tochka_stack.keys import rotate
from tochka_stack.refusals import NotPermitted, Refusal
from tochka_stack.secret_files import BEFORE_RINGS, KEYRING, KINDS

from stack.tests.driver import refused, tochka


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    """A data directory with its secrets, whose next keys were published long ago."""
    opened = DataDir(tmp_path / "data")
    opened.open()
    opened.ensure_secrets()
    aged = [
        replace(ring, keys=tuple(replace(key, since=key.since - PUBLISHED_AHEAD_S) for key in ring.keys))
        for ring in rings_of(opened)
    ]
    path(opened).write_text(Rings(*aged).render())
    return opened


def path(data_dir: DataDir) -> Path:
    """The file of the rings."""
    return data_dir.secrets.folder / KEYRING


def rings_of(data_dir: DataDir) -> Rings:
    """The rings as they are now."""
    return Rings.parse(path(data_dir).read_text())


def active(rings: Rings) -> list[str]:
    """The names of the keys that sign."""
    return [ring.active.name for ring in rings]


def following(rings: Rings) -> list[str]:
    """The names of the keys that will sign next."""
    return [ring.following.name for ring in rings if ring.following is not None]


def test_the_next_keys_sign_after_a_rotation(data_dir: DataDir) -> None:
    before = rings_of(data_dir)
    done = tochka("keys", "rotate", "--data-dir", str(data_dir.root))
    assert (done.returncode, done.stdout) == (0, "Rotated; nothing runs that could take them now.\n")
    after = rings_of(data_dir)
    assert active(after) == following(before)
    assert [[key.state for key in ring.keys] for ring in after] == [["active", "next", "retired"]] * 4
    assert path(data_dir).stat().st_mode & 0o777 == 0o600
    assert {found.name for found in data_dir.secrets.folder.iterdir()} == set(KINDS)

    shown = tochka("keys", "show", "--data-dir", str(data_dir.root)).stdout
    for ring in after:
        for key in ring.keys:
            assert any(
                {ring.purpose, key.state, key.name} <= set(line.split()) for line in shown.splitlines()
            ), shown
            assert key.private not in shown


def test_a_second_rotation_waits_until_everybody_has_heard_of_the_next_keys(data_dir: DataDir) -> None:
    rotate(data_dir, (), at_once=False, leaked=False)
    before = path(data_dir).read_text()
    code, sentence = refused("keys", "rotate", "--data-dir", str(data_dir.root))
    assert (code, "has to be published for" in sentence) == (1, True)
    assert path(data_dir).read_text() == before
    done = tochka("keys", "rotate", "--now", "--only", "license", "--data-dir", str(data_dir.root))
    assert done.returncode == 0, done.stderr
    old, new = Rings.parse(before), rings_of(data_dir)
    assert (new.access, new.webhook) == (old.access, old.webhook)
    assert active(new)[1] == following(old)[1]


def test_leaked_keys_are_thrown_away_at_once(data_dir: DataDir) -> None:
    rotate(data_dir, (), at_once=False, leaked=False)
    before = rings_of(data_dir)
    done = tochka("keys", "rotate", "--leaked", "--data-dir", str(data_dir.root))
    assert done.returncode == 0, done.stderr
    names = {key.name for ring in rings_of(data_dir) for key in ring.keys}
    assert names.isdisjoint(key.name for ring in before for key in ring.keys)
    assert rings_of(data_dir).dropped == (before.audit.active.jwk.as_dict(private=False)["x"],)
    rotate(data_dir, (), at_once=True, leaked=False)
    assert len(rings_of(data_dir).dropped) == 1


def test_what_cannot_be_rotated_is_refused_and_left_alone(data_dir: DataDir, tmp_path: Path) -> None:
    before = path(data_dir).read_text()
    command = ("keys", "rotate", "--data-dir", str(data_dir.root))
    code, sentence = refused(*command, "--only", "peppers")
    assert (code, sentence) == (2, "--only is 'peppers': it must be access, license, webhook, audit.")
    assert path(data_dir).read_text() == before
    path(data_dir).write_text(before[:-9])
    code, sentence = refused(*command)
    assert (code, "cannot be used: the key rings are no JSON" in sentence) == (5, True)
    assert path(data_dir).read_text() == before[:-9]
    assert "✗ keys: The keys in" in tochka("doctor", "--data-dir", str(data_dir.root)).stdout
    assert tochka(*command, "--leaked").returncode == 0
    assert rings_of(data_dir).access.following is not None
    code, _ = refused("keys", "rotate", "--data-dir", str(tmp_path / "nowhere"))
    assert code == 5


KILLED = """
import os, signal, sys
from pathlib import Path
from tochka_stack.data_dir import DataDir
from tochka_stack.keys import rotate

step, left = sys.argv[2], int(sys.argv[3])
def deadly(real):
    def call(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)
    return call
if step == "rename":
    Path.rename = deadly(Path.rename)
else:
    setattr(os, step, deadly(getattr(os, step)))
rotate(DataDir(Path(sys.argv[1])), (), at_once=True, leaked=False)
"""
STEPS = [("open", 1), ("open", 2), ("fdopen", 1), ("fsync", 1), ("rename", 1), ("open", 3), ("fsync", 2)]


@pytest.mark.parametrize(("step", "number"), STEPS)
def test_a_rotation_that_is_killed_in_the_middle_has_happened_or_not(
    data_dir: DataDir, step: str, number: int
) -> None:
    before = rings_of(data_dir)
    code = subprocess.run(
        [sys.executable, "-c", KILLED, str(data_dir.root), step, str(number)], check=False, timeout=60
    ).returncode
    assert code == -signal.SIGKILL
    after = rings_of(data_dir)
    assert active(after) in (active(before), following(before))
    data_dir.ensure_secrets()
    rotate(data_dir, (), at_once=True, leaked=False)
    assert active(rings_of(data_dir)) == following(after)
    assert {found.name for found in data_dir.secrets.folder.iterdir()} == set(KINDS)


def test_rotations_at_the_same_moment_happen_one_after_the_other(data_dir: DataDir) -> None:
    with ThreadPoolExecutor(4) as pool:
        turned = list(pool.map(lambda _: rotate(data_dir, PURPOSES, at_once=True, leaked=False), range(4)))
    assert len({rings.access.active.name for rings in turned}) == 4
    assert [[key.state for key in ring.keys] for ring in rings_of(data_dir)] == [
        ["active", "next", *["retired"] * 4]
    ] * 4


def _as_before(data_dir: DataDir) -> dict[str, str]:
    """The secrets of a version that had one file per signing key."""
    values = [json.dumps(generate_key().as_dict(private=True)) for _ in range(2)]
    old = dict(zip(BEFORE_RINGS, [*values, generate_keypair()[0]], strict=True))
    for name, value in old.items():
        (data_dir.secrets.folder / name).write_text(f"{value}\n")
        (data_dir.secrets.folder / name).chmod(0o600)
    path(data_dir).unlink()
    made = sorted({*KINDS, *BEFORE_RINGS} - {KEYRING})
    data_dir.write("secrets.json", {"made": made})
    return old


def test_keys_of_an_older_version_go_on_in_rings(data_dir: DataDir) -> None:
    old = _as_before(data_dir)
    data_dir.ensure_secrets()
    rings = rings_of(data_dir)
    assert [json.loads(ring.active.private) for ring in list(rings)[:2]] == [
        json.loads(value) for value in list(old.values())[:2]
    ]
    assert rings.webhook.active.private == old["core-webhook-key"]
    assert len(following(rings)) == 4
    assert {found.name for found in data_dir.secrets.folder.iterdir()} == set(KINDS)
    with pytest.raises(Refusal, match="has to be published"):
        rotate(data_dir, (), at_once=False, leaked=False)


def test_rings_of_an_older_version_get_one_for_the_audit_trail(data_dir: DataDir) -> None:
    before = rings_of(data_dir)
    document = json.loads(before.render())
    del document["audit"]
    path(data_dir).write_text(json.dumps(document))
    data_dir.ensure_secrets()
    after = rings_of(data_dir)
    assert list(after)[:3] == list(before)[:3]
    assert [key.state for key in after.audit.keys] == ["active", "next"]
    assert path(data_dir).stat().st_mode & 0o777 == 0o600
    data_dir.ensure_secrets()
    assert rings_of(data_dir) == after


@pytest.mark.parametrize("name", BEFORE_RINGS)
def test_a_key_of_an_older_version_that_is_lost_is_not_made_anew(data_dir: DataDir, name: str) -> None:
    _as_before(data_dir)
    (data_dir.secrets.folder / name).unlink()
    with pytest.raises(NotPermitted, match=name):
        data_dir.ensure_secrets()
    assert not path(data_dir).exists()
