"""How a post goes out: with our delivery id in it, so that after an unknown outcome it can be found again."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.blocks.posts import Post
from bot.dispatch.plans import Answer, At, Instead, More, Plan, Settled
from bot.dispatch.to_slack.finding import THREAD_GONE, find, take_back
from bot.dispatch.to_slack.plain import plain
from bot.dispatch.verdicts import Again, Verdict
from bot.failures import Failure, Sort
from bot.slack import Slack
from storage import leads, renewing
from storage.database import Transaction
from storage.threads import LeadThread

EVENT_TYPE = "corkboard_delivery"

GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"})
UNSHOWABLE = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text"})
FALLBACKS = frozenset({"plain", "links"})

CARD_FIRST = timedelta(seconds=3)
"""How long what belongs under a card waits for the new card; then it looks again."""

Then = Callable[[Transaction, Answer, datetime], Awaitable[More | None]]
Failed = Callable[[Transaction, Failure, Verdict, datetime], Awaitable[Verdict | Instead | Settled]]


def post_body(post: Post, delivery_id: str) -> dict[str, Any]:
    """The arguments that chat.postMessage and chat.update share; links in a customer's words are not unfurled."""
    first, *rest = post.blocks
    return {
        "text": post.text,
        "blocks": [{**first, "block_id": delivery_id}, *rest],
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"delivery_id": delivery_id}},
        "unfurl_links": False,
        "unfurl_media": False,
    }


def posting(
    at: At,
    post: Post,
    *,
    channel: str,
    thread: LeadThread | None = None,
    then: Then | None = None,
    instead: dict[str, Any] | None = None,
) -> Plan:
    """A plan that posts. `instead`: the payload to try once with when Slack cannot show these blocks."""
    shown = plain(post) if at.entry.payload.get("plain") else post
    arguments = {"channel": channel, **post_body(shown, at.entry.delivery_id)}
    if thread is not None:
        arguments |= {"thread_ts": thread.ts, "reply_broadcast": shown.broadcast}
    slack, delivery_id, since = at.services.slack, at.entry.delivery_id, at.entry.sending_at or at.now

    async def perform() -> Answer:
        answer = await slack.call("chat.postMessage", arguments)
        if thread is not None and answer["message"].get("thread_ts") != thread.ts:
            await _take_back(slack, answer)
            raise Failure(Sort.REFUSED, THREAD_GONE)
        return answer

    async def look() -> Answer | None:
        return await find(slack, channel, thread, delivery_id, since=since)

    return Plan(
        perform=perform,
        look=look,
        then=then,
        failed=_or_new_card(at, thread, _or_instead(at, instead)),
        channel=channel,
    )


async def _take_back(slack: Slack, stray: Answer) -> None:
    """Delete what went into the channel instead; where that may not be yet, it is found there by looking, and deleted then."""
    try:
        await take_back(slack, stray)
    except Failure as failure:
        raise Failure(Sort.UNKNOWN, failure.reason, retry_after=failure.retry_after, method=failure.method) from failure


def _or_new_card(at: At, thread: LeadThread | None, otherwise: Failed) -> Failed:
    """Somebody deleted the card in Slack: the lead gets a new one first, and what was to be said waits for it."""

    async def failed(tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Instead | Settled:
        if thread is not None and failure.reason == "channel_not_found" and await renewing.is_gone(tx, thread):
            return await _elsewhere(at, tx, thread, now)
        if thread is None or failure.reason != THREAD_GONE:
            return await otherwise(tx, failure, verdict, now)
        await renewing.deleted(tx, thread, now=now)
        return Again(at=now + CARD_FIRST, reason=THREAD_GONE)

    return failed


async def _elsewhere(at: At, tx: Transaction, thread: LeadThread, now: datetime) -> Verdict | Settled:
    """The channel was deleted while this was under way: news come below a new card, all else has nowhere to go."""
    lead = await leads.get(tx, thread.lead_id)
    if lead is None or at.entry.kind not in renewing.NEWS:
        return Settled(reason="channel_deleted")
    await renewing.renew(tx, lead, thread, now=now, default=at.services.settings.slack_leads_channel, lane=None)
    return Again(at=now + CARD_FIRST, reason=THREAD_GONE)


def _or_instead(at: At, payload: dict[str, Any] | None) -> Failed:
    tried = at.entry.payload

    async def failed(_tx: Transaction, failure: Failure, verdict: Verdict, _now: datetime) -> Verdict | Instead:
        if failure.sort is not Sort.REFUSED or failure.reason not in UNSHOWABLE or tried.get("plain"):
            return verdict
        if payload is not None and not payload.items() <= tried.items():
            return Instead(payload={**tried, **payload})
        return Instead(payload={**tried, "plain": True})

    return failed


def updating(at: At, post: Post, *, channel: str, ts: str, delivery_id: str, then: Then | None = None) -> Plan:
    """A plan that changes a post in place; doing it twice does no harm, and a post that is gone stays gone."""
    shown = plain(post) if at.entry.payload.get("plain") else post
    arguments = {"channel": channel, "ts": ts, **post_body(shown, delivery_id)}
    unshowable = _or_instead(at, None)

    async def perform() -> Answer:
        return await at.services.slack.call("chat.update", arguments)

    async def failed(tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Instead | Settled:
        if failure.reason in GONE:
            return Settled(reason=failure.reason)
        return await unshowable(tx, failure, verdict, now)

    return Plan(perform=perform, then=then, failed=failed, channel=channel)


def one_of(at: At, posts: Sequence[Post], then: Then | None = None) -> tuple[Post, Then] | None:
    """Of several posts that belong together, the one whose turn it is, and what makes the next one follow."""
    if at.part >= len(posts):
        return None
    payload = {name: value for name, value in at.entry.payload.items() if name not in FALLBACKS}

    async def follow(tx: Transaction, answer: Answer, now: datetime) -> More | None:
        if at.part == 0 and then is not None:
            await then(tx, answer, now)
        return More(payload={**payload, "part": at.part + 1}) if at.part + 1 < len(posts) else None

    return posts[at.part], follow
