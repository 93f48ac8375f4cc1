"""What a person can paste into another terminal to act in the sandbox."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sandbox import outside


@dataclass(frozen=True, kw_only=True)
class Tip:
    """A line for a shell, and what it does."""

    does: str
    command: str


_SHORT = (
    ("A new lead", "-X POST", "lead"),
    ("The customer writes", "-d 'Can you come today?'", "customer"),
    ("The lead's price", "-d '$31.00'", "price"),
    ("A review", "-d 'Great work!'", "review"),
    ("Ana replies", "-d 'Yes, we can.'", "ana"),
    ("  … and edits it", "-X PUT -d 'Yes, at nine.'", "ana"),
    ("  … or a note", "-d 'note: bring a ladder'", "ana"),
    ("Olga connects", "-d '/thumbtack connect'", "olga"),
    ("Thumbtack's new API", "-X POST", "v4"),
    ("  … Ben takes it", '-d "I\'ve got it"', "ben/press"),
    ("  … what he sees", "", "ben"),
    ("  … and its app", "-d 'I can come at four.'", "app"),
    ("Thumbtack is down", "-X POST", "outage"),
    ("  … and back", "-X DELETE", "outage"),
)


def tips(address: str) -> list[Tip]:
    """What can be done in the sandbox served at `address`, in an order that makes sense."""
    place = urlsplit(address).netloc
    acts = [
        Tip(does=does, command=" ".join(filter(None, ("curl", arguments, f"{place}/{path}"))))
        for does, arguments, path in _SHORT
    ]
    return [*acts, Tip(does="See everything", command=f"curl {place}")]


def webhook(bot_url: str) -> Tip:
    """A call as Thumbtack itself makes it, on several lines that can be pasted together."""
    lines = (
        f"curl -u {outside.WEBHOOK_USERNAME}:{outside.WEBHOOK_PASSWORD} -H 'Content-Type: application/json'",
        """-d '{"leadID": "42", "request": {"category": "Plumbing"}}'""",
        f"{bot_url}/v1/lead",
    )
    return Tip(does="Or as Thumbtack itself calls the bot", command=" \\\n  ".join(lines))


def tips_table(address: str, bot_url: str) -> RenderableType:
    """All tips, to be printed without wrapping, so that what is copied is what works."""
    table = Table.grid(padding=(0, 2))
    for tip in tips(address):
        table.add_row(Text(tip.does), Text(tip.command, "bold"))
    last = webhook(bot_url)
    return Group(Text(), table, Text(f"\n{last.does}:\n"), Text(last.command, "bold"), Text())
