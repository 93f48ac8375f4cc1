"""What Slack says about its people: who is an admin, and who is in which user group; asked at most once a minute."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.failures import Failure, Sort
from bot.slack import Slack

log = structlog.get_logger()

GOOD_FOR = timedelta(minutes=1)
"""How long an answer is believed: who is made an admin, or is one no longer, waits no longer than this."""

WITHIN = 2.0
"""Seconds that an answer is waited for: Slack gives the listener that asks 3 in all."""

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
        self._admins: dict[str, tuple[datetime, bool]] = {}
        self._groups: tuple[datetime, Sequence[Group]] | None = None

    async def is_admin(self, user_id: str, *, team_id: str) -> bool | None:
        """Whether a person is an admin or owner of this very workspace."""
        now = self._clock()
        known = self._admins.get(user_id)
        if known is not None and known[0] > now:
            return known[1]
        try:
            answer = await self._asked("users.info", {"user": user_id}, self.within)
        except Failure as failure:
            return self._not_answered("users.info", failure)
        found = _is_admin(answer.get("user") or {}, team_id)
        self._admins[user_id] = (now + GOOD_FOR, found)
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
    teams = {user.get("team_id"), *((user.get("enterprise_user") or {}).get("teams") or ())}
    outside = ("is_stranger", "is_restricted", "is_ultra_restricted", "is_bot", "deleted")
    if team_id not in teams or any(user.get(flag) for flag in outside):
        return False
    return bool(user.get("is_admin") or user.get("is_owner"))


def _group(found: Mapping[str, Any]) -> Group:
    handle = str(found.get("handle") or "")
    return Group(
        group_id=str(found.get("id") or ""),
        name=str(found.get("name") or handle),
        handle=handle,
        users=frozenset(found.get("users") or ()),
    )
