"""The person at the terminal: what they are told, and what they type."""

import getpass
import sys
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bot.doctor.findings import Finding
from bot.doctor.report import STYLES

WIDEST = 96
"""Letters of a line that is still read at a glance."""

PROMPT = "  > "

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

    def raw(self, text: str) -> None:
        """Lines to copy, as they are."""
        self.console.print(text, soft_wrap=True, markup=False, highlight=False)

    def found(self, findings: Sequence[Finding]) -> None:
        """What testing showed."""
        for one in findings:
            style = STYLES[one.state]
            self.console.print(
                Padding(Text.assemble((f"{one.state:<8}", style), f"{_sentence(one)}"), (0, 0, 0, 2), expand=False)
            )
            if one.remedy:
                self.say(f"→ {one.remedy}", "italic", deep=10)

    def wrong(self, text: str) -> None:
        """It cannot be so."""
        self.say(text, "bold red")

    def asked(self, *, hidden: bool = False) -> str:
        """What they type, without blanks around it."""
        sys.stdout.flush()
        return self._read(hidden).strip()

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


QUIET = frozenset(
    {"address", "database", "signing secret", "password", "SLACK_RING", "SLACK_KEEPERS", "SLACK_LEADS_CHANNEL"}
)
"""What just was asked about needs no name once more."""
