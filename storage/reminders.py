"""What reminding the team needs to know of a lead, and the reminder that a snooze puts in the place of another."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from storage import leads, outbox
from storage.columns import word
from storage.database import Transaction
from storage.models import Lead, Outbox, WorkState
from storage.outbox import Kind, thumbtack_lane


async def answer_under_way(tx: Transaction, lead_id: int) -> bool:
    """Whether a reply to the customer waits to go out or is going; not one that waits for a person's choice.

    Likewise where the thread is to be read again: somebody may have answered while the program was away.
    """
    query = select(col(Outbox.id)).where(
        col(Outbox.settled_at).is_(None),
        col(Outbox.lane) == thumbtack_lane(lead_id),
        col(Outbox.kind).in_([word(Kind.SEND_REPLY), word(Kind.READ_BACK)]),
        col(Outbox.state) != word(WorkState.PARKED),
    )
    return (await tx.execute(query.limit(1))).first() is not None


async def snooze(tx: Transaction, lead: Lead, *, until: datetime, user: str, now: datetime) -> bool:
    """Nobody is reminded of a waiting customer before then; False where they do not wait (any more).

    The lead comes from `leads.to_change`. What would have reminded until now says nothing when it is due: it does not
    know of this snooze.
    """
    if lead.waiting_since is None:
        return False
    await put_off(tx, lead, since=lead.waiting_since, until=until, now=now)
    leads.record(tx, lead, kind="snoozed", via="slack", actor=user, now=now)
    return True


async def put_off(tx: Transaction, lead: Lead, *, since: datetime, until: datetime, now: datetime) -> None:
    """The customer waits since then, and nobody is reminded before `until`: one new entry knows of both."""
    lead.waiting_since, lead.snoozed_until = since, until
    payload = {"since": since.isoformat(), "snoozed": until.isoformat(), "step": 0}
    await outbox.enqueue(tx, Kind.REMIND, now=now, lead_id=leads.known(lead.id), payload=payload, due_at=until)
