"""What Slack says about its people: who is an admin, who is in which user group and channel; asked at most once a minute."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.failures import Failure, Sort
from bot.rooms import Room
from bot.slack import Slack

log = structlog.get_logger()

GOOD_FOR = timedelta(minutes=1)
"""How long an answer is believed: who is made an admin, or is one no longer, waits no longer than this."""

WITHIN = 2.0
"""Seconds that an answer is waited for: Slack gives the listener that asks 3 in all."""

CHANNELS = "users.conversations"
PAGE = 999  # the most that Slack gives at once

NO_GROUPS = frozenset({"missing_scope", "no_permission", "access_denied", "restricted_action"})
"""What Slack answers a bot that may not read user groups (its scope is optional)."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """A user group that is not disabled. `handle`: what follows the @ where it is mentioned."""

    group_id: str
    name: str
    handle: str
    users: frozenset[str]

    @property
    def label(self) -> str:
        """How people tell it from others."""
        return f"{self.name} (@{self.handle})" if self.handle else self.name


class Directory:
    """Slack's answers about people, remembered for a minute. None in place of an answer: Slack did not give one."""

    def __init__(self, slack: Slack, *, clock: Callable[[], datetime], within: float = WITHIN) -> None:
        """Nothing is asked before somebody wants to know. `within`: seconds that Slack gets to answer."""
        self.within = within
        self._slack = slack
        self._clock = clock
        self._people: dict[str, tuple[datetime, Mapping[str, Any]]] = {}
        self._groups: tuple[datetime, Sequence[Group]] | None = None
        self._channels: dict[str, tuple[datetime, frozenset[str]]] = {}

    async def is_admin(self, user_id: str, *, team_id: str) -> bool | None:
        """Whether a person is an admin or owner of this very workspace."""
        user = await self._person(user_id)
        return None if user is None else _is_admin(user, team_id)

    async def is_outsider(self, user_id: str, *, team_id: str) -> bool | None:
        """Whether a person is a guest here, or of another company; of whom Slack knows nothing is one too."""
        user = await self._person(user_id)
        if user is None:  # whom Slack told of before is hardly another one since then
            _, user = self._people.get(user_id, (None, None))
        return None if user is None else _is_outsider(user, team_id)

    def known_outsider(self, user_id: str, *, team_id: str) -> bool:
        """Likewise by what Slack said before, however long ago, without asking; False where it was never asked."""
        known = self._people.get(user_id)
        return known is not None and _is_outsider(known[1], team_id)

    async def _person(self, user_id: str) -> Mapping[str, Any] | None:
        """Slack's user object; empty for nobody, None where Slack did not answer."""
        now = self._clock()
        known = self._people.get(user_id)
        if known is not None and known[0] > now:
            return known[1]
        found: Mapping[str, Any] = {}
        try:
            answer = await self._asked("users.info", {"user": user_id}, self.within)
            told = answer.get("user")
            if not isinstance(told, Mapping):  # not Slack's words: nothing is known of them
                return None
            found = told
        except Failure as failure:
            if self._not_answered("users.info", failure) is None:
                return None
            return found
        self._people[user_id] = (now + GOOD_FOR, found)
        return found

    async def groups(self, *, within: float | None = None) -> Sequence[Group] | None:
        """The user groups with who is in them; none where the plan has none or the bot may not read them.

        `within`: seconds for somebody who has less time.
        """
        now = self._clock()
        if self._groups is not None and self._groups[0] > now:
            return self._groups[1]
        try:
            answer = await self._asked("usergroups.list", {"include_users": "true"}, within or self.within)
        except Failure as failure:
            if failure.reason not in NO_GROUPS and self._not_answered("usergroups.list", failure) is None:
                return None
            answer = {}
        found = tuple(map(_group, answer.get("usergroups") or ()))
        self._groups = (now + GOOD_FOR, found)
        return found

    async def room(self, channel: str, *, within: float | None = None) -> Room | None:
        """How the bot stands to a channel, asked anew each time (docs.slack.dev/reference/methods/conversations.info)."""
        try:
            answer = await self._asked("conversations.info", {"channel": channel}, within or self.within)
        except Failure as failure:
            if failure.reason == "channel_not_found":
                return Room.NOT_SEEN
            self._not_answered("conversations.info", failure)
            return None
        found = answer.get("channel") or {}
        if found.get("is_archived"):
            return Room.ARCHIVED
        return Room.OPEN if found.get("is_member") else Room.NOT_IN

    async def channels_of(self, user_id: str) -> frozenset[str] | None:
        """The ids of the channels that a person is in, as far as the bot can see them: the private ones that it is in too.

        See docs.slack.dev/reference/methods/users.conversations.
        """
        now = self._clock()
        known = self._channels.get(user_id)
        if known is not None and known[0] > now:
            return known[1]
        found: frozenset[str] = frozenset()
        try:
            async with asyncio.timeout(self.within):
                found = await self._conversations(user_id)
        except TimeoutError:
            self._not_answered(CHANNELS, Failure(Sort.UNKNOWN, "slack_no_answer"))
            return None
        except Failure as failure:
            if self._not_answered(CHANNELS, failure) is None:
                return None
        self._channels[user_id] = (now + GOOD_FOR, found)
        return found

    async def _conversations(self, user_id: str) -> frozenset[str]:
        """Page by page: some of them would look like all of them."""
        found: set[str] = set()
        wanted = {"user": user_id, "types": "public_channel,private_channel", "limit": PAGE}
        cursor = ""
        while True:
            answer = await self._slack.call(CHANNELS, wanted | ({"cursor": cursor} if cursor else {}))
            found.update(str(one.get("id")) for one in answer.get("channels") or ())
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return frozenset(found)

    async def _asked(self, method: str, arguments: Mapping[str, Any], within: float) -> dict[str, Any]:
        try:
            async with asyncio.timeout(within):
                return await self._slack.call(method, arguments)
        except TimeoutError:
            raise Failure(Sort.UNKNOWN, "slack_no_answer") from None

    @staticmethod
    def _not_answered(method: str, failure: Failure) -> bool | None:
        """None for an outage; False where Slack did answer, with a no (nobody there, no such feature)."""
        if failure.sort is Sort.REFUSED:
            return False
        log.warning("slack_not_asked", method=method, reason=failure.reason)
        return None


def _is_admin(user: Mapping[str, Any], team_id: str) -> bool:
    """Slack's user object (docs.slack.dev/reference/objects/user-object); no guest, bot or other company's person.

    `is_stranger` is not enough: who shares a channel with us is none. In an Enterprise Grid a person belongs to several
    workspaces, which `enterprise_user` lists.
    """
    return not _is_outsider(user, team_id) and bool(user.get("is_admin") or user.get("is_owner"))


def _is_outsider(user: Mapping[str, Any], team_id: str) -> bool:
    """Likewise; bots and who was deactivated are nobody of ours either."""
    teams = {user.get("team_id"), *((user.get("enterprise_user") or {}).get("teams") or ())}
    outside = ("is_stranger", "is_restricted", "is_ultra_restricted", "is_bot", "deleted")
    return team_id not in teams or any(user.get(flag) for flag in outside)


def _group(found: Mapping[str, Any]) -> Group:
    handle = str(found.get("handle") or "")
    return Group(
        group_id=str(found.get("id") or ""),
        name=str(found.get("name") or handle),
        handle=handle,
        users=frozenset(found.get("users") or ()),
    )
