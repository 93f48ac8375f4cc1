"""Finds people, user groups and channels of the workspace by what somebody types for them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.directory import NO_GROUPS
from bot.failures import Failure
from bot.settings import SLACK_CHANNEL, SLACK_MEMBER
from bot.slack import Slack

PAGE = 200
"""People, or channels, asked for at once; Slack recommends no more (docs.slack.dev/apis/web-api/pagination)."""

PAGES = 15
"""Slack permits about 20 such questions a minute."""

SHOWN = 6
"""Of several who are called the same, or channels to choose from."""


class NotFound(Exception):  # noqa: N818 -- it reads as the sentence it is
    """Nobody, or several, are called so; the message says who, and what to type."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """A person, group or channel. `called`: what they go by, in lower case."""

    id: str
    label: str
    called: frozenset[str]

    @property
    def shown(self) -> str:
        """For people, as in Ana Silva (U0123456789)."""
        return f"{self.label} ({self.id})"


async def channel(slack: Slack, typed: str) -> Known:
    """The channel of this id or name; by name among those that the bot is in. Raises NotFound, Failure."""
    if SLACK_CHANNEL.match(typed):
        return Known(id=typed, label=typed, called=frozenset())
    name = typed.removeprefix("#").lower()
    known = await channels(slack)
    found = next((one for one in known if name in one.called), None)
    if found is None:
        among = f" It is in {_listed(known)}." if known else ""
        raise NotFound(f"Corkboard is in no channel #{name}.{among} Type /invite @Corkboard in #{name} first.")
    return found


async def channels(slack: Slack) -> list[Known]:
    """The channels that the bot is in. Raises Failure."""
    wanted = {"types": "public_channel,private_channel", "exclude_archived": "true"}
    return [
        Known(id=str(one["id"]), label=f"#{one.get('name')}", called=frozenset({str(one.get("name")).lower()}))
        async for one in _pages(slack, "users.conversations", wanted, "channels")
    ]


async def members(slack: Slack, typed: Sequence[str], *, groups: bool) -> list[Known]:
    """Who is meant by each: an id, a name, an e-mail address, or (with `groups`) a group. Raises NotFound, Failure."""
    people = [one for one in typed if _is_person(one)]
    found = {one: await _person(slack, one) for one in people}
    others = [one for one in typed if one not in found]
    if others:
        known = [_known(user) async for user in _pages(slack, "users.list", {}, "members") if _is_somebody(user)]
        known += await _groups(slack)
        found |= {one: _find(one, known) for one in others}
    for one in found.values():
        if one.id.startswith("S") and not groups:
            raise NotFound(f"{one.shown} is a user group, and a group gets no direct messages: name people.")
    return [found[one] for one in typed]


def _is_person(typed: str) -> bool:
    return bool(SLACK_MEMBER.match(typed)) and not typed.startswith("S")


async def _person(slack: Slack, user_id: str) -> Known:
    try:
        user = (await slack.call("users.info", {"user": user_id})).get("user") or {}
    except Failure as failure:
        if failure.reason == "user_not_found":
            raise NotFound(f"{user_id} is nobody in this workspace.") from None
        raise
    if user.get("deleted"):
        raise NotFound(f"{_known(user).shown} was deactivated: name somebody else.")
    return _known(user)


async def _groups(slack: Slack) -> list[Known]:
    try:
        listed = (await slack.call("usergroups.list", {})).get("usergroups") or []
    except Failure as failure:
        if failure.reason in NO_GROUPS:
            return []
        raise
    return [
        Known(id=str(one["id"]), label=f"@{one.get('handle')}", called=_words(one.get("handle"), one.get("name")))
        for one in listed
    ]


async def _pages(slack: Slack, method: str, wanted: Mapping[str, str], field: str) -> AsyncIterator[dict[str, Any]]:
    cursor = ""
    for _ in range(PAGES):
        more = {"cursor": cursor} if cursor else {}
        answer = await slack.call(method, {**wanted, "limit": PAGE, **more})
        for one in answer.get(field) or ():
            yield one
        cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return


def _is_somebody(user: Mapping[str, Any]) -> bool:
    return not (user.get("deleted") or user.get("is_bot") or user.get("id") == "USLACKBOT")


def _known(user: Mapping[str, Any]) -> Known:
    profile = user.get("profile") or {}
    real = profile.get("real_name") or user.get("real_name")
    names = _words(user.get("name"), real, profile.get("display_name"), profile.get("email"))
    return Known(id=str(user.get("id")), label=str(real or user.get("name") or "?"), called=names)


def _words(*names: object) -> frozenset[str]:
    return frozenset(str(name).lower() for name in names if name)


def _find(typed: str, known: Sequence[Known]) -> Known:
    wanted = typed.removeprefix("@").lower()
    found = [one for one in known if one.id == typed or wanted in one.called]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"Several are called {typed}: {_listed(found)}. Give the id of the one you mean.")
    hint = "Slack shows e-mail addresses to no app that did not ask for them: t" if "@" in wanted else "T"
    raise NotFound(f"Nobody here is called {typed}. {hint}ype the name under which they write, or their member id.")


def _listed(known: Sequence[Known]) -> str:
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return ", ".join(one.shown for one in known[:SHOWN]) + more
