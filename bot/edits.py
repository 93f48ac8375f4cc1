"""What an edit or a deletion in Slack means for a reply: before it went out it counts, afterwards its writer is told.

While a reply is being sent nobody knows which of the two it is. It is only noted then, and decided with the outcome.
"""

from bot import doubts, replies, reply_rules
from bot.errors import Reason
from bot.notes import Disposition
from bot.reply_rules import Desk
from storage.messages import Said
from storage.models import Message, ReplyState

GONE_OUT = (ReplyState.DELIVERED, ReplyState.LOOKING, ReplyState.UNKNOWN)


async def edited(desk: Desk, message: Message, said: Said) -> None:
    """The writer changed a message. What Slack tells again, or later than something newer, changes nothing."""
    if message.deleted_at is not None or (said.changed_ts or "") < (message.changed_ts or ""):
        return
    before = message.text
    message.text, message.blocks = said.text, said.blocks
    message.changed_ts = said.changed_ts or message.changed_ts
    if before == said.text:
        return
    if message.state in GONE_OUT:
        await replies.prompt(desk, message, "edited_too_late")
    else:
        await _decide_again(desk, message)


async def _decide_again(desk: Desk, message: Message) -> None:
    kind = await reply_rules.reading(desk, message)
    match message.state:
        case ReplyState.HELD | ReplyState.WAITING | ReplyState.CHOICE | ReplyState.OVERDUE:
            await _going(desk, message, kind)
        case ReplyState.KEPT if message.reason in replies.ASKS:
            await _asked(message, kind)
        case ReplyState.REFUSED:
            await _refused(desk, message, kind)
        case _:
            return


async def _going(desk: Desk, message: Message, kind: Disposition) -> None:
    """What waits goes on waiting, with the new text, unless the new text must not go."""
    if kind in (Disposition.SEND, Disposition.FILE_WITH_TEXT):
        await _doubted(desk, message)
        return
    if kind in (Disposition.TOO_LONG, Disposition.FILE_ALONE):
        await replies.withdraw(desk, message, ReplyState.REFUSED, reason=kind)
        await replies.outcome(desk, message, "refused", reason=kind)
        return
    await replies.withdraw(desk, message, ReplyState.KEPT, reason=kind)
    if kind in replies.ASKS:
        await replies.prompt(desk, message, "kept")


async def _doubted(desk: Desk, message: Message) -> None:
    """An edit may bring a phone number into a reply that waits or is asked about, or take it out of one.

    What is not sent by itself is looked at when a person says that it shall be (see `replies.resend`).
    """
    is_asked = message.state == ReplyState.CHOICE and message.reason in doubts.DOUBTS
    if message.state not in replies.GOING and not is_asked:
        return
    doubt = await doubts.contact_doubt(desk, message)
    if doubt is None and is_asked and message.reason == Reason.CONTACT_DATA:
        await replies.go_on(desk, message)
    elif doubt is not None and doubt != message.reason:
        await replies.stop(desk, message, doubt)


async def _asked(message: Message, kind: Disposition) -> None:
    """The Send button that stands may send a text without doubts, but no note."""
    if kind not in (Disposition.SEND, Disposition.FILE_WITH_TEXT):
        message.reason = kind


async def _refused(desk: Desk, message: Message, kind: Disposition) -> None:
    """Retry sends the present text, but no note; a file that got a text can go without the file."""
    if kind is Disposition.NOTE:
        await replies.move(desk, message, ReplyState.KEPT, reason=kind)
    elif message.reason == Reason.FILE_ALONE and kind is Disposition.FILE_WITH_TEXT:
        await replies.move(desk, message, ReplyState.CHOICE, reason=kind)
        await replies.prompt(desk, message, "file")


async def deleted(desk: Desk, message: Message) -> None:
    """The writer deleted a message."""
    if message.deleted_at is not None:
        return
    message.deleted_at = desk.now
    if message.state in GONE_OUT:
        await replies.prompt(desk, message, "deleted_too_late")
    elif message.state != ReplyState.SENDING:
        await cancel(desk, message)


async def cancel(desk: Desk, message: Message) -> None:
    """It never goes out, and its words are forgotten."""
    if message.lead_id is None:
        message.state = ReplyState.CANCELLED
    else:
        await replies.withdraw(desk, message, ReplyState.CANCELLED)
    message.text, message.blocks = None, []


async def went_out(desk: Desk, message: Message, sent: str) -> None:
    """A reply went out, or may have, as `sent`: what its writer did to it meanwhile came too late."""
    if message.deleted_at is not None:
        await replies.prompt(desk, message, "deleted_too_late")
    elif (message.text or "") != sent:
        await replies.prompt(desk, message, "edited_too_late")


async def stopped(desk: Desk, message: Message, tried: str) -> bool:
    """A reply did not go out as `tried`: whether what its writer did to it meanwhile means that it never shall."""
    message.state = ReplyState.WAITING
    if message.deleted_at is not None:
        await cancel(desk, message)
    elif (message.text or "") != tried:
        await _going(desk, message, await reply_rules.reading(desk, message))
    return message.state != ReplyState.WAITING
