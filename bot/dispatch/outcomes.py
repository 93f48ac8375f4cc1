"""Makes the call for a claimed entry and writes down what came of it, in one transaction with what follows from it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot import lifecycle
from bot.dispatch.plans import Answer, Instead, More, Plan, Settled
from bot.dispatch.verdicts import Again, GiveUp, Verdict, judge, judge_mistake
from bot.failures import PACED, RATE_LIMITED, Failure, Sort
from bot.pacing import POST, taken_for
from bot.services import Services
from storage import lanes, outbox, pacing
from storage.database import StorageError, Transaction, touch
from storage.entries import ClaimLost, Entry
from storage.models import WorkState
from storage.outbox import Kind

PAUSES = (0.1, 0.5, 2.0, 5.0, 10.0, 20.0)
"""Seconds between attempts to write an outcome down; together less than a claim holds."""

TOLD_AT = 4
"""The attempt from which on a person is told that a channel is dead: after some seconds, so that a mishap is not told."""

CHANNEL_DEAD = frozenset(
    {
        "access_denied",
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
    }
)
"""What a person can be told of in Slack; that the token is dead cannot be."""

OF_WEBHOOKS = frozenset({Kind.POST_LEAD, Kind.POST_MESSAGE, Kind.POST_REVIEW})
"""What tells the news of a webhook: how long that took is measured."""

BRIEF = frozenset(
    {
        Kind.POST_LEAD, Kind.POST_DETAILS, Kind.POST_PHOTOS, Kind.UPDATE_CARD, Kind.POST_ARRIVED, Kind.POST_CHARGE,
        Kind.POST_STATUS, Kind.POST_MESSAGE, Kind.POST_REVIEW, Kind.POST_REPLY_LINE, Kind.SET_MARK, Kind.SEND_REPLY,
        Kind.CONFIRM_REPLY,
    }
)  # fmt: skip
"""What is about one lead, and asks the database for a few of its rows (see `storage.database.Database.transaction`)."""

BROKE = "broke"
"""Our own code raised after the call may have been made."""

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """An entry that is ours for now, and what to do for it.

    `maybe_done`: an earlier attempt's outcome is not known. `trial`: its channel is held, and everything else that is to
    be posted there waits for the outcome; `next_at`: when the next post may go there.
    """

    entry: Entry
    plan: Plan
    maybe_done: bool
    next_at: datetime
    trial: bool = False


class NotSeen(Failure):
    """It could not be seen whether an earlier attempt was made: that stays unknown, whatever was in the way."""


async def settle(services: Services, claimed: Claimed) -> None:
    """Say it (after looking whether it was said), and write down the outcome; what cannot be is left claimable."""
    taken_for(claimed.entry)
    outcome = await _said(claimed)
    if isinstance(outcome, Failure) and outcome.reason == BROKE:
        services.metrics.mistake("delivery")
    for pause in PAUSES:
        try:
            await _write_down(services, claimed, outcome)
        except ClaimLost:
            log.warning("claim_lost", entry_id=claimed.entry.id, kind=claimed.entry.kind)
        except (StorageError, OSError) as error:
            log.warning("settle_failed", entry_id=claimed.entry.id, error=type(error).__name__)
            await asyncio.sleep(pause)
            continue
        except Exception as error:  # noqa: BLE001 -- a mistake of ours must not leave an entry that comes back for ever
            log.error("settle_broke", entry_id=claimed.entry.id, error=type(error).__name__)  # noqa: TRY400 -- no content
            services.metrics.mistake("delivery")
            break
        return
    await _charge(services, claimed)


async def _said(claimed: Claimed) -> Answer | Failure:
    plan, entry = claimed.plan, claimed.entry
    try:
        if claimed.maybe_done and plan.look is not None:
            found = await _looked(plan.look)
            if found is not None:
                return found
        return await plan.perform()
    except Failure as failure:
        return failure
    except Exception as error:  # noqa: BLE001 -- an answer nobody foresaw: what came of the call is not known
        log.error("delivery_broke", entry_id=entry.id, kind=entry.kind, error=type(error).__name__)  # noqa: TRY400 -- no content
        return Failure(Sort.UNKNOWN, BROKE)


async def _looked(look: Callable[[], Awaitable[Answer | None]]) -> Answer | None:
    """What an earlier attempt did, None where it did nothing."""
    try:
        return await look()
    except Failure as failure:
        if failure.sort is Sort.REFUSED:
            raise
        raise NotSeen(failure.sort, failure.reason, retry_after=failure.retry_after, method=failure.method) from failure


async def _write_down(services: Services, claimed: Claimed, outcome: Answer | Failure) -> None:
    entry = claimed.entry
    about = {"lead_id": entry.lead_id, "message_id": entry.message_id}
    told = log.bind(kind=entry.kind, delivery_id=entry.delivery_id, attempt=entry.attempt, **_known(about))
    async with services.database.transaction(brief=entry.kind in BRIEF) as tx:
        now = services.clock()
        if isinstance(outcome, Failure):
            verdict = await _failed(tx, services, claimed, outcome, now)
        else:
            await _delivered(tx, services, claimed, outcome, now)
    if isinstance(outcome, Failure) and outcome.reason == PACED:
        told.info("delivery_paced", method=outcome.method)
    elif isinstance(outcome, Failure):
        told.warning("delivery_failed", reason=outcome.reason, verdict=type(verdict).__name__)
        count(services, entry, verdict)
    else:
        told.info("delivered")
        since = entry.created_at if entry.kind in OF_WEBHOOKS else None
        services.metrics.delivered(entry.kind, news_since=since, now=now)


def _known(about: dict[str, int | None]) -> dict[str, int]:
    return {name: known for name, known in about.items() if known is not None}


def count(services: Services, entry: Entry, verdict: Verdict | Instead | Settled) -> None:
    """Count what did not succeed, once that is written down; what was settled otherwise is neither."""
    match verdict:
        case Again(reason=reason):
            services.metrics.retried(entry.kind, reason)
        case GiveUp(reason=reason):
            services.metrics.died(entry.kind, reason)


async def _delivered(tx: Transaction, services: Services, claimed: Claimed, answer: Answer, now: datetime) -> None:
    entry = claimed.entry
    await outbox.settle(tx, entry, state=WorkState.DONE, now=now)  # first: it tells whether the claim is still ours
    if claimed.trial and entry.channel:
        await lanes.tried(tx, entry.channel, claimed.next_at, held=False)
        touch(tx, outbox.TOPIC)  # the channel is open again
        await lifecycle.channel_works(tx, services, entry.channel, now=now)
    more = await claimed.plan.then(tx, answer, now) if claimed.plan.then else None
    if isinstance(more, More):
        await outbox.replace(tx, entry, payload=more.payload, now=now)


async def _failed(
    tx: Transaction, services: Services, claimed: Claimed, failure: Failure, now: datetime
) -> Verdict | Instead | Settled:
    entry = claimed.entry
    mistakes = entry.mistakes + (failure.reason == BROKE)
    judged = _judged(services, entry, failure, mistakes, now)
    verdict: Verdict | Instead | Settled = judged
    if claimed.plan.failed is not None:
        final = failure.reason == BROKE and isinstance(judged, GiveUp)
        verdict = await claimed.plan.failed(tx, Failure(Sort.REFUSED, BROKE) if final else failure, judged, now)
    match verdict:
        case Again(at=at, reason=reason, maybe_done=maybe_done):
            unknown = maybe_done or isinstance(failure, NotSeen)
            await outbox.requeue(tx, entry, due_at=at, reason=reason, maybe_done=unknown, mistakes=mistakes)
        case Instead(payload=payload):
            await outbox.replace(tx, entry, payload=payload, now=now)
        case Settled(reason=reason):
            await outbox.settle(tx, entry, state=WorkState.DONE, now=now, reason=reason)
        case GiveUp(reason=reason):
            await give_up(tx, entry, reason, now)
    await _quieten(tx, claimed, failure, verdict)
    if failure.reason in CHANNEL_DEAD and entry.attempt >= TOLD_AT and entry.channel is not None:
        await lifecycle.channel_refuses(tx, services, entry.channel, reason=failure.reason, now=now)
    return verdict


async def _quieten(tx: Transaction, claimed: Claimed, failure: Failure, verdict: Verdict | Instead | Settled) -> None:
    """What a failure means for everything else that is to be posted to the same channel, or said to the same person."""
    channel, again = claimed.entry.channel, verdict if isinstance(verdict, Again) else None
    too_fast = again is not None and failure.reason == RATE_LIMITED
    if again is not None and too_fast and failure.method == POST and claimed.entry.pace is not None:
        await pacing.quiet(tx, claimed.entry.pace, again.at)
    if channel is None:
        return
    if claimed.trial:
        await lanes.tried(tx, channel, again.at if again else claimed.next_at, held=again is not None)
        if again is None:
            touch(tx, outbox.TOPIC)  # the channel is open again
    elif again is not None and again.hold_channel and (failure.method == POST or not too_fast):
        await lanes.quiet(tx, channel, again.at, held=failure.sort is Sort.HELD)


def _judged(services: Services, entry: Entry, failure: Failure, mistakes: int, now: datetime) -> Verdict:
    jitter = services.jitter()
    if failure.reason == BROKE:
        return judge_mistake(BROKE, mistakes=mistakes, now=now, jitter=jitter, maybe_done=True)
    return judge(failure, attempt=entry.attempt, now=now, jitter=jitter)


async def _charge(services: Services, claimed: Claimed) -> None:
    """The outcome cannot be written down, whatever it was: the entry is looked for later, and at last given up."""
    entry, mistakes, jitter = claimed.entry, claimed.entry.mistakes + 1, services.jitter()
    try:
        async with services.database.transaction() as tx:
            now = services.clock()
            verdict = judge_mistake(BROKE, mistakes=mistakes, now=now, jitter=jitter, maybe_done=True)
            match verdict:
                case Again(at=at, reason=reason):
                    await outbox.requeue(tx, entry, due_at=at, reason=reason, maybe_done=True, mistakes=mistakes)
                case GiveUp(reason=reason):
                    await give_up(tx, entry, reason, now)
        count(services, entry, verdict)
    except (ClaimLost, StorageError, OSError) as error:
        log.warning("settle_failed", entry_id=entry.id, error=type(error).__name__)


async def give_up(tx: Transaction, entry: Entry, reason: str, now: datetime) -> None:
    """A dead entry counts as settled, and people are told in its lead's thread (but not that telling people failed)."""
    await outbox.settle(tx, entry, state=WorkState.DEAD, now=now, reason=reason)
    if entry.kind != Kind.POST_NOTICE:
        payload = {"notice": "dead", "outbox_id": entry.id, "kind": entry.kind, "reason": reason, "lead": entry.lead_id}
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, payload=payload)
