"""The people and user groups that admins and keepers allow to change things."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import col

from storage import audit, lanes
from storage.database import Transaction
from storage.models import Manager


async def listed(tx: Transaction, team_id: str) -> Sequence[str]:
    """The ids of the people (U…, W…) and user groups (S…), the first one allowed first."""
    query = select(col(Manager.subject)).where(col(Manager.team_id) == team_id).order_by(col(Manager.id))
    return (await tx.execute(query)).scalars().all()


async def change(
    tx: Transaction, *, team_id: str, add: Collection[str], remove: Collection[str], actor: str, now: datetime
) -> bool:
    """Allow some and no longer allow others; whether that changed anything, which then is in the audit trail."""
    await lanes.lock(tx, f"managers:{team_id}")  # of two who change at once, the second sees what the first did
    before = await listed(tx, team_id)
    gone, new = set(remove).intersection(before), [one for one in dict.fromkeys(add) if one not in before]
    if not gone and not new:
        return False
    await tx.execute(delete(Manager).where(col(Manager.team_id) == team_id, col(Manager.subject).in_(gone)))
    for subject in new:
        tx.add(Manager(team_id=team_id, subject=subject, added_by=actor, added_at=now))
        await tx.flush()  # in this order
    after = await listed(tx, team_id)
    audit.record(
        tx,
        team_id=team_id,
        actor=actor,
        action="managers_set",
        now=now,
        before={"managers": list(before)},
        after={"managers": list(after)},
    )
    return True
