"""The papers are true: what they tell to type can be typed, what they name exists, and every page is found and has its pictures."""

import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from support.papers import (
    PACKAGES,
    ROOT,
    at_the_end_of,
    blocks,
    coded,
    committed,
    first,
    leaves,
    links,
    name,
    papers,
    prose,
    rows,
    sources,
    spoken,
    text,
)

from bot import jobs
from bot.blocks.help import help_page
from bot.cli import main as cli
from bot.doctor.findings import Area
from bot.listeners.commands import COMMAND, VERBS
from bot.settings import Settings
from webhooks.routes import WEBHOOKS

FOR_PEOPLE = tuple(
    path
    for path in papers()
    if path.parent == ROOT / "docs" or name(path) in {"README.md", "SECURITY.md", "benchmarks/README.md"}
)
"""Without the changelog and the decisions, which may name what was."""

LONGEST_README = 90
LONGEST_PAGE = 320


# What can be typed


def test_every_command_tells_about_itself():
    for leaf in leaves(cli, "corkboard"):
        told = CliRunner().invoke(cli, [*leaf.split()[1:], "--help"])
        assert (told.exit_code, told.stderr) == (0, ""), leaf
        assert told.stdout.splitlines()[2].strip(), leaf


def test_every_option_of_a_command_is_on_the_operators_page_beside_it():
    told = dict.fromkeys(leaves(cli, "corkboard"), "")
    for row in rows("docs/operating.md", "Commands"):
        for leaf in told:
            if f"{leaf} " in f"{coded(row[0])[0]} ":
                told[leaf] += " ".join(row)
    for leaf, beside in told.items():
        options = [option for parameter in at_the_end_of(leaf).params for option in parameter.opts if option[0] == "-"]
        assert [option for option in options if option not in beside] == [], leaf


def test_every_block_of_commands_can_be_read_by_a_shell():
    found = [(path, block) for path in papers() for kind, block in blocks(path) if kind == "sh"]
    assert len(found) > 10
    for path, block in found:
        read = subprocess.run(["sh", "-n"], input=block, text=True, capture_output=True, check=False)  # noqa: S607 -- any sh
        assert (read.returncode, read.stderr) == (0, ""), f"{name(path)}:\n{block}"


def test_every_measurement_that_can_be_typed_exists_with_its_options():
    said = [command for _, command in spoken("python")]
    assert said
    for command in said:
        _, _, module, *rest = command.split()
        source = text(f"{module.replace('.', '/')}.py")
        assert [word for word in rest if word.startswith("--") and f'"{word}"' not in source] == [], command


@pytest.mark.parametrize("words", ["keys new", "manifest --"])
def test_commands_that_need_nothing_are_done_as_they_stand_there(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = {command for _, command in spoken("corkboard") if command.startswith(f"corkboard {words}")}
    assert said
    for command in said:
        done = CliRunner().invoke(cli, command.split()[1:])
        assert done.exit_code == 0, command
        assert done.stdout, command


def test_what_is_posted_by_hand_exists_and_has_its_address():
    said = {command for _, command in spoken("corkboard inbox replay") if "FILE" not in command}
    assert said
    paths = {route.path for route in WEBHOOKS}
    for command in said:
        _, _, _, file, _, route = command.split()
        assert (ROOT / file).is_file(), command
        assert route.removeprefix("/staging") in paths, command


def test_the_addresses_for_thumbtack_are_those_that_are_served():
    told = [coded(row[1])[0] for row in rows("docs/install-oauth.md", "1. Tell Thumbtack your addresses")]
    assert told == [f"{one.method} https://corkboard.example.com{one.path}" for one in WEBHOOKS if not one.is_v4]


# What is named


ELSEWHERE = {"RLIMIT_FSIZE", "BUSINESS_ID"}
"""Written like settings: what the operating system calls a limit, and what a person is to put there."""


def test_every_setting_that_is_named_exists():
    settings = {field.upper() for field in Settings.model_fields}
    named = {
        (name(path), word)
        for path in papers()
        for word in re.findall(r"`[^`\n]*?\b((?:SLACK|THUMBTACK|LOG|DATABASE|REPLY|METRICS)_[A-Z_]+)\b", prose(path))
    }
    assert {(paper, word) for paper, word in named if word not in settings} == set()
    people = {
        word for path in FOR_PEOPLE for one in coded(prose(path)) for word in re.findall(r"^[A-Z]+(?:_[A-Z]+)+", one)
    }
    tests = "".join(path.read_text() for path in sources("tests") if path != Path(__file__))
    assert {word for word in people - settings - ELSEWHERE if f'"{word}"' not in tests} == set()


def test_every_word_of_the_program_that_is_named_is_one():
    """Log events, reasons, jobs, kinds, tables: whatever is written with underscores stands in the code as well."""
    code = "".join(path.read_text() for path in sources(*PACKAGES, "benchmarks")) + text("manifest.yml")
    code += " ".join(map(name, committed()))  # `-k` chooses tests by a part of a file's name
    said = [one for path in FOR_PEOPLE for one in coded(prose(path)) if ".py" not in one]
    named = {word for one in said for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", one)}
    metrics = set(first("docs/operating.md", "Metrics"))
    assert len(named) > 150
    assert {word for word in named if word not in code} - metrics == OF_OTHERS


OF_OTHERS: set[str] = {"pool_mode", "proxy_set_header", "remote_addr"}
"""Settings of PgBouncer and nginx."""


def test_every_alert_that_is_named_exists():
    rules = {rule["alert"] for group in yaml.safe_load(text("docs/alerts.yml"))["groups"] for rule in group["rules"]}
    named = {
        word for path in papers() for one in coded(prose(path)) for word in re.findall(r"^Corkboard[A-Z]\w+$", one)
    }
    assert named == rules


def test_every_scope_that_is_named_is_asked_for():
    slack = set(yaml.safe_load(text("manifest.yml"))["oauth_config"]["scopes"]["bot"]) | BESIDES
    default = Settings.model_fields["thumbtack_scopes"].default
    for path in FOR_PEOPLE:
        named = [one for one in coded(prose(path)) if re.fullmatch(r"[a-z.]+:(?:history|read|write)", one)]
        assert set(named) <= slack, name(path)
        assert {scope for one in coded(prose(path)) for scope in re.findall(r"supply::\S+", one)} <= set(default)


def test_the_operators_page_gives_every_area_that_check_looks_at():
    assert first("docs/operating.md", "What is wrong") == [str(area) for area in Area]


BESIDES = {"connections:write", "im:history"}
"""The app-level token's of Socket Mode, and one that Corkboard does without, which is said."""


def test_the_teams_page_says_of_each_command_what_slack_says():
    told = {coded(row[0])[0].split()[1]: row for row in rows("docs/using.md", "The command")}
    assert list(told) == list(VERBS)
    for verb, (typed, meaning) in told.items():
        assert coded(typed) == [f"{COMMAND} {usage}" for usage in VERBS[verb].usage]
        assert meaning.startswith(VERBS[verb].sentence.partition(":")[0]), verb
    for_everybody = re.findall(r"^(.+) are for everybody;", text("docs/using.md"), re.MULTILINE)
    assert [coded(who) for who in for_everybody] == [[verb for verb in VERBS if not VERBS[verb].managers_only]]


def test_the_teams_page_says_of_each_mark_what_slack_says():
    shown = "\n".join(block["text"]["text"] for block in help_page(()).blocks if block["type"] == "section")
    in_slack = dict(re.findall(r"^:(\w+): ([^:\n]+)", shown, re.MULTILINE))
    told = {coded(row[0])[0]: row[1] for row in rows("docs/using.md", "What the marks mean")}
    assert {mark: meaning[: len(in_slack[mark])] for mark, meaning in told.items()} == in_slack


def in_words(every: timedelta) -> str:
    ways = {"hourly": timedelta(hours=1), "every minute": timedelta(minutes=1)}
    hours, seconds = every // timedelta(hours=1), every // timedelta(seconds=1)
    return next(
        (word for word, one in ways.items() if one == every),
        f"every {hours} hours" if hours else f"every {seconds} seconds",
    )


def test_every_job_is_done_as_often_as_it_says():
    assert {coded(row[0])[0]: row[1] for row in rows("docs/operating.md", "Jobs")} == {
        job.name: in_words(job.every) for job in jobs.JOBS
    }


def test_the_times_on_the_teams_page_are_the_programs():
    default = {field: info.default for field, info in Settings.model_fields.items()}
    *first, last = default["remind_after_minutes"]
    page = " ".join(text("docs/using.md").split())
    for sentence in (
        f"the customer gets it, {default['reply_hold_seconds']} seconds later",
        f"could not go out within {default['reply_max_age_minutes']} minutes of being written",
        f"After {', '.join(map(str, first))} and {last} minutes",
    ):
        assert sentence in page


# Pages


def test_every_page_is_found_from_the_readme():
    found: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        path = ahead.pop()
        if path not in found and path.suffix == ".md":
            found.add(path)
            ahead += [there for there, _ in links(path) if there.is_file()]
    lost = {name(path) for path in papers() if path not in found}
    assert {path for path in lost if not path.startswith("tests/")} == set()


def test_every_picture_is_shown_described_and_small():
    shown = {there: told for path in papers() for there, told in links(path, pictures=True)}
    assert set(shown) == {path for path in committed() if name(path).startswith("docs/pictures/")}
    for path, told in shown.items():
        assert path.read_bytes().startswith((b"\x89PNG", b"<svg")), path
        assert path.stat().st_size < 400_000, path
        assert len(told) > 30, f"{name(path)} is not described for who does not see it"


def test_every_paper_that_the_program_names_exists():
    named = {
        (name(path), told)
        for path in (*sources(*PACKAGES), ROOT / "manifest.yml", ROOT / "docs/alerts.yml", ROOT / ".env.example")
        for told in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text())
    }
    assert len(named) > 3
    assert [(path, told) for path, told in sorted(named) if not (ROOT / told).is_file()] == []
    steps = [step for path in sources("bot") for step in re.findall(r"(docs/\w+\.md), step (\d)", path.read_text())]
    assert steps
    assert [(paper, step) for paper, step in steps if f"\n## {step}. " not in text(paper)] == []


def test_no_page_is_too_long_to_be_read():
    lengths = {name(path): len(path.read_text().splitlines()) for path in FOR_PEOPLE}
    assert lengths["README.md"] <= LONGEST_README
    assert {page: length for page, length in lengths.items() if length > LONGEST_PAGE} == {}


def test_the_readme_answers_each_of_its_readers_then_shows_two_commands_and_a_picture():
    first_screen, _, rest = text("README.md").partition("\n## Two commands\n")
    answers = re.findall(
        r"^- \*\*You [^*]+:\*\* (.+?\.) \[|^- \*\*You [^*]+:\*\* (.+?\.)\s+\[", first_screen, re.MULTILINE | re.DOTALL
    )
    assert len(answers) == first_screen.count("\n- ")
    commands, _, after = rest.partition("\n```\n")
    assert len(commands.partition("```sh\n")[2].splitlines()) == 2
    assert after.lstrip().startswith("![")
