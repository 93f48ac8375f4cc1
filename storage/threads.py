"""Where each lead stands in Slack."""

from datetime import datetime

from sqlalchemy import bindparam, delete, select
from sqlmodel import col

from storage import lanes
from storage.database import Transaction
from storage.models import Lead, Thread


async def lock(tx: Transaction, channel: str) -> None:
    """Hold until this transaction ends what decides whether a post in this channel is a lead's card."""
    await lanes.lock(tx, f"attach:{channel}")


async def get(tx: Transaction, thread_id: int | None) -> Thread | None:
    """A thread by our id."""
    return None if thread_id is None else await tx.get(Thread, thread_id)


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
) -> Thread:
    """Remember that a lead's card is this post."""
    thread = Thread(
        lead_id=lead_id,
        team_id=team_id,
        channel=channel,
        ts=ts,
        delivery_id=delivery_id,
        as_placeholder=as_placeholder,
        attached_at=now,
    )
    tx.add(thread)
    await tx.flush()
    return thread


async def forget(tx: Transaction, thread: Thread) -> bool:
    """The card was deleted in Slack: the lead stands nowhere until a new one is posted; False where that was known."""
    gone = delete(Thread).where(col(Thread.id) == thread.id).returning(col(Thread.id))
    return (await tx.execute(gone)).first() is not None


async def own(tx: Transaction, lead_id: int | None) -> Thread | None:
    """The thread below a lead's own card: the newest, where there were several."""
    return (await tx.execute(_OWN, {"lead": lead_id})).scalar_one_or_none()


async def of_lead(tx: Transaction, lead_id: int | None) -> Thread | None:
    """The thread a lead is worked in: its own; where it has none and joined another lead, that one's."""
    thread = await own(tx, lead_id)
    if thread is not None or lead_id is None:
        return thread
    lead = await tx.get(Lead, lead_id)
    return None if lead is None or lead.joined_id is None else await of_lead(tx, lead.joined_id)


async def at(tx: Transaction, *, team_id: str, channel: str, ts: str) -> Thread | None:
    """The lead thread whose parent is this post."""
    query = select(Thread).where(col(Thread.team_id) == team_id, col(Thread.channel) == channel, col(Thread.ts) == ts)
    return (await tx.execute(query)).scalar_one_or_none()


async def any_in(tx: Transaction, *, team_id: str, channel: str) -> bool:
    """Whether a lead ever stood in this channel."""
    query = select(col(Thread.id)).where(col(Thread.team_id) == team_id, col(Thread.channel) == channel).limit(1)
    return (await tx.execute(query)).first() is not None


# Asked for each message; building it takes longer than asking it.
_OWN = select(Thread).where(col(Thread.lead_id) == bindparam("lead")).order_by(col(Thread.id).desc()).limit(1)
