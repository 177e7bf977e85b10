"""What a page may do, read out of its headers and its text: nothing inline runs but what a hash allows."""

import base64
import hashlib
import re
from collections.abc import Mapping
from html.parser import HTMLParser

DATA = {"application/json", "application/ld+json"}  # kinds of <script> that do not run
NAMES_ONLY = {"canonical", "alternate"}  # kinds of <link> that load nothing
LOOSE = {
    "'unsafe-inline'",
    "'unsafe-eval'",
    "'unsafe-hashes'",
    "'strict-dynamic'",
    "*",
    "data:",
    "http:",
    "https:",
}


class _Contents(HTMLParser):
    """The inline scripts and styles of a page, its handlers, and where its sources are."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self.handlers: list[str] = []
        self.style_attributes: list[str] = []
        self.sources: list[str] = []
        self._open: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag runs or loads."""
        given = dict(attrs)
        self.handlers += [name for name in given if name.startswith("on")]
        self.style_attributes += [value or "" for name, value in attrs if name == "style"]
        if tag in {"script", "img", "iframe", "link"} and given.get("rel") not in NAMES_ONLY:
            self.sources += [value for name in ("src", "href") if (value := given.get(name))]
        self.handlers += [text for text in given.values() if text and text.lower().startswith("javascript:")]
        runs = tag == "script" and "src" not in given and given.get("type") not in DATA
        if tag == "style" or runs:
            self.inline[tag].append("")
            self._open = tag

    def handle_endtag(self, tag: str) -> None:
        """End of what was being collected."""
        if tag == self._open:
            self._open = None

    def handle_data(self, data: str) -> None:
        """Collect."""
        if self._open is not None:
            self.inline[self._open][-1] += data


def policy_of(headers: Mapping[str, str]) -> dict[str, set[str]]:
    """The directives of a Content-Security-Policy."""
    parts = (part.split() for part in headers["content-security-policy"].split(";") if part.strip())
    return {name: set(sources) for name, *sources in parts}


def require_locked(headers: Mapping[str, str]) -> dict[str, set[str]]:
    """Check the headers that every answer has; the policy is handed back."""
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] in {"no-referrer", "same-origin", "strict-origin-when-cross-origin"}
    policy = policy_of(headers)
    assert policy["default-src"] == {"'none'"}
    for name in ("base-uri", "frame-ancestors"):
        assert policy[name] == {"'none'"}
    assert "form-action" in policy
    scripts = policy.get("script-src", set())
    assert not scripts & LOOSE
    assert all(source == "'self'" or source.startswith("'sha256-") for source in scripts)
    return policy


def require_safe_page(headers: Mapping[str, str], page: str) -> None:
    """Check a page: everything inline is allowed by its hash, nothing comes from another host."""
    policy = require_locked(headers)
    contents = _Contents(page)
    assert contents.handlers == []
    for kind, texts in contents.inline.items():
        allowed = policy.get(f"{kind}-src", set())
        for text in texts:
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in allowed, f"an inline {kind} that no hash allows: {text[:80]}"
    assert contents.style_attributes == [] or "'unsafe-inline'" in policy["style-src"]
    foreign = [source for source in contents.sources if not re.match(r"data:|/(?!/)", source)]
    assert foreign == []
