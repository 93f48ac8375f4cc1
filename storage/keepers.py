"""The people who are told about trouble, where the settings name nobody; and what they and others did."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from storage import lanes
from storage.database import Transaction
from storage.models import Audit, Keeper


async def listed(tx: Transaction, team_id: str) -> Sequence[str]:
    """The user ids of the keepers, the first one first."""
    query = select(col(Keeper.user_id)).where(col(Keeper.team_id) == team_id).order_by(col(Keeper.id))
    return (await tx.execute(query)).scalars().all()


async def add_first(tx: Transaction, *, team_id: str, user_id: str, now: datetime) -> bool:
    """Make a person the keeper where there is none; whether they are a keeper now."""
    await lanes.lock(tx, f"keepers:{team_id}")  # of two who ask at once, one is first
    if found := await listed(tx, team_id):
        return user_id in found
    tx.add(Keeper(team_id=team_id, user_id=user_id, since=now))
    tx.add(Audit(team_id=team_id, actor=user_id, action="keeper_set", subject=user_id, at=now))
    await tx.flush()
    return True
