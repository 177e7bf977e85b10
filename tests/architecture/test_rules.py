"""The rules of the house that no linter knows: transactions, queries, sizes, relations."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.sources import ROOT, Source, everything, product

MAX_FILE, MAX_FUNCTION, MAX_TSX = 400, 40, 250
DOORS = ("sdk/src/tochka_sdk/db", "stack/src/tochka_stack/")
QUERY_FILES = ("repository.py", "migrations.py", "migrate.py")
STATEMENT = re.compile(
    r"^\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s*(\(|AS\s))",
    re.IGNORECASE,
)
HTTP_CLIENTS = {"aiohttp", "httpx", "pyreqwest", "requests", "urllib3", "urllib.request", "http.client"}
HTTP_IN_SDK = {"sdk/src/tochka_sdk/core_client.py", "sdk/src/tochka_sdk/check.py"}
BUILDERS = {"select", "insert", "update", "delete", "text"}


def _functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _own_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body without its docstring: explaining at length is not a fault."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _is_door(source: Source) -> bool:
    return source.path.startswith(DOORS)


def _may_query(source: Source) -> bool:
    return _is_door(source) or source.name in QUERY_FILES or "/repository/" in source.path


def test_no_python_file_is_longer_than_400_lines() -> None:
    assert [f"{s.path}: {s.lines}" for s in everything() if s.lines > MAX_FILE] == []


def test_no_function_is_longer_than_40_lines() -> None:
    long = [
        f"{source.path}:{node.lineno} {node.name}: {_own_lines(node)}"
        for source in product()
        for node in _functions(source)
        if _own_lines(node) > MAX_FUNCTION
    ]
    assert long == []


def test_no_component_file_is_longer_than_250_lines() -> None:
    paths = list((ROOT / "core-frontend/src").rglob("*.tsx"))
    long = [str(p.relative_to(ROOT)) for p in paths if p.read_text("utf-8").count("\n") > MAX_TSX]
    assert long == []


def test_only_the_doors_end_a_transaction() -> None:
    found = [
        f"{source.path}:{node.lineno}"
        for source in product()
        if not _is_door(source)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"commit", "rollback"}
    ]
    assert found == []


def test_queries_stand_in_repositories() -> None:
    found = []
    for source in product():
        if _may_query(source):
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
                allowed = {"text"} if source.name == "models.py" else set()  # conditions of indexes, defaults
                built = {alias.name for alias in node.names} & BUILDERS - allowed
                found += [f"{source.path}:{node.lineno} {name}" for name in sorted(built)]
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENT.match(node.value):
                found.append(f"{source.path}:{node.lineno} {node.value[:40]!r}")
    assert found == []


def test_the_text_of_a_query_is_constant() -> None:
    """No f-string, `%`, `+` or `.format` makes text in a repository."""
    repositories = [s for s in product() if s.name == "repository.py" or "/repository/" in s.path]
    assert [at for source in repositories for at in _made_texts(source)] == []


def test_made_texts_are_noticed() -> None:
    ways = (
        'f"SELECT {x}"',
        '"SELECT " + x',
        "HEAD + x",
        '"SELECT %s" % x',
        '"SELECT {}".format(x)',
        "HEAD.format(x)",
    )
    for way in ways:
        assert _made_texts(Source("repository.py", way, ast.parse(way))), way


def _made_texts(source: Source) -> list[str]:
    """Where text is put together."""
    return [
        f"{source.path}:{node.lineno}"
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.JoinedStr) and _is_statement(node))
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod) and _has_text(node))
        or (isinstance(node, ast.Attribute) and node.attr in {"format", "format_map"})
    ]


def _is_statement(node: ast.JoinedStr) -> bool:
    head = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    return STATEMENT.match(head) is not None


def _has_text(node: ast.BinOp) -> bool:
    """One of its sides is a string, or a constant of the module by its name."""
    return any(
        (isinstance(side, ast.Constant) and isinstance(side.value, str))
        or (isinstance(side, ast.Name) and side.id.isupper())
        for side in (node.left, node.right)
    )


def test_only_edges_speak_http_to_the_outside() -> None:
    """`tasks.py` and `adapters.py`; in the SDK its client of the core, and its check."""
    found = [
        f"{source.path}:{node.lineno}"
        for source in product()
        if source.name not in {"tasks.py", "adapters.py"}
        and "/adapters/" not in source.path
        and source.path not in HTTP_IN_SDK
        and "/testing/" not in source.path
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and HTTP_CLIENTS & set(_imported(node))
    ]
    assert found == []


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """What an import names, as modules: `http.client`, and `http` as well."""
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [node.module or "", *(f"{node.module}.{name}" for name in names)]
    for name in names:
        parts = name.split(".")
        yield from (".".join(parts[: count + 1]) for count in range(len(parts)))


def test_a_transaction_ends_before_the_answer_is_sent() -> None:
    """What opens something for a request (a generator) is a dependency of the function's scope."""
    found = []
    for source in product():
        openers = {
            node.name for node in _functions(source) if any(isinstance(n, ast.Yield) for n in ast.walk(node))
        }
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Depends" and node.args:
                scopes = [ast.unparse(word.value) for word in node.keywords if word.arg == "scope"]
                if ast.unparse(node.args[0]) in openers and scopes != ["'function'"]:
                    found.append(f"{source.path}:{node.lineno}")
    assert found == []


def test_streams_and_sleeps_are_not_synchronisation_in_tests() -> None:
    """`time.sleep` never stands in a test; `asyncio.sleep` only inside a loop that polls for a condition."""
    found = []
    for source in everything():
        if "/tests/" not in f"/{source.path}":
            continue
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith(
                "test_"
            ):
                continue
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and ast.unparse(call.func) in {"time.sleep", "sleep"}:
                    found.append(f"{source.path}:{call.lineno}")
    assert found == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    marks = re.compile(r"mark\.(skip|skipif|xfail)\b|pytest\.(skip|xfail|importorskip)\(")
    own = "tests/architecture/test_rules.py"
    found = [source.path for source in everything() if source.path != own and marks.search(source.text)]
    assert found == []


def test_roles_are_compared_in_one_place() -> None:
    """What a role may do stands in `tenants/roles.py`: nothing else of the core asks what a role is."""
    places = [
        source
        for source in product()
        if source.path.startswith("core-backend/") and not source.path.endswith("tenants/roles.py")
    ]
    assert [at for source in places for at in _judged_roles(source)] == []


def test_a_judged_role_is_noticed() -> None:
    for way in ('member.role == "owner"', "member.role in MANAGERS", 'role != "staff"', '"admin" in held'):
        assert _judged_roles(Source("service.py", way, ast.parse(way))), way
    for way in ("standing.role is None", "held[user_id] != role"):
        assert not _judged_roles(Source("service.py", way, ast.parse(way))), way


def _judged_roles(source: Source) -> list[str]:
    """Where a role decides something."""
    return [
        f"{source.path}:{node.lineno}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Compare)
        and not all(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops)
        and any(_is_role(side) for side in (node.left, *node.comparators))
    ]


def _is_role(node: ast.expr) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "role") or (
        isinstance(node, ast.Constant) and node.value in ("owner", "admin", "staff")
    )


def test_every_slice_file_is_named_for_a_layer() -> None:
    odd = {
        str(path.relative_to(CORE))
        for path in sorted(CORE.glob("*/*.py"))
        if path.stem not in LAYERS | {"__init__"}
    }
    assert odd == MATTERS


CORE = ROOT / "core-backend/src/tochka_core"
LAYERS = {
    *("api", "tasks", "adapters", "public", "service", "repository", "models", "schemas", "events", "errors")
}
MATTERS = {
    *(f"audit/{name}.py" for name in ("checkpoints", "seals", "verification")),
    *(f"accounts/{name}.py" for name in ("browsers", "budgets", "challenges", "code_scripts")),
    *(f"accounts/{name}.py" for name in ("codes", "continuity", "cookies", "guesses", "handshakes")),
    *(f"accounts/{name}.py" for name in ("inbox", "passwords", "phone_changes", "phones")),
    *(f"accounts/{name}.py" for name in ("reauthentication", "refresh_tokens", "tokens")),
    *(f"channels/{name}.py" for name in ("gateway", "inbox", "max", "port", "sms", "telegram")),
    "domains/labels.py",
    "endpoints/secrets.py",
    "outbox/versions.py",
    "installations/activation.py",
    *(f"outbound/{name}.py" for name in ("addresses", "breakers", "gate", "gates")),
    *(f"outbound/{name}.py" for name in ("judging", "urls")),
    *(f"tenants/{name}.py" for name in ("invitations", "members", "roles")),
    *(f"webhooks/{name}.py" for name in ("admission", "metrics", "schedules", "sending")),
}
"""Files of a slice that are named for one matter of its service instead of a layer."""
