"""`tochka keys rotate` beside a running stack: everything goes on, through a crash and a restart, too."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from tochka_sdk.key_rings import PUBLISHED_AHEAD_S, Rings
from tochka_stack.secret_files import KEYRING

from stack.tests.driver import Up, running, tochka, until

API = "/api/v1"
PHONE = "+79990001122"
CORE = ("core-web", "core-worker")


@dataclass
class Visitor:
    """Somebody who signs in once and then goes on and on."""

    client: httpx.Client
    refresh_token: str = ""
    count: int = 0
    failures: list[str] = field(default_factory=list)

    def sign_in(self) -> dict[str, Any]:
        """Ask for a code, read it, type it."""
        body = {"phone": PHONE, "channel": "max", "token_delivery": "body"}
        challenge = self.client.post(f"{API}/auth/challenges", json=body).json()["challenge_id"]
        (newest, *_) = self.client.get(f"{API}/dev/inbox", params={"phone": PHONE}).json()
        answer = self.client.post(f"{API}/auth/challenges/{challenge}/confirm", json={"code": newest["code"]})
        return self._take(answer)

    def refresh(self) -> dict[str, Any]:
        """Go on with the refresh token."""
        return self._take(self.client.post(f"{API}/auth/refresh", json={"refresh_token": self.refresh_token}))

    def _take(self, answer: httpx.Response) -> dict[str, Any]:
        answer.raise_for_status()
        body = dict(answer.json())
        self.refresh_token = body["refresh_token"]
        self.client.headers["Authorization"] = f"Bearer {body['access_token']}"
        return body

    def activate(self) -> str:
        """Have a shop, live: the module has understood what the core signed."""
        wanted = {"module": "shop", "subdomain": f"s{secrets.token_hex(6)}"}
        made = self.client.post(f"{API}/installations", json=wanted)
        assert made.status_code == 201, made.text
        told = self.client.get(f"{API}/installations/{made.json()['id']}/progress").text
        assert '"step":"live"' in told, told
        return str(made.json()["id"])

    def enter(self, installation_id: str, port: int) -> None:
        """Go into its admin with a ticket."""
        entry = self.client.post(f"{API}/installations/{installation_id}/session").json()
        url = httpx.URL(entry["action"])
        got = httpx.post(
            f"http://127.0.0.1:{port}{url.path}",
            headers={"Host": url.netloc.decode()},
            data={"ticket": entry["ticket"]},
            timeout=20,
        )
        assert got.status_code == 303, got.text

    def go_on(self, stop: threading.Event) -> None:
        """Ask again and again until told to stop."""
        while not stop.is_set():
            answer = self.client.get(f"{API}/me")
            self.count += 1
            if answer.status_code != 200:
                self.failures.append(f"{answer.status_code} {answer.text}")
            if self.count % 10 == 0:
                self.refresh()


@contextmanager
def going_on(visitor: Visitor) -> Iterator[None]:
    """The visitor goes on meanwhile."""
    stop = threading.Event()
    thread = threading.Thread(target=visitor.go_on, args=(stop,))
    thread.start()
    try:
        yield
        seen = visitor.count
        until(lambda: visitor.count > seen + 20 or not thread.is_alive(), "some more requests")
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join()


def put(up: Up, text: str) -> None:
    """Another file in the place of the running stack's rings, in one step."""
    file = up.data_dir.secrets.folder / KEYRING
    scratch = up.data_dir.root / "other-rings"
    scratch.write_text(text)
    scratch.chmod(0o600)
    scratch.rename(file)


def age(rings: Rings) -> Rings:
    """The same, as if they had been made long ago."""
    return Rings(
        *(
            replace(ring, keys=tuple(replace(key, since=key.since - PUBLISHED_AHEAD_S) for key in ring.keys))
            for ring in rings
        )
    )


def rotate(up: Up, *options: str) -> None:
    """Rotate as an operator does."""
    put(up, age(Rings.parse(up.data_dir.secrets[KEYRING])).render())
    done = tochka("keys", "rotate", *options, "--data-dir", str(up.data_dir.root))
    assert (done.returncode, done.stdout) == (0, "Rotated; taken by core-web and core-worker.\n"), done.stderr


def kids(visitor: Visitor) -> list[str]:
    """The names of the published token keys."""
    return [key["kid"] for key in visitor.client.get("/.well-known/jwks.json").json()["keys"]]


@pytest.mark.proof
def test_keys_are_rotated_beside_everything_that_runs(folder: Path) -> None:
    with running(folder) as up:
        base = f"http://127.0.0.1:{up.port}"
        with httpx.Client(base_url=base, headers={"Host": f"localhost:{up.port}"}, timeout=20) as client:
            visitor = Visitor(client)
            visitor.sign_in()
            first = visitor.activate()
            before = kids(visitor)
            with going_on(visitor):
                rotate(up)
                visitor.enter(visitor.activate(), up.port)
                visitor.enter(first, up.port)
                rotate(
                    up, "--only", "access"
                )  # the shop fetches keys every ten minutes: it knows no newer ones
            assert visitor.failures == []
            assert len(set(kids(visitor)) - set(before)) == 3
            assert "keyring.refused" not in up.text

            _survives_a_crash(up, visitor)
            _keeps_the_last_good_keys(up, visitor)
            signed = (visitor.client.headers["Authorization"], visitor.refresh_token)
        assert up.stop() == 0
    with running(folder, port=up.port), httpx.Client(base_url=base, timeout=20) as client:
        client.headers.update({"Host": f"localhost:{up.port}", "Authorization": signed[0]})
        again = Visitor(client, signed[1])
        assert client.get(f"{API}/me").status_code == 200
        again.refresh()
        again.enter(first, up.port)


def _survives_a_crash(up: Up, visitor: Visitor) -> None:
    """A process that is killed comes back with the keys of the file."""
    known = kids(visitor)
    before = [up.pid(part) for part in CORE]
    for pid in before:
        psutil.Process(pid).kill()
    until(lambda: not set(before) & set(_pids(up)) and len(_pids(up)) == len(CORE), "both are started again")
    until(lambda: {line["state"] for line in up.status().values()} == {"ready"}, "all is well again")
    assert kids(visitor) == known
    assert visitor.client.get(f"{API}/me").status_code == 200


def _pids(up: Up) -> list[int]:
    """The parts of the core that live: one that died is not on record until it is started again."""
    recorded = up.data_dir.recorded()
    return [recorded[part].pid for part in CORE if part in recorded]


def _keeps_the_last_good_keys(up: Up, visitor: Visitor) -> None:
    """A file that is spoiled is told of at the terminal, and nothing else happens."""
    known, text = kids(visitor), up.data_dir.secrets[KEYRING]
    put(up, "{}")
    until(lambda: up.text.count("keyring.refused") == 2, "both processes say so")
    assert kids(visitor) == known
    visitor.refresh()
    assert visitor.client.get(f"{API}/me").status_code == 200
    put(up, text)
