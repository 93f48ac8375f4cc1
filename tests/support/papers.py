"""Reading the papers: their tables, commands, code blocks and links."""

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import click

from bot.cli import main as cli

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "webhooks", "storage", "sandbox")


@cache
def committed() -> tuple[Path, ...]:
    """Every file of the repository: what is committed, and what would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout  # noqa: S603 -- constant
    return tuple(ROOT / name for name in sorted(set(listed.split("\0"))) if name and (ROOT / name).is_file())


@cache
def sources(*folders: str) -> tuple[Path, ...]:
    """The Python files of these packages, without the migrations that alembic wrote."""
    found = [path for path in committed() if path.suffix == ".py" and name(path).split("/")[0] in folders]
    return tuple(path for path in found if "versions" not in path.parts)


@cache
def papers() -> tuple[Path, ...]:
    return tuple(path for path in committed() if path.suffix == ".md")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text(paper: str) -> str:
    return (ROOT / paper).read_text()


def prose(path: Path) -> str:
    """A paper without its code blocks."""
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def rows(paper: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    below = re.split(rf"^#+ {re.escape(heading)}$", text(paper), maxsplit=1, flags=re.MULTILINE)[1]
    tables = _tables(below)
    assert tables, f"{paper} has no table below {heading}"
    return tables[0]


def every_row(paper: str) -> list[list[str]]:
    """The cells of all tables of a paper, without their heads."""
    return [row for table in _tables(text(paper)) for row in table]


def _tables(markdown: str) -> list[list[list[str]]]:
    found = re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE)
    cells = [
        [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()] for table in found
    ]
    return [[[cell.strip("| ") for cell in row] for row in table[2:]] for table in cells]


def coded(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def first(paper: str, heading: str) -> list[str]:
    """The name in backticks that opens each row of a table."""
    return [coded(row[0])[0] for row in rows(paper, heading)]


def spoken(word: str, *, among: Sequence[Path] | None = None) -> Iterator[tuple[str, str]]:
    """(paper, command) for each command that begins with a word, in code blocks and between backticks."""
    for path in among or papers():
        blocks = re.findall(r"^```\w*\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)
        lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
        for command in (*lines, *coded(prose(path))):
            said = command.partition("  #")[0].removeprefix(".venv/bin/").strip()
            if said == word or said.startswith(f"{word} "):
                yield name(path), said


def unknown_in(command: str) -> str | None:
    """What the program does not know of a command, None where it knows all of it."""
    at: click.Command = cli
    for token in shlex.split(command)[1:]:
        if token.startswith("-") and token != "-":
            options = {opt for parameter in at.params for opt in (*parameter.opts, *parameter.secondary_opts)}
            if token.partition("=")[0] not in {*options, "--help", "-h", "--version"}:
                return token
        elif isinstance(at, click.Group):
            command = at.get_command(click.Context(at), token)
            if command is None:
                return token
            at = command
    return None


def commands_of(group: click.Group) -> dict[str, click.Command]:
    """By their names; most are loaded when they are asked for."""
    context = click.Context(group)
    named = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in named.items() if command is not None}


def leaves(group: click.Group, path: str) -> Iterator[str]:
    for word, command in commands_of(group).items():
        whole = f"{path} {word}"
        if isinstance(command, click.Group):
            yield from leaves(command, whole)
        else:
            yield whole


def slug(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)}


def broken_links(path: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and anchor not in anchors(there)):
            yield target


def first_lines(paper: str, heading: str) -> list[str]:
    """What opens each bullet below a heading, up to its colon."""
    below = re.split(rf"^#+ {re.escape(heading)}$", text(paper), maxsplit=1, flags=re.MULTILINE)[1]
    return re.findall(r"^- \*\*(.+?)\*\*", below.partition("\n## ")[0], re.MULTILINE)


def blocks(path: Path) -> list[tuple[str, str]]:
    """The code blocks of a paper, each with what it says it is written in."""
    return re.findall(r"^```(\w*)\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)


def at_the_end_of(command: str) -> click.Command:
    """What the program does for a whole command, as `corkboard inbox list`."""
    at: click.Command = cli
    for word in command.split()[1:]:
        assert isinstance(at, click.Group)
        at = commands_of(at)[word]
    return at


def links(path: Path, *, pictures: bool = False) -> Iterator[tuple[Path, str]]:
    """Each file of ours that a paper links to, or shows, with the words for it."""
    sign = "!" if pictures else r"(?<!!)"
    found = re.findall(rf"{sign}\[([^\]]*)\]\(([^)\s#]+)[^)]*\)", prose(path))
    if pictures:
        found += [(told, src) for src, told in re.findall(r'<img src="([^"]+)"[^>]* alt="([^"]+)"', prose(path))]
    for told, target in found:
        if not re.match(r"[a-z]+:", target):
            yield (path.parent / target).resolve(), told
