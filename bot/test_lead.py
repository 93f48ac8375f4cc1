"""`corkboard test-lead` at the terminal: what it needs, and each step of it as it is done."""

import asyncio
import re

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.app import create_app
from bot.services import Services
from bot.settings import Settings
from bot.test_path import Speaker, Step, Verdict, speakers, steps
from storage import migrate
from storage.database import Database
from storage.models import Environment

NOT_STAGING = "This is for Thumbtack's test environment alone: set THUMBTACK_ENVIRONMENT=staging, with its credentials."
NO_CREDENTIALS = (
    "Thumbtack's test path wants the user name and password of its v1 endpoints: set THUMBTACK_LEGACY_USERNAME and "
    "THUMBTACK_LEGACY_PASSWORD."
)
NO_ID = "BUSINESS_ID is the number by which Thumbtack knows the business, as in 286845156044809661."

_ID = re.compile(r"[0-9]{1,40}")
_MARKS = {
    Verdict.HOLDS: Text("✔", "green"),
    Verdict.DUMMY: Text("○", "yellow"),
    Verdict.UNCLEAR: Text("?", "yellow"),
    Verdict.FAILED: Text("✘", "red"),
}


class NotTestable(Exception):  # noqa: N818 -- it reads as the sentence it is
    """The settings are not those of Thumbtack's test environment; the message says what to set."""


def try_test_lead(settings: Settings, console: Console, *, business_id: str | None) -> bool:
    """Go through the test path and print each step; whether none failed. Raises NotTestable, VaultError, StorageError."""
    if settings.thumbtack_environment is not Environment.STAGING:
        raise NotTestable(NOT_STAGING)
    if settings.thumbtack_legacy_username is None or settings.thumbtack_legacy_password is None:
        raise NotTestable(NO_CREDENTIALS)
    if business_id is not None and not _ID.fullmatch(business_id):
        raise NotTestable(NO_ID)
    return asyncio.run(_tried(settings, console, business_id=business_id))


async def _tried(settings: Settings, console: Console, *, business_id: str | None) -> bool:
    services: Services = create_app(settings).state.services
    if not console.is_terminal:
        console.width = 1_000  # piped, each line stays one
    try:
        connected = await _connected(services)
        if business_id is None and len(connected) == 1:
            (business_id,) = connected
        console.print(Text(f"Thumbtack's test environment, {settings.legacy_api_url}", "dim"))
        _introduce(console, connected, business_id)
        done = []
        async for step in steps(services, connected, business_id=business_id):
            done.append(step.verdict)
            _show(console, step, number=len(done))
        console.print(_summary(done))
        return Verdict.FAILED not in done
    finally:
        await services.thumbtack.aclose()
        await services.database.close()


async def _connected(services: Services) -> dict[str, Speaker]:
    """Whose tokens there are; nobody's where there is no database yet."""
    if not _is_there(services.database) or not (await migrate.shape(services.database)).is_usable:
        return {}
    return await speakers(services)


def _is_there(database: Database) -> bool:
    return database.file is None or database.file.exists()


def _introduce(console: Console, connected: dict[str, Speaker], business_id: str | None) -> None:
    speaker = connected.get(business_id or "")
    if speaker is not None:
        told = f"Business {business_id} ({speaker.business.name or 'no name'}) is connected: messages go by v2, with its token."
    elif business_id is not None:
        told = f"Business {business_id} is not connected with the Pro API: messages go by v1, with our own credentials."
    else:
        told = "Thumbtack makes a business up: messages go by v1, with our own credentials."
    console.print(Text(told))
    for known in sorted(connected.keys() - {business_id}):
        console.print(Text(f"Also connected: {known} ({connected[known].business.name or 'no name'})", "dim"))


def _show(console: Console, step: Step, *, number: int) -> None:
    console.print()
    console.print(Text(f"{number}. {step.title} ", "bold") + _MARKS[step.verdict])
    told = Table.grid(padding=(0, 1))
    told.add_column(style="dim")
    told.add_column(overflow="fold")
    for name, words in (("asked", step.asked), ("answer", step.answered), ("means", step.means)):
        told.add_row(Text(f"   {name}"), Text(words))
    console.print(told)


def _summary(done: list[Verdict]) -> Text:
    told = "\nThe test path holds."
    if Verdict.FAILED in done:
        told = "\nIt did not hold: see the last step."
    elif Verdict.DUMMY in done:
        told = "\nThe credentials work, and Thumbtack gave dummy answers: nothing was delivered to anybody."
    elif Verdict.UNCLEAR in done:
        told = "\nNothing failed, but Thumbtack's answers do not tell everything."
    return Text(told, "bold")
