"""The person at the terminal: what they are told, and what they type."""

import getpass
import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.doctor.findings import Finding
from bot.doctor.report import STYLES
from bot.setup.questions import ANSWER

WIDEST = 96
"""Letters of a line that is still read at a glance."""

PROMPT = "  > "

with suppress(ImportError):  # arrow keys move in the line; where Python was built without it, they are letters
    importlib.import_module("readline")

Read = Callable[[bool], str]
"""Reads a line; True: without showing it. Raises EOFError at the end, KeyboardInterrupt at Ctrl-C."""


def read(hidden: bool) -> str:  # noqa: FBT001 -- it is the only thing to say
    """A line from the terminal."""
    if hidden:
        return getpass.getpass(PROMPT)
    return input(PROMPT)


class Person:
    """Says and asks. Piped, it is plain text, each thing one line."""

    def __init__(self, console: Console, *, read: Read = read) -> None:
        self.console = console
        self._read = read
        console.width = min(console.width, WIDEST) if console.is_terminal else 1_000

    def heading(self, text: str, *, place: str = "") -> None:
        """What comes now, of how much."""
        self.console.print()
        self.console.print(Text.assemble((text, "bold underline"), (f"   {place}" if place else "", "dim")))

    def title(self, text: str) -> None:
        """What is asked now."""
        self.console.print()
        self.say(text, "bold")

    def say(self, text: str, style: str = "", *, deep: int = 2) -> None:
        """A sentence. `deep`: how far it is indented."""
        self.console.print(Padding(Text(text, style), (0, 0, 0, deep), expand=False))

    def item(self, mark: str, text: str | Text, *, wide: int = 3, deep: int = 2, style: str = "") -> None:
        """A sentence behind a mark, below which its further lines do not run. `wide`: letters that the mark takes."""
        if not self.console.is_terminal:
            self.console.print(Text.assemble(" " * deep, (f"{mark:<{wide}}", style), text), soft_wrap=True)
            return
        row = Table.grid()
        row.add_column(width=wide, style=style)
        row.add_column(overflow="fold")
        row.add_row(Text(mark), text if isinstance(text, Text) else Text(text))
        self.console.print(Padding(row, (0, 0, 0, deep), expand=False))

    def pair(self, what: str, value: str) -> None:
        """What is to be copied, and where it goes; never broken, so that it can be copied."""
        self.console.print(Text.assemble(" " * 5, (f"{what:<16}", "dim"), (value, "bold")), soft_wrap=True)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While something is being tested."""
        if not self.console.is_terminal:
            yield
            return
        with self.console.status("Testing …"):
            yield

    def raw(self, text: str) -> None:
        """Lines to copy, as they are."""
        self.console.print(text, soft_wrap=True, markup=False, highlight=False)

    def found(self, findings: Sequence[Finding]) -> None:
        """What testing showed."""
        for one in findings:
            plain = not self.console.is_terminal
            told = f"{_sentence(one)}. {one.remedy}" if plain and one.remedy else _sentence(one)
            self.item(one.state, told, wide=9, style=STYLES[one.state])
            if one.remedy and not plain:
                self.item("→", Text(one.remedy, "italic"), wide=2, deep=11)

    def wrong(self, text: str) -> None:
        """It cannot be so."""
        self.say(text, "bold red")

    def asked(self, *, hidden: bool = False) -> str:
        """What they type, without blanks around it."""
        while True:
            try:
                return self._read(hidden).strip()
            except UnicodeDecodeError:
                self.wrong("That could not be read: type it in UTF-8.")

    def agrees(self, question: str, *, default: bool) -> bool:
        """Yes or no; Enter takes the default."""
        self.say(f"{question} {'[Y/n]' if default else '[y/N]'}")
        while True:
            match self.asked().lower():
                case "":
                    return default
                case "y" | "yes":
                    return True
                case "n" | "no":
                    return False
            self.wrong("Type y or n.")


def _sentence(one: Finding) -> str:
    return f"{one.told[:1].upper()}{one.told[1:]}" if one.subject in QUIET else f"{one.subject}: {one.told}"


QUIET = frozenset({ANSWER, "address", "database", "signing secret", "password"})
"""What just was asked about needs no name once more."""
