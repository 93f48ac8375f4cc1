"""The mark on a person's own message: exactly one at a time, the new one set before the old one is removed."""

from datetime import datetime

from bot.dispatch.plans import Answer, At, Plan, Prepared, Settled
from bot.dispatch.verdicts import Verdict
from bot.failures import Failure
from bot.replies import MARKS
from storage import messages, pacing
from storage.database import Transaction
from storage.models import ReplyState

THERE_ALREADY = frozenset({"already_reacted"})
GONE_ALREADY = frozenset({"no_reaction", "message_not_found"})
CANNOT_BE_MARKED = frozenset(
    {"message_not_found", "thread_locked", "too_many_reactions", "too_many_emoji", "not_reactable"}
)
"""Errors of reactions.add about the message itself (docs.slack.dev/reference/methods/reactions.add#errors)."""

REMOVING = pacing.method_key("reactions.remove")
"""Slack permits fewer removals than additions: where one belongs to it, a change goes in that pace."""


async def set_mark(at: At) -> Prepared:
    """SET_MARK: bring the mark in Slack up to what the message's state says now.

    What an earlier attempt may have set without our knowing is removed too.
    """
    message = await messages.to_change(at.tx, at.entry.message_id)
    if message is None or message.channel is None:
        return None
    ts = message.slack_ts or message.line_ts
    wanted = MARKS[ReplyState(message.state or ReplyState.KEPT)]
    if ts is None or (wanted == message.mark and not message.marks_tried):
        return None
    others = sorted({name for name in (message.mark, *message.marks_tried) if name not in (None, wanted)})
    message.marks_tried = [name for name in (*others, wanted) if name is not None]
    channel, message_id = message.channel, message.id
    removed: set[str] = set()

    async def perform() -> Answer:
        if wanted is not None:
            await _react(at, "reactions.add", channel, ts, wanted, fine=THERE_ALREADY)
        for other in others:
            await _react(at, "reactions.remove", channel, ts, other, fine=GONE_ALREADY)
            removed.add(other)
        return {}

    async def then(tx: Transaction, _answer: Answer, _now: datetime) -> None:
        marked = await messages.to_change(tx, message_id)
        if marked is not None:
            marked.mark, marked.marks_tried = wanted, []

    async def failed(tx: Transaction, failure: Failure, verdict: Verdict, _now: datetime) -> Verdict | Settled:
        marked = await messages.to_change(tx, message_id) if removed else None
        if marked is not None:
            marked.mark = None if marked.mark in removed else marked.mark
            marked.marks_tried = [name for name in marked.marks_tried if name not in removed]
        return Settled(reason=failure.reason) if failure.reason in CANNOT_BE_MARKED else verdict

    return Plan(perform=perform, then=then, failed=failed, pace=REMOVING if others else None)


async def _react(at: At, method: str, channel: str, ts: str, name: str, *, fine: frozenset[str]) -> None:
    try:
        await at.services.slack.call(method, {"channel": channel, "timestamp": ts, "name": name})
    except Failure as failure:
        if failure.reason not in fine:
            raise
