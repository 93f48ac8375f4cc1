"""Messages that v4 tells and nobody wrote for us to read: the echo of our own reply, and what Thumbtack made itself.

Thumbtack pushes both sides of a conversation. What we sent comes back; it is matched by its id where the send's answer
had one (that answer's shape is not published), else by its text and time.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage import inbound, leads, messages
from storage.database import Transaction
from storage.inbound import Inbound
from storage.models import Direction, Environment, Generation, Lead, Message, ReplyState
from storage.talking import Talk
from webhooks.thumbtack.facts import MessageReceived, Sender

AUTOMATIC_WITHIN = timedelta(seconds=60)
"""How long after a lead Thumbtack's own quick reply and its copy of the description may be written.

Thumbtack's page "Messages, Troubleshooting" names both and says that they may be ignored; no field tells them from what
people write. Hardly anybody reads a lead and answers it in that time.
"""

_BLANKS = re.compile(r"\s+")
_UNSEEN = frozenset({"Cf", "Cc"})
_EMOJI_STYLE = "\ufe0f"


# Our own words, told again


async def reply_of(
    tx: Transaction, lead_id: int | None, fact: MessageReceived, *, environment: Environment, now: datetime
) -> Message | None:
    """Our reply to a lead that this is the echo of, for changing; None for what was not sent from here.

    By its id, else the one nearest in time that says the same and was not told of yet. An id that the call's answer had
    may be another one, so the text counts then too, within the time in which two tellings are the same message.
    """
    if fact.sender is not Sender.BUSINESS:
        return None
    known = await messages.by_thumbtack_id(tx, environment, fact.message_id)
    if known is not None:
        return await messages.to_change(tx, known.id) if known.direction == Direction.OUTBOUND else None
    told, sent_at = normalised(fact.text), fact.sent_at or now
    if lead_id is None or not told:
        return None
    same = [
        reply
        for reply in await messages.handed_over(tx, lead_id, near=sent_at)
        if normalised(reply.sent_text) == told and _may_be(reply, fact, sent_at)
    ]
    return min(same, key=lambda reply: _apart(reply, sent_at), default=None)


def _may_be(reply: Message, fact: MessageReceived, sent_at: datetime) -> bool:
    """Whether a reply with the same text, sent about that time, can be the one this tells of."""
    if reply.echoed_at is not None and reply.generation == fact.generation:
        return False  # told of already, by its own id
    is_told_again = reply.echoed_at is not None or reply.thumbtack_id is not None
    return not is_told_again or _apart(reply, sent_at) <= messages.SAME_TEXT_WITHIN


def _apart(reply: Message, sent_at: datetime) -> timedelta:
    return abs((reply.sent_at or reply.stored_at) - sent_at)


def heard(reply: Message, fact: MessageReceived, *, now: datetime) -> bool:
    """Thumbtack told of a reply: it arrived. True where that was not known yet, and is to be settled."""
    if reply.echoed_at is None:
        reply.echoed_at, reply.generation, reply.thumbtack_id = now, fact.generation, fact.message_id
    return reply.state != ReplyState.DELIVERED


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a list of messages says about a reply: its id there; or that it is nowhere; or neither for sure."""

    message_id: str | None = None
    is_nowhere: bool = False


async def found_in(
    tx: Transaction, lead: Lead, reply: Message, page: Sequence[MessageReceived], *, is_whole: bool
) -> Found:
    """Whether a reply stands in Thumbtack's list of a lead's messages.

    What is known to be another message does not count; and of those that say the same, as many are other replies of ours
    as were delivered without an id. `is_whole`: what is not listed is not there. That a list lacks everything, though
    something was said that we know of, means nothing.
    """
    lead_id, told = leads.known(lead.id), normalised(reply.sent_text)
    same = [
        one
        for one in page
        if one.sender is Sender.BUSINESS
        and normalised(one.text) == told
        and await _is_free(tx, lead, reply, one.message_id)
    ]
    others = [
        one
        for one in await messages.all_handed_over(tx, lead_id)
        if one.id != reply.id and one.thumbtack_id is None and normalised(one.sent_text) == told
    ]
    if len(same) > len(others):
        nearest = min(same, key=lambda one: abs((one.sent_at or _sent(reply)) - _sent(reply)))
        return Found(message_id=nearest.message_id)
    return Found(is_nowhere=not same and is_whole and (bool(page) or not await _was_anything_said(tx, lead_id)))


async def _is_free(tx: Transaction, lead: Lead, reply: Message, message_id: str) -> bool:
    """Whether no other message of ours is known to have this id."""
    known = await messages.by_thumbtack_id(tx, Environment(lead.environment), message_id)
    return known is None or known.id == reply.id


async def _was_anything_said(tx: Transaction, lead_id: int) -> bool:
    replies = await messages.all_handed_over(tx, lead_id)
    by_v4 = [one for one in await inbound.of_lead(tx, lead_id) if one.generation == Generation.V4]
    return bool(by_v4) or any(one.state == ReplyState.DELIVERED for one in replies)


def _sent(reply: Message) -> datetime:
    return reply.sent_at or reply.stored_at


# What Thumbtack made itself


def may_be_automatic(lead: Lead | Talk, message: Inbound) -> bool:
    """Whether Thumbtack may have made this message at all.

    Only about the time at which the lead came, which is known once the lead itself is: until then nothing is.
    """
    if lead.is_placeholder or message.generation != Generation.V4 or message.attachments:
        return False
    began = lead.created_at or lead.received_at
    return began is not None and (message.sent_at or message.stored_at) <= began + AUTOMATIC_WITHIN


def is_automatic(lead: Lead, message: Inbound, others: Sequence[Inbound]) -> bool:
    """Whether Thumbtack made one that it may have made: its copy of the lead's description, or its quick reply to it.

    There is one of each; `others` are the lead's messages that are known.
    """
    if any(one.is_automatic and one.author == message.author and one.id != message.id for one in others):
        return False
    return message.author == Sender.BUSINESS or _says_the_same(message.text, lead.description)


def _says_the_same(text: str | None, other: str | None) -> bool:
    return bool(normalised(text)) and normalised(text) == normalised(other)


def normalised(text: str | None) -> str:
    """Text as two copies of it are compared: Thumbtack may fold blanks and write letters in another way on its way."""
    letters = unicodedata.normalize("NFKC", html.unescape(html.unescape(text or "")))
    folded = _BLANKS.sub(" ", letters)
    seen = (one for one in folded if one != _EMOJI_STYLE and unicodedata.category(one) not in _UNSEEN)
    return "".join(seen).strip().casefold()
