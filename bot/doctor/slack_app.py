"""Slack's side, as the doctor finds it: whose token it is, what it may do, and whether the clocks agree."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from types import MappingProxyType

from bot.doctor.findings import Area, Finding, broken, ok, warning
from bot.failures import Failure, Sort
from bot.slack import Slack

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "channels:history": "replies in public channels are not heard, and a lost answer cannot be looked up",
        "channels:read": "names of channels, and whether one can post there, are not known",
        "chat:write": "nothing is posted",
        "commands": "/thumbtack is not there",
        "groups:history": "replies in private channels are not heard, and a lost answer cannot be looked up",
        "groups:read": "names of private channels, and whether one can post there, are not known",
        "im:write": "nobody is told about trouble",
        "metadata.message:read": "after a lost answer a post is not found again",
        "reactions:write": "replies get no marks",
        "users:read": "names, admins and time zones of people are not known",
    }
)
"""The scopes of manifest.yml that are not optional, each with what is missing without it."""

OPTIONAL: Mapping[str, str] = MappingProxyType(
    {"usergroups:read": "user groups cannot be allowed to change things, nor be on duty"}
)
"""Those of the optional ones that something uses."""

SKEW = timedelta(seconds=60)
TOO_OLD = timedelta(minutes=5)
"""Slack's requests that seem older than this are refused (docs.slack.dev/authentication/verifying-requests-from-slack)."""

AGAIN = "Look at status.slack.com and this machine's way out; what waits is posted once Slack answers."


@dataclass(frozen=True, kw_only=True)
class App:
    """What was found. `answers`: Slack took the token, so that more can be asked. `team_id`: our workspace."""

    findings: list[Finding] = field(default_factory=list)
    answers: bool = False
    team_id: str | None = None


async def look(slack: Slack, *, clock: Callable[[], datetime], signed: bool = True) -> App:
    """Ask auth.test, which changes nothing, and read what its headers say too. `signed`: not over Socket Mode."""
    if not slack.configured:
        return App()
    before = clock()
    try:
        told = await slack.ask("auth.test", {})
    except Failure as failure:
        return App(findings=[_not_taken(failure)])
    now = before + (clock() - before) / 2
    name, team = told.data.get("user") or "?", told.data.get("team") or "?"
    taken = ok(Area.SLACK, "token", f"it is {name}'s, in the workspace {team}")
    findings = [
        taken,
        *of_scopes(told.headers.get("x-oauth-scopes")),
        of_clock(told.headers.get("date"), now=now, signed=signed),
    ]
    return App(findings=findings, answers=True, team_id=told.data.get("team_id"))


def _not_taken(failure: Failure) -> Finding:
    if failure.sort in (Sort.LATER, Sort.UNKNOWN):
        return broken(Area.SLACK, "token", f"Slack does not answer ({failure.reason})", AGAIN)
    remedy = "Copy it once more (OAuth & Permissions), or install the app again; set SLACK_BOT_TOKEN, and restart."
    return broken(Area.SLACK, "token", f"Slack refuses it ({failure.reason})", remedy)


def of_scopes(header: str | None) -> list[Finding]:
    """What the token may do, by the header in which Slack says it (docs.slack.dev/authentication/installing-with-oauth)."""
    if header is None:
        remedy = "Compare the app's scopes (OAuth & Permissions) with manifest.yml."
        return [warning(Area.SLACK, "scopes", "Slack did not say what was granted", remedy)]
    granted = {scope.strip() for scope in header.split(",")}
    found = [_lacks(scope, without, broken) for scope, without in SCOPES.items() if scope not in granted]
    found += [_lacks(scope, without, warning) for scope, without in OPTIONAL.items() if scope not in granted]
    return found or [ok(Area.SLACK, "scopes", f"all that are needed ({len(SCOPES) + len(OPTIONAL)})")]


def _lacks(scope: str, without: str, kind: Callable[[Area, str, str, str], Finding]) -> Finding:
    remedy = "Add it to the app (OAuth & Permissions, or manifest.yml anew), install the app again, and restart."
    return kind(Area.SLACK, f"scope {scope}", f"not granted: {without}", remedy)


def of_clock(header: str | None, *, now: datetime, signed: bool = True) -> Finding:
    """Whether this machine's clock and Slack's agree; Slack says whole seconds. `signed`: requests hold Slack's time."""
    theirs = _read(header)
    if theirs is None:
        return warning(
            Area.SLACK, "clock", "Slack did not say what time it is", "Compare this machine's clock yourself."
        )
    apart = abs(now - theirs)
    told = f"{apart.total_seconds():.0f} s {'behind' if theirs > now else 'ahead of'} Slack's"
    remedy = "Let this machine keep its clock by NTP (timedatectl set-ntp true)."
    if apart >= TOO_OLD and signed:
        return broken(Area.SLACK, "clock", f"{told}: everything that comes from Slack is refused", remedy)
    if apart >= SKEW:
        return warning(Area.SLACK, "clock", told, remedy)
    return ok(Area.SLACK, "clock", "it agrees with Slack's")


def _read(header: str | None) -> datetime | None:
    try:
        theirs = None if header is None else parsedate_to_datetime(header)
    except ValueError:
        return None
    return None if theirs is None or theirs.tzinfo is None else theirs


async def of_people(slack: Slack, ids: Collection[str], *, subject: str) -> list[Finding]:
    """Whether these people are still there: one finding for each that is not."""
    found = []
    for user_id in ids:
        if not user_id.startswith("S"):
            found += await _person(slack, user_id, subject)
    return found


async def _person(slack: Slack, user_id: str, subject: str) -> list[Finding]:
    remedy = "Name somebody else."
    try:
        user = (await slack.call("users.info", {"user": user_id})).get("user") or {}
    except Failure as failure:
        if failure.reason == "user_not_found":
            return [warning(Area.SLACK, subject, f"{user_id} is nobody here", remedy)]
        return []  # what keeps Slack from answering stands elsewhere
    return [warning(Area.SLACK, subject, f"{user_id} was deactivated", remedy)] if user.get("deleted") else []
