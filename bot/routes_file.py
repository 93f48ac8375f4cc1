"""Rules about where leads go as a CSV file: read as a whole or not at all, and written so that it can be read again."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot import rule_reading
from bot.rule_reading import FIELDS
from storage.rules import Rule

MOST = 5_000
"""How many rules a file may have; each lead is compared with all of them."""


class FileWrong(Exception):  # noqa: N818 -- it says what it is
    """A file that cannot be taken: `mistakes` has one line for each."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        """The mistakes in the order of the file."""
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A row of the file; `number` is that of the line on which it ends, as editors count them."""

    number: int
    cells: list[str]


def load(content: bytes) -> Sequence[Rule]:
    """The rules of a file in their order; raises FileWrong with every mistake and its line.

    UTF-8, with a header that names the columns in any order; separated by commas, or by semicolons as spreadsheets of
    some countries write them. Empty lines are passed over.
    """
    header, *lines = _lines(_decoded(content)) or [_Line(number=1, cells=[])]
    names = [" ".join(cell.casefold().split()) for cell in header.cells]
    if mistakes := list(_header_mistakes(names)):
        raise FileWrong([f"Line {header.number}: {mistake}." for mistake in mistakes])
    if len(lines) > MOST:
        raise FileWrong([f"The file has {len(lines)} rules; at most {MOST} can be kept."])
    rules, mistakes = [], list[str]()
    for line in lines:
        if len(line.cells) > len(names) and any(map(str.strip, line.cells[len(names) :])):
            mistakes.append(f"Line {line.number}: has more cells than the first line has columns.")
            continue
        found = rule_reading.read(dict(zip(names, line.cells, strict=False)))
        mistakes += [f"Line {line.number}: {name} {remedy}." for name, remedy in found.wrong.items()]
        if found.rule is not None:
            rules.append(found.rule)
    if mistakes:
        raise FileWrong(mistakes)
    return rules


def dump(rules: Sequence[Rule]) -> str:
    """The rules as a file that `load` reads."""
    text = io.StringIO()
    table = csv.DictWriter(text, FIELDS, lineterminator="\n")
    table.writeheader()
    table.writerows(rule_reading.written(rule) for rule in rules)
    return text.getvalue()


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FileWrong([f"Line {line}: is not UTF-8. Save the file as CSV UTF-8."]) from None


def _lines(text: str) -> list[_Line]:
    first = text.partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    table = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        return [_Line(number=table.line_num, cells=cells) for cells in table if any(map(str.strip, cells))]
    except csv.Error as error:
        raise FileWrong([f"Line {table.line_num}: cannot be read as CSV ({error})."]) from None


def _header_mistakes(names: Sequence[str]) -> Iterator[str]:
    named = [name for name in names if name]
    if "channel" not in named:
        yield f"must name the columns; channel is needed, and there are {', '.join(FIELDS)}"
    for name in dict.fromkeys(named):
        if name not in FIELDS:
            yield f"there is no column {name[:40]!r}; there are {', '.join(FIELDS)}"
        elif named.count(name) > 1:
            yield f"the column {name} stands there twice"
