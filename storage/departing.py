"""A person leaves the workspace: their leads are anybody's again, and nobody calls them any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from storage import cards, leads, owning, states
from storage.database import Transaction
from storage.models import Business, Lead


@dataclass(frozen=True, kw_only=True)
class Departed:
    """What was theirs until now: leads that are not over (our ids), and businesses for which they were on duty."""

    leads: Sequence[int]
    businesses: Sequence[int]

    def __bool__(self) -> bool:
        """Whether there was anything."""
        return bool(self.leads or self.businesses)


async def leave(tx: Transaction, user: str, *, now: datetime) -> Departed:
    """Release what a person has, and take them off duty; what they won, lost or wrote stays on the record as theirs."""
    released = [lead_id for lead_id in await _owned(tx, user) if await _released(tx, lead_id, user, now=now)]
    return Departed(leads=released, businesses=await _off_duty(tx, user))


async def _owned(tx: Transaction, user: str) -> Sequence[int]:
    query = select(col(Lead.id)).where(col(Lead.owner) == user, col(Lead.outcome).is_(None)).order_by(col(Lead.id))
    return [leads.known(lead_id) for lead_id in (await tx.execute(query)).scalars()]


async def _released(tx: Transaction, lead_id: int, user: str, *, now: datetime) -> bool:
    lead = await leads.to_change(tx, lead_id)
    if lead is None or lead.owner != user or states.of(lead) in states.FINISHED:
        return False
    owning.release(tx, lead, user=user, now=now)
    await cards.update(tx, lead_id, now=now)
    return True


async def _off_duty(tx: Transaction, user: str) -> Sequence[int]:
    """Few businesses have people on duty, and their lists are short: they are looked through here, not by the database."""
    query = select(Business).where(col(Business.on_duty).is_not(None)).order_by(col(Business.id))
    found = []
    for business in (await tx.execute(query.with_for_update(key_share=True))).scalars():
        if user in (business.on_duty or ()):
            business.on_duty = [one for one in business.on_duty or () if one != user]
            found.append(leads.known(business.id))
    await tx.flush()
    return found
