"""What the doctor found, for people at a terminal, for a pipe (one line each), and for machines."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.doctor.findings import Area, Finding, State, worst

STYLES = {State.OK: "green", State.WARNING: "yellow", State.BROKEN: "bold red"}


def as_json(findings: Sequence[Finding], *, checked_at: datetime) -> str:
    """All of it. The names of the fields stay; words in `told` and `remedy` may change."""
    counts = Counter(finding.state for finding in findings)
    return json.dumps(
        {
            "state": worst(findings),
            "checked_at": checked_at.isoformat(timespec="seconds"),
            "version": version("corkboard"),
            "counts": {state.value: counts[state] for state in State},
            "findings": [
                {
                    "area": one.area,
                    "subject": one.subject,
                    "state": one.state,
                    "told": one.told,
                    "remedy": one.remedy or None,
                }
                for one in findings
            ],
        },
        indent=2,
        ensure_ascii=False,
    )


def show(console: Console, findings: Sequence[Finding]) -> None:
    """Area by area at a terminal; piped, one line for each thing, so that `grep broken` finds them."""
    if console.is_terminal:
        for area in Area:
            _show_area(console, area, [one for one in findings if one.area is area])
    else:
        console.width = 1_000
        for one in findings:
            console.print(Text(_line(one)), soft_wrap=True)
    console.print(_summary(findings))


def _line(one: Finding) -> str:
    line = f"{one.state:<7}  {one.area}  {one.subject}: {one.told}"
    return f"{line}. {one.remedy}" if one.remedy else line


def _show_area(console: Console, area: Area, findings: Sequence[Finding]) -> None:
    if not findings:
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for width in (7, None, None):
        table.add_column(width=width, overflow="fold")
    shown = [one for one in findings if not one.plain]
    for one in shown:
        told = Text(one.told) if not one.remedy else Text.assemble(one.told, "\n", (f"→ {one.remedy}", "italic"))
        table.add_row(Text(one.state, STYLES[one.state]), Text(one.subject, "bold"), told)
    console.print(Text(area.capitalize(), "bold underline"))
    console.print(table)
    if len(shown) < len(findings):
        console.print(Text(f"         {len(findings) - len(shown)} more by default", "dim"))
    console.print()


def _summary(findings: Sequence[Finding]) -> Text:
    counts = Counter(finding.state for finding in findings)
    match worst(findings):
        case State.OK:
            return Text("Everything is as it should be.", "green")
        case State.WARNING:
            return Text(f"Nothing is broken; {_counted(counts[State.WARNING], 'warning')}.", "yellow")
        case State.BROKEN:
            more = f", and {_counted(counts[State.WARNING], 'warning')}" if counts[State.WARNING] else ""
            return Text(f"{_counted(counts[State.BROKEN], 'thing is', 'things are')} broken{more}.", "bold red")


def _counted(count: int, one: str, several: str | None = None) -> str:
    return f"{count} {one if count == 1 else several or one + 's'}"
