"""Where each lead stands in Slack."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, select, update
from sqlmodel import col

from storage import lanes
from storage.adding import adding
from storage.database import Transaction
from storage.models import Lead, Thread
from storage.prepared import Prepared


class LeadThread(NamedTuple):
    """A lead's thread as it stood when it was read (see `storage.models.Thread`, whose words these are)."""

    id: int
    lead_id: int
    team_id: str
    channel: str
    ts: str
    delivery_id: str
    as_placeholder: bool
    attached_at: datetime


async def lock(tx: Transaction, channel: str) -> None:
    """Hold until this transaction ends what decides whether a post in this channel is a lead's card."""
    await lanes.lock(tx, f"attach:{channel}")


async def get(tx: Transaction, thread_id: int | None) -> LeadThread | None:
    """A thread by our id."""
    found = None if thread_id is None else await _BY_ID.first(tx, of=thread_id)
    return None if found is None else LeadThread(*found)


async def attach(
    tx: Transaction,
    *,
    lead_id: int,
    team_id: str,
    channel: str,
    ts: str,
    delivery_id: str,
    as_placeholder: bool,
    now: datetime,
) -> LeadThread:
    """Remember that a lead's card is this post."""
    values: dict[str, Any] = {
        "lead_id": lead_id,
        "team_id": team_id,
        "channel": channel,
        "ts": ts,
        "delivery_id": delivery_id,
        "as_placeholder": as_placeholder,
        "attached_at": now,
    }
    return LeadThread(id=await _ADD.scalar(tx, **values), **values)


async def arrived(tx: Transaction, thread: LeadThread) -> None:
    """Remember that the card shows the lead itself now."""
    await _ARRIVED.changed(tx, of_id=thread.id)


async def forget(tx: Transaction, thread: LeadThread) -> bool:
    """The card was deleted in Slack: the lead stands nowhere until a new one is posted; False where that was known."""
    gone = delete(Thread).where(col(Thread.id) == thread.id).returning(col(Thread.id))
    return (await tx.execute(gone)).first() is not None


async def own(tx: Transaction, lead_id: int | None) -> LeadThread | None:
    """The thread below a lead's own card: the newest, where there were several."""
    found = await _OWN.first(tx, lead=lead_id)
    return None if found is None else LeadThread(*found)


async def of_lead(tx: Transaction, lead_id: int | None) -> LeadThread | None:
    """The thread a lead is worked in: its own; where it has none and joined another lead, that one's."""
    thread = await own(tx, lead_id)
    if thread is not None or lead_id is None:
        return thread
    lead = await tx.get(Lead, lead_id)
    return None if lead is None or lead.joined_id is None else await of_lead(tx, lead.joined_id)


async def at(tx: Transaction, *, team_id: str, channel: str, ts: str) -> LeadThread | None:
    """The lead thread whose parent is this post."""
    found = await _AT.first(tx, team=team_id, in_channel=channel, at_ts=ts)
    return None if found is None else LeadThread(*found)


async def any_in(tx: Transaction, *, team_id: str, channel: str) -> bool:
    """Whether a lead ever stood in this channel."""
    query = select(col(Thread.id)).where(col(Thread.team_id) == team_id, col(Thread.channel) == channel).limit(1)
    return (await tx.execute(query)).first() is not None


# Built once: that takes longer than asking them.
_COLUMNS = tuple(col(getattr(Thread, name)) for name in LeadThread._fields)
_OWN = Prepared(
    select(*_COLUMNS).where(col(Thread.lead_id) == bindparam("lead")).order_by(col(Thread.id).desc()).limit(1)
)
_BY_ID = Prepared(select(*_COLUMNS).where(col(Thread.id) == bindparam("of")))
_AT = Prepared(
    select(*_COLUMNS).where(
        col(Thread.team_id) == bindparam("team"),
        col(Thread.channel) == bindparam("in_channel"),
        col(Thread.ts) == bindparam("at_ts"),
    )
)
_ADD = adding(Thread, *(name for name in LeadThread._fields if name != "id"))
_ARRIVED = Prepared(update(Thread).where(col(Thread.id) == bindparam("of_id")).values(as_placeholder=False))
