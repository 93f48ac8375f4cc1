"""The channels that leads go to, as the doctor finds them: whether the bot is in them and may write there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.doctor.findings import Area, Finding, State, broken, ok, warning
from bot.failures import Failure, Sort
from bot.slack import Slack
from storage.checkup import Records

MOST = 40
"""Channels that are asked about: Slack permits 50 calls of conversations.info a minute, and `serve` needs some."""

INVITE = "Type /invite @Corkboard there."
ELSEWHERE = "Choose another channel in /thumbtack settings."


@dataclass(frozen=True, kw_only=True)
class Use:
    """A channel, and what sends leads there; `only_threads`: nothing does any more, but leads stand there."""

    channel: str
    by: str
    only_threads: bool = False


def used(records: Records | None, *, default: str | None) -> list[Use]:
    """Every channel that is used, each once: first where new leads go, then where earlier ones stand, the latest first."""
    found: dict[str, Use] = {}
    for use in _uses(records, default=default):
        found.setdefault(use.channel, use)
    return list(found.values())


def _uses(records: Records | None, *, default: str | None) -> list[Use]:
    uses = [Use(channel=default, by="all leads")] if default else []
    if records is None:
        return uses
    own = [one.business for one in records.standings if one.business.channel]
    uses += [Use(channel=one.channel or "", by=f"leads of {one.name or one.thumbtack_id}") for one in own]
    uses += [Use(channel=rule.channel, by=f"rule {place}") for place, rule in enumerate(records.rules, start=1)]
    return uses + [Use(channel=one, by="earlier leads", only_threads=True) for one in records.threads_in]


async def look(slack: Slack, uses: Sequence[Use]) -> list[Finding]:
    """Ask about each; nothing is posted. Stops asking where Slack asks for time."""
    found: list[Finding] = []
    for place, use in enumerate(uses):
        if place == MOST:
            return [*found, _not_asked(uses[place:], "more than Slack may be asked about at once")]
        try:
            answer = await slack.call("conversations.info", {"channel": use.channel})
        except Failure as failure:
            if failure.sort in (Sort.LATER, Sort.UNKNOWN):
                return [*found, _not_asked(uses[place:], failure.reason)]
            found.append(_refused(use, failure.reason))
        else:
            found.append(of_channel(use, answer.get("channel") or {}))
    return found


def _not_asked(uses: Sequence[Use], why: str) -> Finding:
    named = ", ".join(use.channel for use in uses[:3]) + (" …" if len(uses) > 3 else "")
    remedy = "Run `corkboard check` again in a minute."
    return warning(Area.CHANNELS, named, f"{len(uses)} channels could not be asked about ({why})", remedy)


def _refused(use: Use, reason: str) -> Finding:
    if reason == "channel_not_found":
        told = "it was deleted, or is private and the bot is not in it"
        return _finding(use, use.channel, told, f"{INVITE} If it was deleted: {ELSEWHERE.lower()}")
    return _finding(use, use.channel, f"Slack does not tell of it ({reason})", "Mend what Slack's reason names.")


def of_channel(use: Use, channel: Mapping[str, Any]) -> Finding:
    """How the bot stands to a channel, by Slack's conversation object (docs.slack.dev/reference/objects/conversation-object)."""
    subject = f"#{channel.get('name') or '?'} ({use.channel})"
    if channel.get("is_archived"):
        return _finding(use, subject, "it is archived", f"Unarchive it. Or: {ELSEWHERE.lower()}")
    if not channel.get("is_member"):
        return _finding(use, subject, "the bot is not in it", INVITE)
    if restriction := _restriction(channel):
        return _finding(use, subject, restriction, "Let the bot post there: channel settings, Posting permissions.")
    restricted = (channel.get("properties") or {}).get("posting_restricted_to")
    if restricted:
        told = f"{use.by}: the bot is in it, but only some may post there"
        return warning(Area.CHANNELS, subject, told, "Make sure that the bot is among them (Posting permissions).")
    return ok(Area.CHANNELS, subject, f"{use.by}: the bot is in it and may post")


def _restriction(channel: Mapping[str, Any]) -> str | None:
    flags = {
        "is_read_only": "the bot may not post there",
        "is_frozen": "it is frozen: nobody may post there",
        "is_thread_only": "the bot may post in threads alone, and a lead opens one",
        "is_non_threadable": "threads are not allowed there, and every lead is one",
    }
    return next((told for flag, told in flags.items() if channel.get(flag)), None)


def _finding(use: Use, subject: str, told: str, remedy: str) -> Finding:
    """Leads that are answered in a channel that is gone are few; new ones are lost to it all."""
    kind = warning if use.only_threads else broken
    return kind(Area.CHANNELS, subject, f"{use.by}: {told}", remedy)


def known_troubles(records: Records, found: Sequence[Finding]) -> list[Finding]:
    """What the program itself knows: channels closed to us, and channels in which Slack refused a post."""
    closed = [one for one in records.channels if one.closed is not None]
    told = [
        warning(Area.CHANNELS, one.channel, f"closed to Corkboard ({one.closed}); its leads go elsewhere", INVITE)
        for one in closed
        if not _is_told(one.channel, found)
    ]
    held = "Slack refused a post there; what waits is tried every few minutes"
    remedy = "`corkboard outbox list` says why. Mend it, and it goes on by itself."
    return told + [broken(Area.CHANNELS, channel, held, remedy) for channel in records.held]


def _is_told(channel: str, found: Sequence[Finding]) -> bool:
    return any(channel in one.subject and one.state is not State.OK for one in found)
