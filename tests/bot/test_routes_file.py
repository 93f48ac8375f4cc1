"""Rules as a file: read as a whole or not at all, with every mistake and its line, and written so that it can be read again."""

from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from support.commands import with_database

from bot import cli, routes_file, rule_reading
from bot.routes_file import FileWrong
from storage import migrate, routing, rules
from storage.database import Database
from storage.models import Audit
from storage.rules import Rule

PAINT, CREW = "C0123456789", "G0123456789"

WRITTEN = f"""\
business,category,zip_prefix,min_cost,channel,mention
510000000000000101,,,,{PAINT},U0ANA S0CREW

,"Painting, interior",02139,25.50,{CREW},
,,,,{PAINT},
"""
RULES = [
    Rule(channel=PAINT, business="510000000000000101", ring=("U0ANA", "S0CREW")),
    Rule(channel=CREW, category="Painting, interior", zip_prefix="02139", min_cents=2550),
    Rule(channel=PAINT),
]


def mistakes(text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(FileWrong) as caught:
        routes_file.load(text.encode() if isinstance(text, str) else text)
    return caught.value.mistakes


@pytest.mark.parametrize(
    "content",
    [
        WRITTEN.encode(),
        WRITTEN.encode("utf-8-sig"),
        WRITTEN.replace("\n", "\r\n").encode(),
        WRITTEN.replace('"Painting, interior"', "'").replace(",", ";").replace("'", "Painting, interior").encode(),
        WRITTEN.replace("business,category", " Business , CATEGORY").encode(),
    ],
    ids=["plain", "bom", "windows", "semicolons", "header"],
)
def test_a_file_is_read_however_a_spreadsheet_writes_it(content: bytes):
    assert routes_file.load(content) == RULES


def test_columns_may_be_left_out_and_stand_in_any_order():
    assert routes_file.load(f"channel,zip_prefix\n{PAINT},9\n{CREW}\n".encode()) == [
        Rule(channel=PAINT, zip_prefix="9"),
        Rule(channel=CREW),
    ]
    assert routes_file.load(b"channel\n") == []


def test_every_mistake_is_told_with_its_line():
    text = (
        f'channel,zip_prefix,min_cost,mention,category\n{PAINT},9,,,\n#paint,CA,much,Ana,"two\nlines"\n{PAINT},,,,,x\n'
    )
    told = mistakes(text)
    assert [line.partition(":")[0] for line in told] == ["Line 4"] * 4 + ["Line 5"]
    assert [word in " ".join(told) for word in ("channel must", "zip_prefix must", "min_cost must", "mention must")]
    assert "more cells" in told[-1]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "channel is needed"),
        (b"\n\n", "channel is needed"),
        (b"zip_prefix\n9\n", "channel is needed"),
        (b"channel,color\n", "no column 'color'"),
        (b"channel,channel\n", "twice"),
        (b"channel\n\xff\n", "Line 2: is not UTF-8"),
        (b'channel\n"C0123456789\n', "cannot be read as CSV"),
        (b"channel\n" + b"C0123456789\n" * 5_001, "at most 5000"),
    ],
)
def test_what_is_no_such_file_is_said(content: bytes, told: str):
    assert told in " ".join(mistakes(content))


PRINTED = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"]), min_size=1, max_size=20)
ANY_RULE = st.builds(
    Rule,
    channel=st.from_regex(r"[CG][A-Z0-9]{2,20}", fullmatch=True),
    business=st.none() | st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    category=st.none() | PRINTED.filter(rule_reading._is_category),  # what people could save
    zip_prefix=st.none() | st.from_regex(r"[0-9]{1,5}", fullmatch=True),
    min_cents=st.none() | st.integers(0, 10**9),
    ring=st.lists(st.from_regex(r"[UWS][A-Z0-9]{2,20}", fullmatch=True), max_size=20, unique=True).map(tuple),
)


@given(st.lists(ANY_RULE, max_size=5))
def test_what_was_written_reads_the_same(wanted: list[Rule]):
    assert routes_file.load(routes_file.dump(wanted).encode()) == wanted


@given(st.binary(max_size=200))
def test_whatever_a_file_holds_is_rules_or_sentences(content: bytes):
    try:
        told: tuple[str, ...] = ()
        routes_file.load(content)
    except FileWrong as wrong:
        told = wrong.mistakes
    assert all(line.startswith(("Line ", "The file ")) for line in told)


# The commands


def run(*arguments: str, **env: str) -> Result:
    try:
        return CliRunner().invoke(cli.main, ["routes", *arguments], env=env)
    finally:
        structlog.reset_defaults()


async def stored(database: Database) -> list[Rule]:
    async with database.reading() as tx:
        return [rules.rule_of(row) for row in await routing.rules(tx)]


def test_a_file_goes_in_and_comes_out(sqlite_url: str, tmp_path: Path):
    with_database(sqlite_url, migrate.upgrade)
    file, out, bad = tmp_path / "in.csv", tmp_path / "out.csv", tmp_path / "bad.csv"
    file.write_text(WRITTEN)
    done = run("import", str(file), DATABASE_URL=sqlite_url)
    assert (done.exit_code, "Rules there are now: 3." in done.output) == (0, True)
    assert "Nothing was heard of these businesses yet: 510000000000000101." in done.output
    assert with_database(sqlite_url, stored) == RULES
    bad.write_text(f"channel\n{PAINT}\nnowhere\n")
    refused = run("import", str(bad), DATABASE_URL=sqlite_url)
    assert refused.exit_code == 1
    assert refused.output.startswith("Nothing was changed.\nLine 3: channel must be")
    assert with_database(sqlite_url, stored) == RULES
    assert run("export", str(out), DATABASE_URL=sqlite_url).exit_code == 0
    assert routes_file.load(out.read_bytes()) == RULES
    assert run("export", "-", DATABASE_URL=sqlite_url).output == out.read_text()
    assert run("export", str(tmp_path / "no" / "x.csv"), DATABASE_URL=sqlite_url).exit_code == 1


def test_hundreds_of_rules_are_taken_in_at_once_and_on_the_record(sqlite_url: str, tmp_path: Path):
    with_database(sqlite_url, migrate.upgrade)
    file = tmp_path / "in.csv"
    wanted = [Rule(channel=PAINT, zip_prefix=f"{n:05}") for n in range(800)]
    file.write_text(routes_file.dump(wanted))
    assert run("import", str(file), DATABASE_URL=sqlite_url).exit_code == 0
    assert with_database(sqlite_url, stored) == wanted

    async def audit(database: Database) -> Audit:
        async with database.reading() as tx:
            found = await tx.get(Audit, 1)
            assert found is not None
            return found

    told = with_database(sqlite_url, audit)
    assert (told.action, told.actor, told.before, told.after) == ("routes_set", None, {"rules": 0}, {"rules": 800})
