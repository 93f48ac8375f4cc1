"""How fast Slack may be asked: a bucket per channel and per method, as strict as the bot takes Slack's words to be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limit:
    """So many a minute on the average, and `at_once` of them after a while of nothing."""

    a_minute: float
    at_once: int


# docs.slack.dev/apis/web-api/rate-limits. Slack gives no numbers for bursts. The bot makes 3 posts to a channel, 20 in the
# workspace and a fifth of a minute's other calls at once; here a little more is permitted, because what leaves the bot at
# an even pace does not arrive so: a call may be a second slower than the next one.
CHANNEL = Limit(a_minute=60, at_once=4)
HUNDREDS = Limit(a_minute=300, at_once=25)
TIERS: Mapping[int, Limit] = {
    2: Limit(a_minute=20, at_once=5),
    3: Limit(a_minute=50, at_once=12),
    4: Limit(a_minute=100, at_once=24),
}
TIER_OF: Mapping[str, int] = {
    "chat.delete": 3,
    "chat.postEphemeral": 4,
    "chat.update": 3,
    "conversations.history": 3,
    "conversations.info": 3,
    "conversations.members": 4,
    "conversations.open": 3,
    "conversations.replies": 3,
    "reactions.add": 3,
    "reactions.get": 3,
    "reactions.remove": 2,
    "usergroups.list": 2,
    "usergroups.users.list": 2,
    "users.conversations": 3,
    "users.info": 4,
    "users.list": 2,
    "views.open": 4,
    "views.publish": 4,
    "views.push": 4,
    "views.update": 4,
}
"""The tier on each method's page; what is not here (auth.test, chat.postMessage, chat.getPermalink) has hundreds a minute."""


def limits_of(method: str, channel: str | None) -> Sequence[tuple[str, Limit]]:
    """What a call is counted in; `channel`: where a message is posted."""
    tier = TIER_OF.get(method)
    own = (method, TIERS[tier] if tier else HUNDREDS)
    return (own,) if channel is None else (own, (f"{method} {channel}", CHANNEL))


class Bucket:
    """Buckets that refill by a clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, limits: Sequence[tuple[str, Limit]]) -> float:
        """Seconds until the next call is permitted by all of these; 0 when it is now, and then it is counted in each."""
        now = self._clock()
        left = {key: self._refilled(key, limit, now) for key, limit in limits}
        short = [(1 - left[key]) * 60 / limit.a_minute for key, limit in limits if left[key] < 1]
        self._left |= {key: (found - (not short), now) for key, found in left.items()}
        return max(short, default=0.0)

    def _refilled(self, key: str, limit: Limit, now: float) -> float:
        left, at = self._left.get(key, (float(limit.at_once), now))
        return min(float(limit.at_once), left + (now - at) * limit.a_minute / 60)
