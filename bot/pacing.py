"""How often Slack may be asked what, and the gate in front of every call: it keeps each method's tier, on all replicas together.

What an entry of the outbox mainly does is taken from its bucket when it is claimed (`bot.dispatch.dispatcher`). All
other calls (who somebody is, whether a post is there already, a second mark) take theirs here, right before they are made.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import structlog

from bot.failures import PACED, Failure, Sort
from storage import lanes, pacing
from storage.database import Database, StorageError
from storage.entries import Entry
from storage.pacing import Rate

POST = "chat.postMessage"
POST_BURST = 3
"""Posts that go to a channel at once: a card, its details and its photos. Slack permits "short bursts" without a number."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What Slack permits in a workspace, and how many of them we make at once."""

    a_minute: int
    burst: int


TIER_2, TIER_3, TIER_4 = Limit(a_minute=20, burst=4), Limit(a_minute=50, burst=10), Limit(a_minute=100, burst=20)
HUNDREDS = Limit(a_minute=300, burst=20)
"""Slack says "hundreds" and "several hundred" a minute; 300 is the least that this can mean."""

LIMITS: Mapping[str, Limit] = {
    POST: HUNDREDS,
    "chat.delete": TIER_3,
    "chat.getPermalink": HUNDREDS,
    "chat.postEphemeral": TIER_4,
    "chat.update": TIER_3,
    "conversations.history": TIER_3,
    "conversations.info": TIER_3,
    "conversations.open": TIER_3,
    "conversations.replies": TIER_3,
    "reactions.add": TIER_3,
    "reactions.remove": TIER_2,
    "usergroups.list": TIER_2,
    "users.conversations": TIER_3,
    "users.info": TIER_4,
    "users.list": TIER_2,
    "views.publish": TIER_4,
}
"""Per method, app and workspace (docs.slack.dev/apis/web-api/rate-limits); the tier stands on each method's page."""

WITHOUT = timedelta(seconds=30)
"""How long nobody asks after a 429 that does not say for how long: what Slack's page shows as an example."""

_taken: ContextVar[str | None] = ContextVar("taken", default=None)

_made: ContextVar[set[str] | None] = ContextVar("made", default=None)
"""The methods that the attempt under way has called; None outside of one."""

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Paces:
    """Slack's limits as rates; all of them are raised where `posts_per_second` is (only against stand-ins)."""

    posts_per_second: float

    @cached_property
    def post(self) -> Rate:
        """To one channel: about one a second, with short bursts."""
        return Rate(interval=timedelta(seconds=1 / self.posts_per_second), burst=POST_BURST)

    def of(self, method: str) -> Rate | None:
        """Of a method in the whole workspace; None where nothing is known of a limit, or nobody may be kept waiting."""
        return self._of_methods.get(method)

    @cached_property
    def _of_methods(self) -> Mapping[str, Rate]:
        raised = max(1.0, self.posts_per_second)
        return {
            method: Rate(interval=timedelta(minutes=1) / (limit.a_minute * raised), burst=int(limit.burst * raised))
            for method, limit in LIMITS.items()
        }

    def bounds(self, entry: Entry) -> list[tuple[str, Rate]]:
        """The rows that an entry takes from, the narrower one first."""
        workspace = self.of(POST)
        if entry.pace is not None and entry.pace.startswith(pacing.METHOD):
            rate = self.of(entry.pace.removeprefix(pacing.METHOD))
            return [(entry.pace, rate)] if rate else []
        key = entry.pace or (entry.channel and lanes.pace_key(entry.channel))
        return [(key, self.post), (lanes.ALL_POSTS, workspace)] if key and workspace else []


def taken_for(entry: Entry) -> None:
    """An attempt begins. The first call of the method that its entry was claimed for was taken then; holds for this task."""
    is_method = entry.pace is not None and entry.pace.startswith(pacing.METHOD)
    _taken.set(entry.pace.removeprefix(pacing.METHOD) if is_method and entry.pace else None)
    _made.set(set())


def _is_begun(method: str) -> bool:
    made = _made.get()
    return made is not None and method in made


def _begun(method: str) -> None:
    made = _made.get()
    if made is not None:
        made.add(method)


class Gate:
    """Stands before each call to Slack but posts. Nothing waits here: who comes too early hears when to come again."""

    def __init__(self, database: Database, paces: Paces, *, clock: Callable[[], datetime]) -> None:
        """The rows are in this database, for all replicas."""
        self._database, self._paces, self._clock = database, paces, clock

    async def enter(self, method: str) -> None:
        """Take one call out of the method's bucket; raises Failure where it is empty, or Slack asked for time.

        Whoever has made one call of the method may make the next ones of the same attempt, which others then wait for
        longer: begun again from the start, it would never end. Without a database the call is made: nobody else makes
        many then.
        """
        rate = self._paces.of(method)
        if rate is None or method == POST:
            return
        if _taken.get() == method:
            _taken.set(None)
            _begun(method)
            return
        key, now = pacing.method_key(method), self._clock()
        try:
            async with self._database.transaction(brief=True) as tx:
                if await pacing.take(tx, key, rate, now=now, in_debt=_is_begun(method)) is not None:
                    _begun(method)
                    return
                free_at = await pacing.next_at(tx, key, now=now)
        except (StorageError, OSError) as error:
            log.warning("pace_not_kept", method=method, error=type(error).__name__)
            return
        raise Failure(Sort.LATER, PACED, retry_after=(free_at - now).total_seconds(), method=method)

    async def refused(self, failure: Failure) -> None:
        """Slack answered 429: no replica makes this call before the time; posts are a matter of their channel."""
        method = failure.method
        if method is None or method == POST or self._paces.of(method) is None:
            return
        asked = WITHOUT if failure.retry_after is None else timedelta(seconds=failure.retry_after)
        try:
            async with self._database.transaction(brief=True) as tx:
                await pacing.quiet(tx, pacing.method_key(method), self._clock() + asked)
        except (StorageError, OSError) as error:
            log.warning("pace_not_kept", method=method, error=type(error).__name__)
