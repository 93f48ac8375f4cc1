"""Rules of safety that a reader of the source can check: who may call out, what reaches a database, what is masked."""

import ast
import dataclasses
import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import SecretStr

import bot
import storage
import webhooks
from bot.settings import Settings

ROOT = Path(__file__).parents[1]
OURS = ("bot", "webhooks", "storage")
CALLING_OUT = {
    "aiohttp", "ftplib", "http.client", "httpx", "imaplib", "poplib", "requests", "smtplib", "socket", "telnetlib",
    "urllib.request", "urllib3", "websockets", "xmlrpc", "slack_sdk.webhook",
}  # fmt: skip
MAY_CALL_OUT = {
    "bot/doctor/arriving.py": "our own address, PUBLIC_URL, to see whether the world reaches it",
    "bot/heartbeat.py": "HEARTBEAT_URL, the operator's watch",
    "bot/replay.py": "the server that the person at the terminal names",
    "bot/socket_mode.py": "nobody by itself: it reads the websocket that bot/slack.py opened on Slack's own host",
    "bot/setup/reaching.py": "our own address, as the person who sets it up typed it",
    "bot/slack.py": "Slack's API at SLACK_API_URL, and answer addresses on Slack's own host",
    "webhooks/thumbtack/": "Thumbtack's APIs at the addresses of the settings",
}
RUNS_CODE = {"eval", "exec", "compile", "__import__", "loads", "load", "system", "popen", "Popen", "check_output"}


def trees(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Each call by the last part of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=called) | ast.Attribute(attr=called):
                    yield called, node


def imported(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


# Going out


def may_call_out(path: str) -> bool:
    return any(path.startswith(allowed) for allowed in MAY_CALL_OUT)


def test_only_the_two_clients_can_call_anybody():
    calling = {path for path, tree in trees(*OURS) if imported(tree) & CALLING_OUT}
    assert {path for path in calling if not may_call_out(path)} <= LISTENERS_OF_THEIR_OWN
    assert "bot/slack.py" in calling


LISTENERS_OF_THEIR_OWN: set[str] = {"bot/server.py"}
"""Import `socket` to be called, not to call."""


NEVER_ELSEWHERE = {
    "follows a redirect": ({"follow_redirects", "allow_redirects", "max_redirects"}, lambda value: value is not False),
    "switches the check of certificates off": ({"verify", "ssl", "verify_ssl"}, lambda value: value is False),
}
"""What no call of ours may say, by the names of arguments, and of which values (that of what is no constant is `...`)."""


@pytest.mark.parametrize("what", NEVER_ELSEWHERE)
def test_nobody(what: str):
    names, is_said = NEVER_ELSEWHERE[what]
    told = [
        (path, call.lineno, keyword.arg)
        for path, tree in trees(*OURS)
        for _, call in calls(tree)
        for keyword in call.keywords
        if keyword.arg in names and is_said(keyword.value.value if isinstance(keyword.value, ast.Constant) else ...)
    ]
    assert told == []


# Into the database

RAW = {"text", "exec_driver_sql", "literal_column", "executescript", "executemany", "fetch", "fetchrow", "fetchval"}
ALSO = {"execute"}
COMPOSED = {
    "storage/appending.py": "the table's and the columns' names, and as many marks as there are values",
    "storage/columns.py": "a word of an enum of ours, for the condition of a partial index",
    "storage/database.py": "constants of that file: a lock's number and SQLite's pragmas",
    "storage/one_hop.py": "SQLite's pragma of the time-out, a whole number of ours",
    "storage/models/base.py": "the condition of an index, a constant of the row's class",
}


def is_fixed(node: ast.expr) -> bool:
    """Text that stands there as it is, or anything that is no text at all (a statement that SQLAlchemy made)."""
    composed = (ast.JoinedStr, ast.BinOp)
    formatted = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"
    return not isinstance(node, composed) and not formatted


def statements() -> Iterator[tuple[str, str, ast.expr]]:
    """(path, what is called, its first argument) where SQL could be written by hand."""
    for path, tree in trees("storage"):
        for called, call in calls(tree):
            if called in RAW | ALSO and call.args:
                yield path, called, call.args[0]


def test_sql_is_written_as_it_is_or_by_sqlalchemy():
    """A value that is put into the text of a statement is an injection; `text()` takes nothing but a constant."""
    composed = {
        path
        for path, called, first in statements()
        if not is_fixed(first) or (called == "text" and not isinstance(first, ast.Constant))
    }
    assert composed <= set(COMPOSED)


HOLES = {
    "storage/appending.py": {
        "', '.join(COLUMNS)", "_TABLE.name", "_marks(mark, count, count + 1)", "ids", "mark", "one", "rows",
    },
    "storage/columns.py": {"value.value"},
    "storage/database.py": {"ALTERING", "pragma"},
    "storage/one_hop.py": {"milliseconds"},
}  # fmt: skip
"""What may stand in a hole of a statement: names that are constants, and marks for values, never a value."""


def test_what_is_composed_is_composed_of_constants():
    for path, tree in trees("storage"):
        strings = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) and is_sql(node)]
        holes = {ast.unparse(part.value) for node in strings for part in node.values if is_hole(part)}
        assert holes <= HOLES.get(path, set()), path


def is_hole(part: ast.expr) -> bool:
    return isinstance(part, ast.FormattedValue)


def is_sql(node: ast.JoinedStr) -> bool:
    said = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant)).upper()
    return any(word in said for word in ("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "PRAGMA ", "VACUUM", " IN ("))


def test_no_row_is_found_by_a_pattern_that_somebody_typed_unescaped():
    """`LIKE` gives % and _ a meaning: SQLAlchemy escapes them only when it is asked to."""
    loose = {
        f"{path}: {ast.unparse(call)}"
        for path, tree in trees("storage")
        for called, call in calls(tree)
        if called in {"like", "ilike", "contains", "startswith", "endswith", "icontains", "istartswith"}
        and not {"autoescape", "escape"} & {keyword.arg for keyword in call.keywords}
        and not (call.args and isinstance(call.args[0], ast.Constant))
    }
    assert loose <= NO_PATTERNS


NO_PATTERNS = {
    "storage/customers.py: held.thumbtack_id.startswith(NAMELESS)",  # a str's, as the others without col()
    "storage/erasing.py: col(Outbox.lane).startswith(_posts(erasure_id))",  # a number of ours
    "storage/rotating.py: value.startswith(FERNET)",
    "storage/routing.py: matter.zip_code.startswith(rule.zip_prefix)",
    "storage/searching.py: stored.contains(digits[-OF_A_NUMBER:])",  # nothing but digits
}


# Running code


def test_nothing_from_outside_is_run_or_unpickled():
    assert [path for path, tree in trees(*OURS) if imported(tree) & {"pickle", "marshal", "shelve", "subprocess"}] == []
    run = [
        (path, called)
        for path, tree in trees(*OURS)
        for called, call in calls(tree)
        if called in RUNS_CODE and not is_reader(call) and not is_compiled(called, call)
    ]
    assert run == []


def is_compiled(called: str, call: ast.Call) -> bool:
    """A pattern, or a statement of SQLAlchemy's, which gives its SQL by a method of that name."""
    return called == "compile" and (is_of(call, "re") or is_of(call, "statement"))


def is_of(call: ast.Call, module: str) -> bool:
    return (
        isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == module
    )


def is_reader(call: ast.Call) -> bool:
    """JSON, our own `load` functions, and the settings'."""
    if isinstance(call.func, ast.Name):
        return call.func.id == "load"
    return isinstance(call.func, ast.Attribute) and call.func.attr in {"load", "loads"}


# Secrets

SECRETS = ("password", "secret", "token", "_keys", "_key")


def test_every_setting_that_is_a_secret_is_masked():
    for name, field in Settings.model_fields.items():
        if any(f"_{word}".endswith(word) and word in name for word in SECRETS):
            assert SecretStr.__name__ in str(field.annotation), f"{name} is shown as it is"
    assert Settings.model_fields["database_url"].repr is False


HOLDS_SECRETS = {"password", "passwords", "secret", "token", "access_token", "refresh_token", "verifier", "keys"}


def values() -> list[type]:
    """Every frozen value of ours."""
    found = []
    for package in (bot, webhooks, storage):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." in module.name:
                continue
            for _, one in inspect.getmembers(import_module(module.name), inspect.isclass):
                if dataclasses.is_dataclass(one) and one.__module__ == module.name:
                    found.append(one)
    return found


SEALED = {"storage.connections.Granted", "storage.connections.Left"}
"""Values whose fields of such a name hold what only the vault can read."""


def test_no_value_shows_its_secrets():
    found = {f"{value.__module__}.{value.__qualname__}": value for value in values()}
    open_ones = {
        name
        for name, value in found.items()
        for one in dataclasses.fields(value)
        if one.name in HOLDS_SECRETS and one.repr
    }
    assert len(found) > 100
    assert open_ones - SEALED == set()


# The paper


def test_the_threat_model_names_tests_that_exist_for_every_row():
    paper = (ROOT / "docs/threat-model.md").read_text()
    rows = [line for line in paper.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 10
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row.rsplit(" | ", 1)[1])
        assert named, row
        for path, function in named:
            assert f"def {function}(" in (ROOT / path).read_text(), f"{path}::{function}"
