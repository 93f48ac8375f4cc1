"""What was chosen for single channels, and which of them are closed to us."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlmodel import col

from storage import inserting
from storage.database import Transaction
from storage.models import Channel
from storage.prepared import Prepared


class Chosen(NamedTuple):
    """What was chosen for a channel (see `storage.models.Channel`, whose words these are)."""

    reply_mode: str | None
    contact_data: str | None
    signature: bool | None


async def find(tx: Transaction, channel: str | None) -> Channel | None:
    """What is known of a channel; None where nothing was ever chosen for it. One workspace: its id names it alone."""
    if channel is None:
        return None
    return (await tx.execute(_FIND, {"called": channel})).scalar_one_or_none()


async def get(tx: Transaction, row_id: int) -> Channel | None:
    """A channel by our id."""
    return await tx.get(Channel, row_id)


async def is_closed(tx: Transaction, channel: str) -> bool:
    """Whether it is known that nothing can be posted there."""
    return await closed_as(tx, channel) is not None


async def closed_as(tx: Transaction, channel: str) -> str | None:
    """Why nothing can be posted there, where that is known."""
    why: str | None = await _CLOSED_AS.scalar(tx, called=channel)
    return why


async def chosen(tx: Transaction, channel: str | None) -> Chosen | None:
    """What was chosen for a channel; None where nothing ever was."""
    found = None if channel is None else await _CHOSEN.first(tx, called=channel)
    return None if found is None else Chosen(*found)


async def listed(tx: Transaction) -> Sequence[Channel]:
    """Every channel of which something is known."""
    return (await tx.execute(select(Channel).order_by(col(Channel.id)))).scalars().all()


async def closed(tx: Transaction) -> frozenset[str]:
    """The channels that are closed to us."""
    return frozenset(channel for (channel,) in await _CLOSED.all(tx))


async def choose(tx: Transaction, *, team_id: str, channel: str, **values: Any) -> Channel:
    """Set `reply_mode`, `contact_data` or `signature` of a channel; None for the deployment's default."""
    row = await _ensured(tx, team_id, channel)
    for name, value in values.items():
        setattr(row, name, value)
    await tx.flush()
    return row


async def close(tx: Transaction, *, team_id: str, channel: str, reason: str, now: datetime) -> bool:
    """Nothing can be posted there any more; False where that was known."""
    row = await _ensured(tx, team_id, channel)
    known, row.closed, row.closed_at = row.closed, reason, now
    await tx.flush()
    return known is None


async def reopen(tx: Transaction, *, team_id: str, channel: str) -> bool:
    """One can post there again; False where that was so."""
    row = await find(tx, channel)
    if row is None or row.team_id != team_id or row.closed is None:
        return False
    row.closed, row.closed_at = None, None
    await tx.flush()
    return True


async def _ensured(tx: Transaction, team_id: str, channel: str) -> Channel:
    insert = inserting.by(tx)
    await tx.execute(insert(Channel).values(team_id=team_id, channel=channel).on_conflict_do_nothing())
    query = select(Channel).where(col(Channel.team_id) == team_id, col(Channel.channel) == channel)
    return (await tx.execute(query.with_for_update())).scalar_one()


# Asked for each message; building it takes longer than asking it.
_CLOSED = Prepared(select(col(Channel.channel)).where(col(Channel.closed).is_not(None)))
_FIND = select(Channel).where(col(Channel.channel) == bindparam("called")).order_by(col(Channel.id)).limit(1)
_CLOSED_AS = Prepared(
    select(col(Channel.closed)).where(col(Channel.channel) == bindparam("called")).order_by(col(Channel.id)).limit(1)
)
_CHOSEN = Prepared(
    select(*(col(getattr(Channel, name)) for name in Chosen._fields))
    .where(col(Channel.channel) == bindparam("called"))
    .order_by(col(Channel.id))
    .limit(1)
)
