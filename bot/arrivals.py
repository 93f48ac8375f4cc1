"""What became of a reply that was handed to Thumbtack: it arrived, it is looked for, or its writer is asked.

Nothing is said twice to a customer: what may have arrived goes out again only where Thumbtack's own list does not have it,
or a person says so.
"""

from datetime import datetime, timedelta

from bot import doubts, edits, replies, signature
from bot.errors import Reason
from bot.notes import without_send
from bot.plaintext import ids_to_name, to_plain
from bot.reply_rules import Desk
from storage import leads, outbox, polling, unsettled
from storage.models import Message, ReplyState
from storage.outbox import Kind, thumbtack_lane

READS = (timedelta(seconds=5), timedelta(seconds=55), timedelta(seconds=60))
"""How long after the one before each reading of the list comes; the first after the answer was lost. Two minutes."""

LOOKED_FOR = timedelta(minutes=10)
"""How long a list that cannot be read just now is waited for; later replies to this customer wait behind it."""


async def arrived(desk: Desk, message: Message) -> None:
    """The customer has it: the mark says so, it counts as the team's answer, and it does not go out again."""
    before = message.state
    entry = await unsettled.reply(desk.tx, leads.known(message.id))
    if entry is not None:
        await outbox.cancel(desk.tx, leads.known(entry.id), now=desk.now)
    message.sent_at = message.sent_at or desk.now
    await replies.move(desk, message, ReplyState.DELIVERED)
    if before not in edits.GONE_OUT:  # else its writer was told when they changed it
        await edits.went_out(desk, message, (message.text or "") if is_as_sent(message) else "")
    await replies.answered(desk, message)


async def lost(desk: Desk, message: Message, *, position: str, tried: str) -> None:
    """Whether it arrived is not known: Thumbtack's list is read where it can be, else its writer is asked."""
    if not await _can_be_looked_for(desk, message):
        await ask(desk, message)
    else:
        await replies.move(desk, message, ReplyState.LOOKING, reason=Reason.OUTCOME_UNKNOWN)
        await look(desk, message, position=position, reads=0, until=desk.now + LOOKED_FOR)
    await edits.went_out(desk, message, tried)


async def look(desk: Desk, message: Message, *, position: str, reads: int, until: datetime) -> None:
    """Read the list, for the time after `reads`, in the reply's place of its lane: later replies do not overtake it."""
    await outbox.enqueue(
        desk.tx,
        Kind.LOOK_FOR_REPLY,
        now=desk.now,
        lane=thumbtack_lane(leads.known(message.lead_id)),
        position=position,
        payload={"reads": reads, "until": until.isoformat()},
        due_at=desk.now + READS[reads],
        lead_id=message.lead_id,
        message_id=message.id,
    )


async def ask(desk: Desk, message: Message) -> None:
    """It may have arrived: said plainly, and never sent again unless a person says so."""
    await replies.move(desk, message, ReplyState.UNKNOWN, reason=Reason.OUTCOME_UNKNOWN)
    await replies.outcome(desk, message, "unknown")


async def send_again(desk: Desk, message: Message, *, position: str) -> None:
    """It did not arrive, as Thumbtack's list shows. What its writer changed meanwhile is theirs to decide about."""
    if message.deleted_at is not None or not is_as_sent(message) or await doubts.is_doubtful_by_edit(desk, message):
        await ask(desk, message)
        return
    await replies.move(desk, message, ReplyState.WAITING, reason=Reason.OUTCOME_UNKNOWN)
    await replies.send(desk, message, position=position)


def is_as_sent(message: Message) -> bool:
    """Whether what stands in Slack is what was handed to Thumbtack, as far as that can be told without asking Slack."""
    text, blocks = message.text, message.blocks
    if message.view_id is not None or text is None or message.sent_text is None or ids_to_name(text, blocks):
        return True
    return signature.is_same(message.sent_text, without_send(to_plain(text, blocks, {})))


async def _can_be_looked_for(desk: Desk, message: Message) -> bool:
    """Whether v4 may be asked what was said about the lead; a text that never reached the call cannot be compared."""
    lead = None if message.lead_id is None else await leads.get(desk.tx, message.lead_id)
    if lead is None or not message.sent_text or lead.environment != desk.settings.thumbtack_environment:
        return False
    way = await polling.followed(desk.tx, lead)
    return way is not None and way.messages
