"""The automatic first reply to a lead: decided about once, whatever runs twice, and written as a message of nobody's."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import and_, or_, select
from sqlmodel import col

from storage import audit, inserting, leads
from storage.columns import word
from storage.database import Transaction
from storage.models import Business, Direction, Environment, FirstReply, Lead, Message, ReplyState


class When(StrEnum):
    """When a business's first reply goes out, by its hours (`Business.first_reply_when`; None is always)."""

    OFF = "off"  # its text is kept for later
    ALWAYS = "always"
    OPEN = "open"
    CLOSED = "closed"


async def stand_down(tx: Transaction, lead: Lead, *, reason: str, now: datetime) -> bool:
    """There is none for this lead, and never will be; False where that was decided before."""
    return await _decide(tx, lead, reason=reason, now=now) is not None


async def write(tx: Transaction, lead: Lead, text: str, *, team_id: str, now: datetime) -> Message | None:
    """The reply as a message that goes out, in its lead; None where it was decided about before.

    It was written in no window and by nobody; its `view_id` says that its text is exactly what the customer gets.
    """
    decided_id = await _decide(tx, lead, reason=None, now=now)
    if decided_id is None:
        return None
    lead_id = leads.known(lead.id)
    message = Message(
        lead_id=lead_id,
        environment=Environment(lead.environment),
        direction=Direction.OUTBOUND,
        text=text,
        stored_at=now,
        team_id=team_id,
        view_id=f"first-reply:{lead_id}",
        state=ReplyState.HELD,
        is_automatic=True,
    )
    tx.add(message)
    await tx.flush()
    (await tx.get_one(FirstReply, decided_id)).message_id = message.id
    leads.record(tx, lead, kind="first_reply", via="auto", now=now)
    await tx.flush()
    return message


async def _decide(tx: Transaction, lead: Lead, *, reason: str | None, now: datetime) -> int | None:
    insert = inserting.by(tx)
    made = (
        insert(FirstReply)
        .values(lead_id=lead.id, reason=reason, at=now)
        .on_conflict_do_nothing(index_elements=["lead_id"])
        .returning(col(FirstReply.id))
    )
    found: int | None = (await tx.execute(made)).scalar_one_or_none()
    return found


async def is_written(tx: Transaction, lead_id: int, *, before: Message | None = None) -> bool:
    """Whether a lead has one (`before` this one), also one that came from another lead that joined it."""
    query = select(col(Message.id)).where(
        col(Message.lead_id) == lead_id,
        col(Message.direction) == word(Direction.OUTBOUND),
        col(Message.is_automatic).is_(True),
    )
    if before is not None:
        query = query.where(col(Message.id) < before.id)
    return (await tx.execute(query.limit(1))).first() is not None


async def has_a_person_written(tx: Transaction, lead_id: int, *, in_doubt: Collection[str]) -> bool:
    """Whether somebody of the team wrote to this customer in Slack, sent or not yet.

    What stayed inside was not meant for them, unless the team was asked about it: `in_doubt` are those reasons.
    """
    state = col(Message.state)
    is_asked = and_(state == ReplyState.KEPT, col(Message.reason).in_(in_doubt))
    query = select(col(Message.id)).where(
        col(Message.lead_id) == lead_id,
        col(Message.direction) == word(Direction.OUTBOUND),
        col(Message.is_automatic).is_(False),
        or_(state.is_(None), state.not_in([ReplyState.KEPT, ReplyState.CANCELLED]), is_asked),
    )
    return (await tx.execute(query.limit(1))).first() is not None


async def switched_on(tx: Transaction) -> Sequence[Business]:
    """The businesses whose first reply goes out, by name. Those of Thumbtack's staging environment never have one."""
    query = select(Business).where(
        col(Business.environment) == Environment.PRODUCTION,
        col(Business.first_reply).is_not(None),
        col(Business.first_reply_when).is_distinct_from(When.OFF),
    )
    return sorted((await tx.execute(query)).scalars().all(), key=lambda one: (one.name or "", one.id or 0))


def choose(
    tx: Transaction, business: Business, *, text: str, when: When, team_id: str, actor: str, now: datetime
) -> bool:
    """Set a business's first reply; False where it is so already. It is on the record who did, not what it says."""
    before = (business.first_reply, business.first_reply_when)
    if before == (text or None, when) or (before == (None, None) and not text and when is When.OFF):
        return False
    business.first_reply, business.first_reply_when = text or None, when
    audit.record(
        tx,
        team_id=team_id,
        actor=actor,
        action="first_reply_set",
        business_id=business.id,
        before={"when": before[1]},
        after={"when": when},
        now=now,
    )
    return True
