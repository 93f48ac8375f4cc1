"""What its writer is asked about a reply that is meant for the customer, before it goes out; it changes nothing."""

from bot import contact_data, reply_rules
from bot.errors import Reason
from bot.notes import Disposition
from bot.plaintext import to_plain
from bot.policies import Policy
from bot.reply_rules import Desk
from storage import people
from storage.models import ContactData, Lead, Message

DOUBTS = (Reason.CONTACT_DATA, Reason.SECOND_WRITER)
"""What the writer is asked about a reply that is meant for the customer, in this order; each once.

Somebody else may take the lead while the first is asked about, so whose it is comes last.
"""

STOPPED_EARLY = (Reason.TOO_LONG, Reason.CONTACT_BLOCKED)
"""Why a reply is refused before it was asked whose lead it answers."""


async def next_one(desk: Desk, message: Message, lead: Lead, *, past: str | None) -> Reason | None:
    """What is to be asked next; of `past` and what comes before it, nothing is asked again."""
    asked = DOUBTS.index(Reason(past)) + 1 if past in DOUBTS else 0
    still = DOUBTS[asked:]
    doubt = await contact_doubt(desk, message) if Reason.CONTACT_DATA in still else None
    if doubt is None and Reason.SECOND_WRITER in still and lead.owner not in (None, message.author):
        return Reason.SECOND_WRITER
    return doubt


async def contact_doubt(desk: Desk, message: Message) -> Reason | None:
    """What becomes of a phone number or an e-mail address in a reply, by what was chosen for the channel."""
    policy, text = await reply_rules.policy_of(desk, message), to_plain(message.text, message.blocks, {})
    return await doubt_about(desk, text, policy=policy, team_id=message.team_id or "", user_id=message.author or "")


async def doubt_about(desk: Desk, text: str, *, policy: Policy, team_id: str, user_id: str) -> Reason | None:
    """Likewise for words of this person that are no message yet."""
    if policy.contact_data is ContactData.OFF or not contact_data.carries(text):
        return None
    if policy.contact_data is ContactData.BLOCK:
        return Reason.CONTACT_BLOCKED
    return None if await people.contact_ok(desk.tx, team_id=team_id, user_id=user_id) else Reason.CONTACT_DATA


async def is_doubtful_by_edit(desk: Desk, message: Message) -> bool:
    """Whether it was edited, since somebody said yes to it, into what does not go out without being asked about."""
    read = is_to_be_read(message) and message.slack_ts is not None
    return read and await reply_rules.reading(desk, message) not in (Disposition.SEND, Disposition.FILE_WITH_TEXT)


def is_to_be_read(message: Message) -> bool:
    """Whether it was refused for what it carries, or edited since somebody said yes to it."""
    if message.reason == Reason.CONTACT_BLOCKED:
        return True
    edited_at = reply_rules.written_at(message.changed_ts)
    return edited_at is not None and (message.confirmed_at is None or edited_at > message.confirmed_at)
