"""The papers and the code say the same, and the house rules hold that no linter knows."""

import ast
import re
import tokenize
import tomllib
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.papers import (
    PACKAGES,
    ROOT,
    broken_links,
    coded,
    committed,
    every_row,
    first,
    first_lines,
    leaves,
    name,
    papers,
    parsed,
    prose,
    rows,
    sources,
    spoken,
    text,
    unknown_in,
)

from bot import jobs, settings
from bot.app import create_app
from bot.cli import main as cli
from bot.dispatch.kinds import KINDS
from bot.failures import SLACK_LATER
from bot.listeners.commands import COMMAND, VERBS
from bot.metrics import SLACKS, Metrics
from bot.replies import MARKS
from bot.settings import Settings
from storage.measuring import Measured, Queue
from storage.models import Generation, ReplyState
from storage.outbox import Kind
from webhooks import problems
from webhooks.thumbtack.errors import RateLimited

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
LONGEST_FILE = 300
"""Lines of code: neither blank, nor comment, nor docstring."""
LONGEST_FUNCTION = 60
"""Lines from `def` to its end, docstring and all."""

# Written in pieces, so that this file does not hold what it looks for.
REGISTRIES = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "crates" + ".io", "ruby" + "gems.org")
MACHINE_PATH = re.compile(r"(?<![\w./:-])/(?:" + "work|root|home|Users" + r")/\w")
SHARED = "../" + "shared"
# A number of another project's tracker is fine where that project is named before it (slackapi/bolt-js issue 2509).
OUR_TRACKER = re.compile(
    r"(?P<theirs>[\w.-]+/[\w.-]+,?[\s#]+)?(?:\b(?:issue|ticket)s?\s+(?:no\.?\s*)?#?\d+|(?<![\w&/\"'(])#\d{1,4}\b)",
    re.IGNORECASE,
)


# Settings


def shown(value: Any) -> str:
    """A default as a person would type it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case float():
            return f"{value:g}"
        case tuple():
            return ("," if all(isinstance(one, int) for one in value) else " ").join(map(str, value))
        case _:
            return str(value)


def defaults() -> dict[str, str]:
    return {field.upper(): shown(info.default) for field, info in Settings.model_fields.items()}


def test_the_table_of_settings_is_complete_and_true():
    told = {coded(row[0])[0]: "" if row[1] == "none" else coded(row[1])[0] for row in every_row("docs/settings.md")}
    assert told == defaults()
    assert list(told) == re.findall(r"^([A-Z_]+)=", text(".env.example"), re.MULTILINE)


def test_the_example_of_settings_is_complete_and_true():
    lines = [line for line in text(".env.example").splitlines() if line and not line.startswith("#")]
    assert dict(line.split("=", 1) for line in lines) == defaults()


def test_the_example_of_settings_can_be_read_as_it_is():
    assert Settings(_env_file=ROOT / ".env.example") == Settings(_env_file=None)


# Commands


def test_every_command_that_the_papers_name_exists_with_its_options():
    said = list(spoken("corkboard"))
    assert len(said) > 10
    assert {one: unknown_in(one[1]) for one in said if unknown_in(one[1])} == {}


def test_every_command_is_on_the_operators_page():
    said = [command for _, command in spoken("corkboard", among=[ROOT / "docs/operating.md"])]
    assert [
        leaf for leaf in leaves(cli, "corkboard") if not any(f"{one} ".startswith(f"{leaf} ") for one in said)
    ] == []


def test_what_make_can_do_is_in_the_papers_and_the_reverse():
    targets = set(re.findall(r"^([a-z]+):.*##", text("Makefile"), re.MULTILINE))
    said = {command.split()[1] for _, command in spoken("make") if len(command.split()) > 1}
    assert said <= targets
    assert targets - said == set()


def test_every_verb_is_on_the_teams_page_and_no_other_is_promised():
    said = {verb for path in papers() for verb in re.findall(rf"`{COMMAND} ([a-z-]+)", path.read_text())}
    assert said == set(VERBS)
    assert all(f"`{COMMAND} {verb}`" in text("docs/using.md") for verb in VERBS)


# What people see, and what operators read


def test_the_teams_page_explains_every_mark():
    assert set(MARKS) == set(ReplyState)
    told = [coded(row[0])[0] for row in rows("docs/using.md", "What the marks mean")]
    assert sorted(told) == sorted({mark for mark in MARKS.values() if mark})


def test_every_route_and_refusal_is_documented(sqlite_url):
    app = create_app(settings.load(_env_file=None, database_url=sqlite_url))
    served = {route.path.removeprefix("/staging") for route in app.routes}
    assert sorted(set(first("docs/webhooks.md", "Addresses"))) == sorted(served)
    told = {coded(row[0])[0]: row[1] for row in rows("docs/webhooks.md", "Refusals")}
    assert told == {reason: str(meaning.status) for reason, meaning in problems.REASONS.items()}


def exposed() -> dict[str, tuple[str, str]]:
    """Every metric of ours with its type and labels, as it is exposed once everything happened."""
    full = Metrics()
    full.accepted("/v1/lead", seconds=0.1)
    full.ingested(seconds=0.1)
    full.delivered("post_lead", news_since=NOW, now=NOW)
    full.retried("post_lead", "ratelimited")
    full.died("post_lead", "odd_error")
    full.socket_failed("invalid_auth")
    full.job_failed("prune")
    queue = Queue(waiting=0, oldest=None, dead=0)
    measured = Measured(
        inbox=queue,
        outbox=queue,
        parked=0,
        held_channels=0,
        connections={"active": 1},
        granted={Generation.V4: NOW},
        last_webhook_at=NOW,
        socket_connections=0,
        back_at=NOW,
        unsteady_since=None,
        silent=0,
    )
    found = {}
    for line in full.written(measured, now=NOW).decode().splitlines():
        if told := re.fullmatch(r"# TYPE (corkboard_\w+) (\w+)", line):
            metric, kind = told.groups()
            found[metric] = (kind, "none")
        elif not line.startswith("#") and line.startswith("corkboard_"):
            labels = set(re.findall(r"(\w+)=", line)) - {"le"}
            found[metric] = (kind, ", ".join(f"`{label}`" for label in sorted(labels)) or "none")
    return found


def test_every_metric_is_documented():
    told = {coded(row[0])[0]: (row[1], row[2]) for row in rows("docs/operating.md", "Metrics")}
    assert told == exposed()


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(text("docs/alerts.yml"))["groups"] for rule in group["rules"]]


def test_every_alert_is_documented():
    told = [(coded(row[0])[0], row[1]) for row in rows("docs/operating.md", "Alerts")]
    assert told == [(rule["alert"], rule["labels"]["severity"]) for rule in alerts()]
    assert {severity for _, severity in told} == {"page", "ticket"}
    for rule in alerts():
        assert re.fullmatch(r"\d+[mh]", rule["for"]), rule
        assert rule["annotations"]["summary"].endswith("."), rule


def test_alerts_speak_of_every_metric_and_of_no_other():
    """A metric that no rule reads is either useless or missing an alert; the two here only help to read the others."""
    suffixes = r"_(?:bucket|sum|count)$"
    said = {
        re.sub(suffixes, "", name) if re.sub(suffixes, "", name) in exposed() else name
        for rule in alerts()
        for name in re.findall(r"corkboard_\w+", rule["expr"])
    }
    assert said - set(exposed()) == set()
    assert set(exposed()) - said == {"corkboard_webhooks_accepted_total", "corkboard_webhooks_ingested_total"}


def known_values() -> dict[tuple[str, str], set[str]]:
    """What the labels may be that rules choose by; a status by its class too."""
    slow_down = {RateLimited.reason, *(reason for reason in SLACK_LATER if "limit" in reason)}
    return {
        ("corkboard_webhooks_refused_total", "reason"): set(problems.REASONS) - NOT_OF_WEBHOOKS,
        ("corkboard_deliveries_retried_total", "reason"): slow_down,
        ("corkboard_connections", "state"): {"active", "failing", "broken"},
        ("corkboard_slack_requests_total", "status"): {*SLACKS, "5.."},
    }


NOT_OF_WEBHOOKS = {"outsider", "signature", "mistake", "not_found", "method"}


def test_alerts_speak_of_labels_that_exist():
    chosen: dict[tuple[str, str], set[str]] = {}
    for rule in alerts():
        for metric, labels in re.findall(r"(corkboard_\w+)\{([^}]*)\}", rule["expr"]):
            for label, values in re.findall(r'(\w+)=~?"([^"]*)"', labels):
                assert f"`{label}`" in exposed()[metric][1], rule["alert"]
                chosen.setdefault((metric, label), set()).update(values.split("|"))
        for label in re.findall(r"\bby \((\w+)\)", rule["expr"]):
            metric = re.sub(r"_bucket$", "", re.findall(r"corkboard_\w+", rule["expr"])[0])
            assert label == "le" or f"`{label}`" in exposed()[metric][1], rule["alert"]
    known = known_values()
    assert {key: values - known[key] for key, values in chosen.items()} == {key: set() for key in chosen}
    assert chosen["corkboard_webhooks_refused_total", "reason"] == known["corkboard_webhooks_refused_total", "reason"]
    assert (
        chosen["corkboard_deliveries_retried_total", "reason"] == known["corkboard_deliveries_retried_total", "reason"]
    )


def test_what_an_alert_misses_is_there_from_the_beginning():
    """Prometheus says nothing at all of the sum of series that are not there yet: then such a rule never fires."""
    first = Metrics().written(None, now=NOW).decode()
    for rule in alerts():
        for metric in re.findall(r"increase\((corkboard_\w+)(?:\{[^}]*\})?\[\w+\]\)+ == 0", rule["expr"]):
            assert f"\n{metric}" in first, rule["alert"]


def test_every_job_is_documented():
    assert first("docs/operating.md", "Jobs") == [job.name for job in jobs.JOBS]


LEVELS = {"debug", "info", "warning", "error", "critical"}


def logged() -> dict[str, str]:
    """Each log event with its level, as `log.info("past_tense", …)` names it."""
    nodes = [node for path in sources("bot", "webhooks", "storage") for node in ast.walk(parsed(path))]
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    said = [call for call in calls if call.func.attr in LEVELS and isinstance(call.func.value, ast.Name)]
    said = [call for call in said if call.func.value.id == "log" or isinstance(call.args[0], ast.Constant)]
    return {ast.literal_eval(call.args[0]): call.func.attr for call in said}


def test_every_log_event_is_documented():
    assert {coded(row[0])[0]: row[1] for row in rows("docs/logs.md", "Log events")} == logged()


def test_the_admins_page_gives_every_scope_of_the_manifest():
    scopes = yaml.safe_load(text("manifest.yml"))["oauth_config"]["scopes"]
    told = {coded(row[0])[0]: row[1] for row in rows("docs/slack-admin.md", "Scopes")}
    assert told == {scope: "optional" if scope in scopes["bot_optional"] else "yes" for scope in scopes["bot"]}


def test_the_admins_page_gives_every_event_of_the_manifest():
    subscribed = yaml.safe_load(text("manifest.yml"))["settings"]["event_subscriptions"]["bot_events"]
    assert first("docs/slack-admin.md", "Events") == subscribed


def test_the_privacy_page_gives_every_table():
    tables = {
        node.name
        for path in (ROOT / "storage/models").glob("*.py")
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef) and any(keyword.arg == "table" for keyword in node.keywords)
    }
    told = [table for row in rows("docs/privacy.md", "What is kept") for table in coded(row[0])]
    assert sorted(told) == sorted(re.sub(r"(?<!^)(?=[A-Z])", "_", table).lower() for table in tables)


def test_only_what_a_test_shows_is_promised():
    promised = text("docs/reliability.md").partition("\n## Promises\n")[2].partition("\n## ")[0]
    bullets = re.findall(r"^- (.+?)(?=^- |\Z|\n\n)", promised, re.MULTILINE | re.DOTALL)
    assert bullets
    for bullet in bullets:
        shown_by = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", bullet)
        assert shown_by, f"no test is named: {bullet}"
        for path, function in shown_by:
            assert (ROOT / path).is_file(), path
            names = {node.name for node in ast.walk(parsed(ROOT / path)) if isinstance(node, DEFINITIONS)}
            assert not function or function in names, f"{path}::{function}"


# Papers


def test_every_link_between_the_papers_leads_somewhere():
    assert {name(path): found for path in papers() if (found := list(broken_links(path)))} == {}


def test_every_file_that_the_papers_name_exists():
    pattern = re.compile(rf"(?:{'|'.join((*PACKAGES, 'tests', 'docs', 'benchmarks'))})/[\w./-]*")
    missing = [
        (name(path), told)
        for path in papers()
        for told in coded(prose(path))
        if pattern.fullmatch(told) and not (ROOT / told).exists()
    ]
    assert missing == []


def test_decision_records_are_numbered_whole_and_found():
    records = [path for path in papers() if path.parent.name == "decisions"]
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        written = path.read_text()
        assert re.match(rf"# {int(path.name[:4])}\. .+\n", written), path.name
        headings = re.findall(r"^## (.+)$", written, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives"], path.name
        assert f"(decisions/{path.name})" in text("docs/architecture.md"), path.name


def test_every_library_has_its_reason():
    project = tomllib.loads(text("pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"], "setuptools"]
    libraries = {re.split(r"[\[<>=; ]", wish, maxsplit=1)[0] for wish in wanted}
    record = next((ROOT / "docs/decisions").glob("*-libraries.md")).relative_to(ROOT).as_posix()
    told = [library for row in rows(record, "Decision") for library in coded(row[0])]
    assert sorted(told) == sorted(libraries)


def test_the_import_contracts_stand_and_are_checked():
    contracts = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    assert first_lines("CONTRIBUTING.md", "Who may import whom") == [contract["name"] for contract in contracts]
    assert {"layers", "forbidden", "independence"} == {contract["type"] for contract in contracts}
    layers = next(contract for contract in contracts if contract["type"] == "layers")["layers"]
    assert layers == ["bot", "webhooks", "storage"]
    assert "lint-imports" in text("Makefile")
    assert "make check" in text(".ci/run")


def test_the_changelog_has_a_place_for_what_is_new():
    assert re.search(r"^## \[Unreleased\]$", text("CHANGELOG.md"), re.MULTILINE)


# Tables of data


def test_every_kind_of_outbox_entry_is_handled():
    assert set(KINDS) == set(Kind)


# Sizes and docstrings

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (ast.Module, ast.ClassDef, *DEFINITIONS)


def docstring_lines(path: Path) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            found.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return found


def code_lines(path: Path) -> int:
    """How many lines hold code."""
    no_code = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type not in no_code and token.type != tokenize.ENCODING:
                lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstring_lines(path))


def test_no_file_outgrows_its_room():
    sizes = {name(path): code_lines(path) for path in sources(*PACKAGES)}
    assert {path: size for path, size in sizes.items() if size > LONGEST_FILE} == {}


def test_no_function_is_too_long():
    lengths = {
        f"{name(path)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in sources(*PACKAGES)
        for node in ast.walk(parsed(path))
        if isinstance(node, DEFINITIONS)
    }
    assert {where: length for where, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_every_package_and_module_says_what_it_is_for():
    assert [name(path) for path in sources(*PACKAGES) if not ast.get_docstring(parsed(path))] == []
    folders = {path.parent for path in sources(*PACKAGES)}
    assert [name(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_no_room_is_called_utils():
    names = {part for path in sources(*PACKAGES) for part in (*path.relative_to(ROOT).parent.parts, path.stem)}
    assert names & {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc"} == set()


# What may not be committed


@pytest.mark.parametrize(
    "forbidden",
    [
        pytest.param(re.compile("|".join(map(re.escape, REGISTRIES))), id="a registry's host"),
        pytest.param(re.compile(r"^--(?:extra-)?index-url", re.MULTILINE), id="an index address"),
        pytest.param(MACHINE_PATH, id="a path of one machine"),
        pytest.param(re.compile(re.escape(SHARED)), id="a folder outside the repository"),
        pytest.param(OUR_TRACKER, id="a number of an issue"),
    ],
)
def test_nothing_committed_holds(forbidden):
    found = []
    for path in committed():
        try:
            written = path.read_text()
        except UnicodeDecodeError:  # a picture
            continue
        if forbidden is OUR_TRACKER and path.parent == ROOT / "tests/schemas":  # others' files, with their numbers
            continue
        found += [
            f"{name(path)}: {hit.group()}" for hit in forbidden.finditer(written) if not hit.groupdict().get("theirs")
        ]
    assert found == []
