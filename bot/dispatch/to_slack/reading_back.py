"""Reads a lead's thread after something was missed: what people did there meanwhile is taken in as Slack would have told it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot import access
from bot.asked import cleaned
from bot.dispatch.plans import Answer, At, Plan, Prepared, Settled
from bot.dispatch.verdicts import Verdict
from bot.failures import Failure, Sort
from bot.replies import MARKS
from bot.reply_rules import written_at
from bot.slack import Slack
from bot.thread_news import ThreadNews
from storage import reading_back, renewing, threads
from storage.away import is_away
from storage.database import StorageError, Transaction
from storage.models import ReplyState
from storage.reading_back import FARTHEST, Written
from storage.threads import LeadThread

PAGES, PAGE = 20, 200
"""What is longer than that is no thread of a lead."""

CUT_OFF = frozenset(
    {
        "account_inactive",
        "ekm_access_denied",
        "invalid_auth",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
"""Why nothing at all can be done in Slack: that is waited for."""

LAG = timedelta(minutes=1)
"""How much later than a message was written Slack's list may show it."""

NOT_STORED = "not_stored"
"""The database was away while a thread was taken in: it is read again."""

ON_ITS_WAY = MARKS[ReplyState.HELD]
HANDLED = frozenset(MARKS.values()) - {None, ON_ITS_WAY}
"""Our marks on a message of which more need not be known."""


async def read_back(at: At) -> Prepared:
    """READ_BACK {thread_id, since, until, quiet}: people's messages since then that we do not know, and what became of those we do.

    Reading twice changes nothing. What was deleted is told by what we knew before it was read, and only of what was
    written before `until`: since then Slack tells it. `quiet`: it was written under quiet mode, whatever holds now.
    """
    thread = await threads.get(at.tx, at.entry.payload["thread_id"])
    if thread is None or await renewing.is_gone(at.tx, thread):
        return None
    since = datetime.fromisoformat(at.entry.payload["since"])
    until = datetime.fromisoformat(at.entry.payload.get("until") or at.now.isoformat())
    known = await reading_back.written_in(at.tx, thread)
    news = ThreadNews(services=at.services, team_id=thread.team_id, bot_user_id=at.identity.user_id)
    reader = _Reader(
        news=news,
        thread=thread,
        known=known,
        since=since,
        until=min(until, at.now - LAG),
        quiet=at.entry.payload.get("quiet", False),
    )

    async def perform() -> Answer:
        listed = await _listed(at.services.slack, thread)
        try:
            await reader.take_in(listed)
        except (StorageError, OSError) as error:
            if not is_away(error):  # a row that is never taken: a mistake of ours, which ends
                raise
            raise Failure(Sort.LATER, NOT_STORED) from error
        return {}

    async def failed(_tx: Transaction, failure: Failure, verdict: Verdict, _now: datetime) -> Verdict | Settled:
        """A thread that cannot be read (we are not in its channel, or lack a scope) must not hold replies for ever."""
        passes = failure.sort in (Sort.LATER, Sort.UNKNOWN) or failure.reason in CUT_OFF
        return verdict if passes else Settled(reason=failure.reason)

    return Plan(perform=perform, failed=failed)


async def _listed(slack: Slack, thread: LeadThread) -> Sequence[Mapping[str, Any]]:
    """All that stands in a thread, oldest first; nothing where the thread is gone. Raises Failure."""
    asked: dict[str, Any] = {"channel": thread.channel, "ts": thread.ts, "limit": PAGE}
    listed: list[Mapping[str, Any]] = []
    for _ in range(PAGES):
        try:
            page = await slack.call("conversations.replies", asked)
        except Failure as failure:
            if failure.reason == "thread_not_found":  # the card was deleted, and every answer to it
                return []
            raise
        listed += page.get("messages", [])
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return listed
        asked["cursor"] = cursor
    raise Failure(Sort.REFUSED, "thread_too_long")


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """Takes in a thread as it stands; `known`: what we knew of it before it was read.

    `until`: what was written later and is not shown was not deleted, or that is told otherwise.
    """

    news: ThreadNews
    thread: LeadThread
    known: Mapping[str, Written]
    since: datetime
    until: datetime
    quiet: bool

    async def take_in(self, listed: Sequence[Mapping[str, Any]]) -> None:
        for message in listed:
            await self._message(cleaned(dict(message)))
        stand = {message.get("ts") for message in listed}
        for ts, written in self.known.items():
            if ts not in stand and written.waits and not written.is_deleted and self._may_miss(ts):
                await self.news.deleted(self.thread.channel, ts, {})

    async def _message(self, message: dict[str, Any]) -> None:
        ts, changed_ts = str(message.get("ts")), (message.get("edited") or {}).get("ts")
        if ts not in self.known:
            if self._is_meant(message):
                await self._know(message.get("user"))
                may_be_out = ON_ITS_WAY in self._marks(message)
                await self.news.said(
                    self.thread.channel, message, changed_ts=changed_ts, may_be_out=may_be_out, quiet=self.quiet
                )
        elif changed_ts is not None and not self.known[ts].is_deleted:
            await self.news.changed(self.thread.channel, message, changed_ts=changed_ts)

    async def _know(self, user: Any) -> None:
        """Ask who wrote it: after a start nobody is known, and what a guest wrote must not go for a reply."""
        if isinstance(user, str):
            await access.may_work(self.news.services, team_id=self.thread.team_id, user_id=user)

    def _is_meant(self, message: Mapping[str, Any]) -> bool:
        """Whether a message that we do not know was written meanwhile.

        One with our mark was handled, as a database knew that was lost or is newer than the one restored in its place.
        """
        at = written_at(message.get("ts"))
        return at is not None and at >= self.since and not self._marks(message) & HANDLED

    def _marks(self, message: Mapping[str, Any]) -> set[str]:
        us = self.news.bot_user_id
        return {one["name"] for one in message.get("reactions") or [] if us in (one.get("users") or [])}

    def _may_miss(self, ts: str) -> bool:
        at = written_at(ts)
        return at is not None and self.until - FARTHEST <= at < self.until
