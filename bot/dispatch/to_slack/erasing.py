"""Forgetting a business: its rows at once, then its posts by their coordinates, and at last the receipt."""

from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.blocks import disconnecting as blocks
from bot.blocks.posts import Post
from bot.dispatch.plans import Answer, At, Instead, More, NotYet, Plan, Prepared, Settled
from bot.dispatch.to_slack.finding import PAGE, PAGES, find
from bot.dispatch.to_slack.leads import NO_CHANNEL
from bot.dispatch.to_slack.people import to_person
from bot.dispatch.to_slack.posting import posting
from bot.dispatch.verdicts import Again, Verdict
from bot.failures import Failure, Sort
from bot.slack import Identity, Slack
from storage import audit, businesses, connections, erasing, forgetting, keepers
from storage.database import Transaction
from storage.models import Erasure, Generation

UNDER_WAY = NotYet(reason="under_way", pause=timedelta(seconds=2))
"""Something about the business is being posted or sent just now: its outcome decides what is to be deleted."""

POSTS_LEFT = NotYet(reason="posts_left", pause=timedelta(seconds=30))

PATIENCE = timedelta(days=2)
"""How long posts are tried that cannot be reached (the channel is archived, or we are not in it)."""

AGAIN_AFTER = timedelta(minutes=5)

NOT_REACHED = "posts_not_reached"
GONE_ALREADY = frozenset({"message_not_found", "thread_not_found"})

log = structlog.get_logger()


async def erase(at: At) -> Prepared:
    """ERASE {erasure_id}: unless it was called off, everything of the business but where its posts stand."""
    erasure = await erasing.to_change(at.tx, at.entry.payload["erasure_id"])
    if erasure is None or erasure.cancelled_at is not None or erasure.started_at is not None:
        return None
    if await _is_connected(at, erasure):
        await erasing.cancel(at.tx, business_id=erasure.business_id or 0, now=at.now)
        return None
    business = await businesses.get(at.tx, erasure.business_id)
    forgotten = None if business is None else await forgetting.business(at.tx, business, now=at.now)
    if business is not None and forgotten is None:
        return UNDER_WAY
    await erasing.begin(at.tx, erasure, forgotten, now=at.now)
    log.info("erasure_began", erasure_id=erasure.id, **erasure.counts)
    return None


async def _is_connected(at: At, erasure: Erasure) -> bool:
    """Connecting again calls an erasure off; this is the last look."""
    found = [await connections.of_business(at.tx, erasure.business_id, generation) for generation in Generation]
    return any(found)


async def delete_posts(at: At) -> Prepared:
    """DELETE_POSTS {channel, ts | delivery_id and since, erasure_id}: first find our posts, then one at a time.

    `left`: the posts that were found and are still to be deleted, the first of the thread last.
    """
    payload = at.entry.payload
    return _delete_one(at, payload) if "left" in payload else _find_posts(at, payload)


def _find_posts(at: At, payload: dict[str, Any]) -> Plan:
    slack, channel, identity = at.services.slack, payload["channel"], at.identity

    async def perform() -> Answer:
        try:
            ts = payload.get("ts") or await _ts_of(slack, payload)
            return {"left": [] if ts is None else await _ours(slack, channel, ts, identity)}
        except Failure as failure:
            raise _unreached(failure) from failure

    async def then(_tx: Transaction, answer: Answer, _now: datetime) -> More | None:
        return More(payload={**payload, "left": answer["left"]}) if answer["left"] else None

    return Plan(perform=perform, then=then, failed=_patience(at), channel=channel)


async def _ts_of(slack: Slack, payload: dict[str, Any]) -> str | None:
    """A post whose answer was lost is found by the delivery id in it, if it is there."""
    since = datetime.fromisoformat(payload["since"])
    found = await find(slack, payload["channel"], None, payload["delivery_id"], since=since)
    return None if found is None else found["ts"]


async def _ours(slack: Slack, channel: str, ts: str, identity: Identity) -> list[str]:
    """Our posts in the thread of a post, the newest first, so that the card is the last; a single post is a thread too."""
    asked: dict[str, Any] = {"channel": channel, "ts": ts, "limit": PAGE}
    found: set[str] = set()
    for _ in range(PAGES):
        try:
            page = await slack.call("conversations.replies", asked)
        except Failure as failure:
            if failure.reason in GONE_ALREADY:
                break
            raise
        found |= {str(one["ts"]) for one in page.get("messages", []) if _is_ours(one, identity)}
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
        asked["cursor"] = cursor
    return sorted(found, key=float, reverse=True)


def _is_ours(message: dict[str, Any], identity: Identity) -> bool:
    by_bot = identity.bot_id is not None and message.get("bot_id") == identity.bot_id
    return by_bot or message.get("user") == identity.user_id


def _delete_one(at: At, payload: dict[str, Any]) -> Plan:
    slack, channel, (ts, *left) = at.services.slack, payload["channel"], payload["left"]
    erasure_id = payload.get("erasure_id")

    async def perform() -> Answer:
        try:
            await slack.call("chat.delete", {"channel": channel, "ts": ts})
        except Failure as failure:
            if failure.reason in GONE_ALREADY:
                return {"posts": 0}
            raise _unreached(failure) from failure
        return {"posts": 1}

    async def then(tx: Transaction, answer: Answer, _now: datetime) -> More | None:
        await erasing.count(tx, erasure_id, {"posts": answer["posts"]})
        return More(payload={**payload, "left": left}) if left else None

    async def refused(tx: Transaction, failure: Failure) -> Instead | Settled:
        log.warning("post_not_deleted", reason=failure.reason)
        await erasing.count(tx, erasure_id, {"posts_left": 1})
        return Instead(payload={**payload, "left": left}) if left else Settled(reason=failure.reason)

    patience = _patience(at)

    async def failed(tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Instead | Settled:
        return await (refused(tx, failure) if failure.sort is Sort.REFUSED else patience(tx, failure, verdict, now))

    return Plan(perform=perform, then=then, failed=failed, channel=channel)


def _unreached(failure: Failure) -> Failure:
    """A channel in which we may not act is waited for, without holding up what is to be posted elsewhere or there."""
    return Failure(Sort.LATER, NOT_REACHED) if failure.sort is Sort.HELD else failure


def _patience(at: At) -> Any:
    """A Slack that is slow or away is asked again, and never at the cost of new leads' posts."""
    gives_up_at, erasure_id = at.entry.created_at + PATIENCE, at.entry.payload.get("erasure_id")

    async def failed(tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Settled:
        if failure.sort is Sort.REFUSED or (failure.reason == NOT_REACHED and now >= gives_up_at):
            log.warning("posts_left", reason=failure.reason)
            await erasing.count(tx, erasure_id, {"threads_left": 1})
            return Settled(reason=failure.reason)
        again_at = now + AGAIN_AFTER if failure.reason == NOT_REACHED else now
        at_least = verdict.at if isinstance(verdict, Again) else now
        return Again(at=max(again_at, at_least), reason=failure.reason)

    return failed


async def tell_erased(at: At) -> Prepared:
    """TELL_ERASED {erasure_id}: the receipt, to who asked and the keepers (or the channel), once no post is left."""
    erasure = await erasing.to_change(at.tx, at.entry.payload["erasure_id"])
    if erasure is None:
        return None
    if await erasing.threads_left(at.tx, erasure.id or 0):
        return POSTS_LEFT
    _finish(at, erasure)
    named = at.services.settings.slack_keepers or tuple(await keepers.listed(at.tx, at.identity.team_id))
    people = list(dict.fromkeys(one for one in (erasure.asked_by, *named) if one))
    if at.part < len(people):
        return to_person(at, people[at.part], _receipt(erasure), more=True)
    if not people and at.part == 0:
        return _to_channel(at, _receipt(erasure))
    erasure.business_name = erasure.thumbtack_id = None
    return None


def _finish(at: At, erasure: Erasure) -> None:
    if erasure.finished_at is not None:
        return
    erasure.finished_at = at.now
    audit.record(
        at.tx,
        team_id=erasure.team_id,
        actor=erasure.asked_by,
        action="erased",
        subject=erasure.thumbtack_id,
        business_id=erasure.business_id,
        after=erasure.counts,
        now=at.now,
    )
    log.info("erased", erasure_id=erasure.id, **erasure.counts)


def _receipt(erasure: Erasure) -> Post:
    return blocks.receipt(
        erasure.business_name,
        erasure.thumbtack_id,
        counts=erasure.counts,
        started_at=erasure.started_at or erasure.asked_at,
    )


def _to_channel(at: At, post: Post) -> Plan | NotYet:
    channel, others = at.services.settings.slack_leads_channel, {**at.entry.payload, "part": 1}

    async def then(_tx: Transaction, _answer: Answer, _now: datetime) -> More:
        return More(payload=others)

    return NO_CHANNEL if channel is None else posting(at, post, channel=channel, then=then)
