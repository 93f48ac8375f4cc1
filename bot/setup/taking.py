"""Takes what was typed for a setting: puts it into shape, refuses what cannot be right, and tests it at once."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from bot import settings
from bot.command_start import cause
from bot.doctor import configuration, rooms, slack_app, socket_mode
from bot.doctor.findings import Area, Finding, State, broken, ok, warning
from bot.doctor.keeping import PATIENCE
from bot.failures import Failure
from bot.settings import SettingsError
from bot.setup import people, reaching
from bot.setup.draft import Draft, masked
from bot.setup.env_file import unkeepable
from bot.setup.people import Known, NotFound
from bot.setup.questions import ANSWER, HAS_PASSWORD, QUESTIONS
from bot.slack import Slack
from storage import migrate
from storage.database import Database, StorageError

SIGNING_SECRET = re.compile(r"[0-9a-f]{32}")

NO_TOKEN = "not tested: there is no bot token"  # noqa: S105 -- a sentence

NO_ANSWER = (
    "Copy it once more (OAuth & Permissions), or install the app again. Where Slack does not answer, look at this "
    "machine's way out."
)

LATER = "Go on with it as it is; `corkboard check` tests it later."


class NotTaken(Exception):  # noqa: N818 -- it reads as the sentence it is
    """It cannot be right; the message says why, and what to type."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A value that can be right. `shown`: for people's eyes. `findings`: what testing it showed."""

    value: str = field(repr=False)  # it may be a secret
    shown: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing that was found keeps leads or replies from getting through."""
        return all(one.state is not State.BROKEN for one in self.findings)


@dataclass(frozen=True, kw_only=True)
class Trier:
    """What testing needs. Without `asking` nobody outside is asked. `resolve`: how the DNS is."""

    draft: Draft
    clock: Callable[[], datetime]
    asking: bool = True
    resolve: reaching.Resolve = reaching.resolve

    async def take(self, name: str, typed: str) -> Taken:
        """What becomes of it. Raises NotTaken."""
        if wrong := unkeepable(typed.strip()):  # an arrow key, in what would be shown again
            raise NotTaken(_sentence(wrong))
        value = SHAPES.get(name, str.strip)(typed)
        if name in NAMED:
            return await NAMED[name](self, value)
        self.refuse(name, value)
        findings = await TESTS[name](self, value) if self.asking and name in TESTS else []
        return Taken(value=value, shown=shown(name, value), findings=findings)

    def refuse(self, name: str, value: str) -> None:
        """Raise NotTaken where the program would refuse it."""
        wrong = _not_called(value) or _http(value) if name == "PUBLIC_URL" else None
        if wrong := wrong or refusal(name, value):
            raise NotTaken(_sentence(wrong))

    @asynccontextmanager
    async def slack(self) -> AsyncIterator[Slack | None]:
        """Slack, by the token and address of the draft; None where it cannot be asked."""
        token = self.draft.get("SLACK_BOT_TOKEN")
        async with speaking(self.draft, token) as slack:
            yield slack if token and self.asking else None


@asynccontextmanager
async def speaking(draft: Draft, token: str | None) -> AsyncIterator[Slack]:
    """Slack by this token."""
    slack = Slack(token=token, base_url=draft.setting("SLACK_API_URL"))
    await slack.open()
    try:
        yield slack
    finally:
        await slack.close()


def refusal(name: str, value: str) -> str | None:
    """What the program has against a value; None where it takes it."""
    try:
        settings.load(_env_file=None, **{name.lower(): value})
    except SettingsError as error:
        found = re.search(rf"^  {name}: (.+)$", str(error), re.MULTILINE)
        return None if found is None else found[1]
    return None


def _sentence(wrong: str) -> str:
    """Of what the program has against a value."""
    told = f"It {wrong}" if wrong.startswith(("must ", "holds ")) else f"{wrong[:1].upper()}{wrong[1:]}"
    return told if told.endswith("?") else f"{told}."


def shown(name: str, value: str) -> str:
    """A value for people's eyes."""
    question = QUESTIONS.get(name)
    if name in HAS_PASSWORD and not value.startswith("sqlite"):
        return str(configuration.shown(value))
    if name == "PUBLIC_URL" and "@" in value:  # of the environment, or of .env
        return str(configuration.shown(value))
    field_of = settings.Settings.model_fields[name.lower()]
    is_secret = question.is_secret if question else "Secret" in str(field_of.annotation)
    return masked(value) if is_secret else value


# The shape


def _address(typed: str) -> str:
    """With https:// where only a host was typed, and without slashes at its end."""
    address = typed.strip().rstrip("/")
    return address if "://" in address else f"https://{address}"


def _http(value: str) -> str | None:
    if value.startswith("http://") and refusal("PUBLIC_URL", value):
        host = value.removeprefix("http://")
        return f"must begin with https://: Slack and Thumbtack call nothing else. Is it https://{host}?"
    return None


def _not_called(value: str) -> str | None:
    """What nobody could call, with our paths behind it."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return "must be an address like https://leads.example.com"
    if parts.username is not None:
        return "must not hold a user name or password: Slack and Thumbtack show their own"
    if not parts.hostname or any(letter.isspace() for letter in value):
        return "must not hold a blank" if parts.hostname else "must be an address like https://leads.example.com"
    return "must not hold a ? or #: what comes after it is no part of the address" if {"?", "#"} & {*value} else None


def _channel_of_link(typed: str) -> str:
    """The channel's id where its link was pasted (channel name → three dots → Copy link)."""
    found = re.search(r"/archives/([CG][A-Z0-9]+)", typed)
    return found[1] if found else typed.strip()


SHAPES: Mapping[str, Callable[[str], str]] = {"PUBLIC_URL": _address, "SLACK_LEADS_CHANNEL": _channel_of_link}


# The tests


async def _public_url(trier: Trier, value: str) -> list[Finding]:
    return await reaching.look(value, resolve=trier.resolve)


async def _bot_token(trier: Trier, value: str) -> list[Finding]:
    signed = not trier.draft.get("SLACK_APP_TOKEN")
    async with speaking(trier.draft, value) as slack:
        app = await slack_app.look(slack, clock=trier.clock, signed=signed)
    return app.findings if app.answers else [replace(one, remedy=NO_ANSWER) for one in app.findings]


async def _app_token(trier: Trier, value: str) -> list[Finding]:
    async with speaking(trier.draft, trier.draft.get("SLACK_BOT_TOKEN")) as slack:
        return await socket_mode.look(slack, value, None)


async def _signing_secret(_: Trier, value: str) -> list[Finding]:
    if SIGNING_SECRET.fullmatch(value):
        told = "it looks like one; whether it is right shows when Slack first calls"
        return [ok(Area.SLACK, "signing secret", told)]
    told = "Slack's are 32 letters and numbers, from 0-9 and a-f: this is something else, or not all of it"
    return [warning(Area.SLACK, "signing secret", told, "Compare it in Slack; it cannot be tested from here.")]


async def _password(_: Trier, value: str) -> list[Finding]:
    if len(value) >= configuration.SHORTEST_PASSWORD:
        return []
    told = f"shorter than {configuration.SHORTEST_PASSWORD} letters: it can be guessed"
    return [warning(Area.SETTINGS, "password", told, "Leave it empty, and a good one is made.")]


async def _database(trier: Trier, value: str) -> list[Finding]:
    database = Database(value)
    try:
        if database.file is not None and not database.file.exists():
            return [_folder(database.file.absolute().parent)]
        async with asyncio.timeout(PATIENCE):
            shape = await migrate.shape(database)
    except (StorageError, OSError) as error:
        if database.file is not None and isinstance(error, OSError) and trier.draft.is_fixed("DATABASE_URL"):
            # of an image, in whose volume nobody may look but who serves
            told = f"not tested: {database.file.parent} is closed to you ({cause(error)})"
            return [
                warning(Area.DATABASE, "database", told, "`corkboard check` tests it where `corkboard serve` runs.")
            ]
        remedy = "Mend the address, or start its server, then test again."
        return [broken(Area.DATABASE, "database", f"it does not do as asked ({cause(error)})", remedy)]
    finally:
        await database.close()
    told = "it answers, and is new" if not shape.is_usable else "it answers, with what is kept in it"
    return [ok(Area.DATABASE, "database", told)]


def _folder(folder: Path) -> Finding:
    if folder.is_dir():
        return ok(Area.DATABASE, "database", f"`corkboard serve` makes it in {folder}")
    return broken(Area.DATABASE, "database", f"there is no folder {folder}", "Make it, or name another.")


TESTS: Mapping[str, Callable[[Trier, str], Awaitable[list[Finding]]]] = {
    "PUBLIC_URL": _public_url,
    "SLACK_BOT_TOKEN": _bot_token,
    "SLACK_APP_TOKEN": _app_token,
    "SLACK_SIGNING_SECRET": _signing_secret,
    "THUMBTACK_WEBHOOK_PASSWORD": _password,
    "DATABASE_URL": _database,
}


# What is named by people


async def _channel(trier: Trier, typed: str) -> Taken:
    async with trier.slack() as slack:
        if slack is None:
            return _untested(trier, "SLACK_LEADS_CHANNEL", typed)
        try:
            found = await people.channel(slack, typed)
        except NotFound as error:
            raise NotTaken(str(error)) from None
        except Failure as failure:
            raise NotTaken(f"{_not_asked(failure)}: try again, or give an id.") from None
        asked = await rooms.look(slack, [rooms.Use(channel=found.id, by="all leads")])
    return Taken(value=found.id, shown=found.shown if found.called else found.id, findings=asked)


async def _members(trier: Trier, name: str, typed: str) -> Taken:
    wanted = [one.strip() for one in typed.split(",") if one.strip()]
    async with trier.slack() as slack:
        if slack is None:
            return _untested(trier, name, typed)
        try:
            found = await people.members(slack, wanted, groups=name == "SLACK_RING")
        except NotFound as error:
            raise NotTaken(str(error)) from None
        except Failure as failure:
            if refusal(name, typed) is None:
                _refuse_groups(name, wanted)
                return Taken(value=typed, shown=typed, findings=[_not_tested(_not_asked(failure))])
            raise NotTaken(f"{_not_asked(failure)}: try again, or give an id.") from None
    return _of_known(list({one.id: one for one in found}.values()))


def _of_known(found: list[Known]) -> Taken:
    told = ", ".join(one.shown for one in found)
    finding = ok(Area.SLACK, ANSWER, told)
    return Taken(value=",".join(one.id for one in found), shown=told, findings=[finding])


def _untested(trier: Trier, name: str, typed: str) -> Taken:
    """Only an id will do where Slack cannot be asked for names."""
    if (wrong := refusal(name, typed)) is not None:
        raise NotTaken(_sentence(wrong))
    _refuse_groups(name, map(str.strip, typed.split(",")))
    findings = [_not_tested(NO_TOKEN)] if trier.asking else []
    return Taken(value=typed, shown=typed, findings=findings)


def _not_asked(failure: Failure) -> str:
    return f"Slack could not be asked ({failure.reason})"


def _refuse_groups(name: str, ids: Iterable[str]) -> None:
    """By its id, where Slack cannot say what it is."""
    if name == "SLACK_KEEPERS" and (groups := ", ".join(one for one in ids if one.startswith("S"))):
        raise NotTaken(f"{groups} is a user group, and a group gets no direct messages: name people.")


def _not_tested(told: str) -> Finding:
    return warning(Area.SLACK, ANSWER, told, LATER)


async def _ring(trier: Trier, typed: str) -> Taken:
    return await _members(trier, "SLACK_RING", typed)


async def _keepers(trier: Trier, typed: str) -> Taken:
    return await _members(trier, "SLACK_KEEPERS", typed)


NAMED: Mapping[str, Callable[[Trier, str], Awaitable[Taken]]] = {
    "SLACK_LEADS_CHANNEL": _channel,
    "SLACK_RING": _ring,
    "SLACK_KEEPERS": _keepers,
}
