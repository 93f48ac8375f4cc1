"""About the team's own replies: what came of them, what only their writer is asked, what the modal's reply looks like."""

from datetime import datetime, timedelta

from bot import replies
from bot.blocks import deliveries, first_replies, private
from bot.blocks.posts import Post
from bot.dispatch.plans import Answer, At, Plan, Prepared, Settled
from bot.dispatch.to_slack.leads import hides, lead_of
from bot.dispatch.to_slack.posting import one_of, posting
from bot.dispatch.verdicts import Verdict
from bot.errors import Reason
from bot.failures import Failure, Sort
from bot.notes import without_send
from bot.plaintext import to_plain
from bot.reply_rules import Desk
from storage import leads, messages, threads
from storage.database import Transaction
from storage.models import Message, ReplyState

TOLD_OF = {"refused": ReplyState.REFUSED, "unknown": ReplyState.UNKNOWN, "overdue": ReplyState.OVERDUE}

TOO_LATE = {"edited_too_late": deliveries.edited_too_late, "deleted_too_late": deliveries.deleted_too_late}


async def post_outcome(at: At) -> Prepared:
    """POST_OUTCOME {outcome, …}: what came of a reply, in its thread, with what can be done about it."""
    thread = await threads.of_lead(at.tx, at.entry.lead_id)
    message = await messages.get(at.tx, at.entry.message_id)
    if thread is None or message is None or message.id is None:
        return None
    if message.state != TOLD_OF[at.entry.payload["outcome"]]:
        return None  # it was decided before we could tell
    hidden = await hides(at, await lead_of(at))
    post = _outcome(at, message.id, message, said=None if hidden else message.text)
    return posting(at, post, channel=thread.channel, thread=thread)


def _outcome(at: At, message_id: int, message: Message, *, said: str | None) -> Post:
    """`said`: the text, where everybody in the channel may read it."""
    payload, writer = at.entry.payload, message.author
    match payload["outcome"]:
        case "unknown":
            return deliveries.unknown(message_id, writer=writer, said=said)
        case "overdue":
            held_by = payload.get("held_by")
            return deliveries.overdue(message_id, writer=writer, minutes=payload["minutes"], held_by=held_by, said=said)
        case _:
            reason: str = payload["reason"]
            detail = None if said is None else payload.get("detail")
            return deliveries.refused(message_id, writer=writer, reason=reason, detail=detail, said=said)


async def post_prompt(at: At) -> Prepared:
    """POST_PROMPT {prompt}: what only the writer sees. It vanishes when they reload, and asking twice does no harm."""
    message = await messages.get(at.tx, at.entry.message_id)
    if message is None or message.channel is None or message.id is None:
        return None
    turn = one_of(at, await _prompts(at, message))
    if turn is None:
        return None
    post, then = turn
    arguments = {
        "channel": message.channel,
        "user": message.author,
        "thread_ts": message.thread_ts,
        "text": post.text,
        "blocks": post.blocks,
    }

    async def perform() -> Answer:
        return await at.services.slack.call("chat.postEphemeral", arguments)

    async def failed(_tx: Transaction, failure: Failure, verdict: Verdict, _now: datetime) -> Verdict | Settled:
        return Settled(reason=failure.reason) if failure.sort in (Sort.REFUSED, Sort.UNKNOWN) else verdict

    return Plan(perform=perform, then=then, failed=failed)


async def _prompts(at: At, message: Message) -> list[Post]:
    """What to say; nothing where what was to be asked has been decided meanwhile."""
    if at.entry.payload["prompt"] == "inside":
        text = without_send(to_plain(message.text, message.blocks, {}))
        stays = message.state == ReplyState.KEPT and message.deleted_at is None
        return deliveries.copy_back(text, reason=message.reason) if stays else []
    post = await prompt_of(at, message, said=message.text)
    return [] if post is None else [post]


async def prompt_of(at: At, message: Message, *, said: str | None) -> Post | None:
    """What its writer is asked or told now about a reply; `said` is the text, where it may be shown."""
    message_id, prompt = leads.known(message.id), at.entry.payload["prompt"]
    match prompt, message.state:
        case "held", ReplyState.HELD:
            goes_at = message.stored_at + timedelta(seconds=at.services.settings.reply_hold_seconds)
            return deliveries.held_prompt(message_id, goes_at=goes_at, said=said)
        case "kept", ReplyState.KEPT:
            return deliveries.kept_prompt(message_id, why=message.reason or "", said=said)
        case "file", ReplyState.CHOICE:
            return deliveries.file_choice(message_id, said=said)
        case ((Reason.SECOND_WRITER | Reason.CONTACT_DATA), ReplyState.CHOICE) if message.reason == prompt:
            owner = (await lead_of(at)).owner
            other = None if owner == message.author else owner
            return deliveries.doubted(message_id, why=Reason(prompt), owner=other, said=said)
        case _:
            return TOO_LATE[prompt]() if prompt in TOO_LATE else None


async def post_reply_line(at: At) -> Prepared:
    """POST_REPLY_LINE: what somebody wrote with the Reply button, in the thread; it carries the mark."""
    thread = await threads.of_lead(at.tx, at.entry.lead_id)
    message = await messages.get(at.tx, at.entry.message_id)
    if thread is None or message is None:
        return None
    message_id = message.id

    async def then(tx: Transaction, answer: Answer, now: datetime) -> None:
        shown = await messages.to_change(tx, message_id)
        if shown is None:
            return
        shown.channel, shown.thread_ts, shown.line_ts = answer["channel"], thread.ts, answer["ts"]
        await replies.remark(Desk(tx=tx, settings=at.services.settings, now=now), shown)

    if message.is_automatic and message.state == ReplyState.KEPT:
        return None  # somebody was faster: it was not sent
    hidden = await hides(at, await lead_of(at))
    post = private.reply(thread.lead_id, message.author) if hidden else _line(message)
    return posting(at, post, channel=thread.channel, thread=thread, then=then)


def _line(message: Message) -> Post:
    if message.is_automatic:
        return first_replies.line(message.text or "")
    return deliveries.modal_line(message.author or "", message.text or "")
