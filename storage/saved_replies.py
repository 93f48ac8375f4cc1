"""Texts that the team answers with, each under a name; who changed which is on the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlmodel import col

from storage import audit, lanes
from storage.database import Transaction
from storage.models import SavedReply

MOST = 50
"""How many a team can have: a longer list is not read while a customer waits."""


class Wrong(StrEnum):
    """Why a saved reply was not stored."""

    NAME_TAKEN = "name_taken"
    TOO_MANY = "too_many"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class Worded:
    """A reply as somebody wants it."""

    name: str
    text: str


async def listed(tx: Transaction, team_id: str) -> Sequence[SavedReply]:
    """Every saved reply, by name."""
    found = (await tx.execute(select(SavedReply).where(col(SavedReply.team_id) == team_id))).scalars().all()
    return sorted(found, key=lambda one: (one.name.casefold(), one.id or 0))


async def get(tx: Transaction, reply_id: int, *, team_id: str) -> SavedReply | None:
    """A saved reply of this team by our id."""
    query = select(SavedReply).where(col(SavedReply.id) == reply_id, col(SavedReply.team_id) == team_id)
    return (await tx.execute(query)).scalar_one_or_none()


async def add(tx: Transaction, worded: Worded, *, team_id: str, actor: str, now: datetime) -> Wrong | None:
    """Store a new one; the same once more, submitted twice, changes nothing."""
    await _alone(tx, team_id)
    twin = await _named(tx, worded.name, team_id)
    if twin is not None:
        return None if (twin.name, twin.text) == (worded.name, worded.text) else Wrong.NAME_TAKEN
    query = select(func.count()).select_from(SavedReply).where(col(SavedReply.team_id) == team_id)
    if (await tx.execute(query)).scalar_one() >= MOST:
        return Wrong.TOO_MANY
    tx.add(SavedReply(team_id=team_id, name=worded.name, text=worded.text, changed_by=actor, changed_at=now))
    after = {"name": worded.name}
    audit.record(
        tx, team_id=team_id, actor=actor, action="saved_reply_added", subject=worded.name, after=after, now=now
    )
    await tx.flush()
    return None


async def change(
    tx: Transaction, reply_id: int, worded: Worded, *, team_id: str, actor: str, now: datetime
) -> Wrong | None:
    """Give one another name or text."""
    await _alone(tx, team_id)
    reply = await get(tx, reply_id, team_id=team_id)
    if reply is None:
        return Wrong.GONE
    twin = await _named(tx, worded.name, team_id)
    if twin is not None and twin.id != reply_id:
        return Wrong.NAME_TAKEN
    before = reply.name
    if (reply.name, reply.text) == (worded.name, worded.text):
        return None
    reply.name, reply.text, reply.changed_by, reply.changed_at = worded.name, worded.text, actor, now
    audit.record(
        tx,
        team_id=team_id,
        actor=actor,
        action="saved_reply_changed",
        subject=worded.name,
        now=now,
        before={"name": before},
        after={"name": worded.name},
    )
    await tx.flush()
    return None


async def remove(tx: Transaction, reply_id: int, *, team_id: str, actor: str, now: datetime) -> bool:
    """Delete one; False where it is gone already."""
    await _alone(tx, team_id)
    reply = await get(tx, reply_id, team_id=team_id)
    if reply is None:
        return False
    await tx.delete(reply)
    before = {"name": reply.name}
    audit.record(
        tx, team_id=team_id, actor=actor, action="saved_reply_deleted", subject=reply.name, before=before, now=now
    )
    await tx.flush()
    return True


async def _named(tx: Transaction, name: str, team_id: str) -> SavedReply | None:
    """The one with this name, whatever its case: two that look alike cannot be told apart in a menu."""
    wanted = name.casefold()
    return next((one for one in await listed(tx, team_id) if one.name.casefold() == wanted), None)


async def _alone(tx: Transaction, team_id: str) -> None:
    """Nobody else changes the list until this transaction ends."""
    await lanes.lock(tx, f"saved_replies:{team_id}")
