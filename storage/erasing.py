"""Forgetting a business, step by step: announced a day ahead, called off by connecting it again, begun, and told."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select
from sqlmodel import col

from storage import audit, homes, outbox
from storage.database import Transaction, touch
from storage.forgetting import Forgotten
from storage.models import Business, Erasure, Outbox, WorkState
from storage.outbox import Kind, erasure_lane
from storage.posts import Place

AFTER = timedelta(hours=24)
"""How long after it was asked for an erasure begins: time to change one's mind, and well inside Thumbtack's 5 days."""

AT_ONCE = 1_000

LAST = 9
"""The priority of deleting posts: whatever is to be said in the channel goes first."""


async def plan(
    tx: Transaction, business: Business, *, team_id: str | None, asked_by: str | None, now: datetime
) -> Erasure:
    """Let everything of a business be forgotten after a day, and announce it; the one that is planned already stays."""
    planned = await pending(tx, business.id)
    if planned is not None:
        return planned
    erasure = await _add(tx, business, team_id=team_id, asked_by=asked_by, now=now, starts_at=now + AFTER)
    lane, payload = erasure_lane(erasure.id or 0), {"erasure_id": erasure.id}
    await outbox.enqueue(tx, Kind.ERASE, now=now, lane=lane, due_at=erasure.starts_at, payload=payload)
    for notice in ("erasure_planned", "erasure_planned_keepers"):
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, payload={"notice": notice, **payload})
    return erasure


async def at_once(tx: Transaction, business: Business, *, now: datetime) -> Erasure:
    """An erasure that is begun by whoever asks for it; the one that is planned already begins earlier."""
    planned = await pending(tx, business.id)
    return planned or await _add(tx, business, team_id=None, asked_by=None, now=now, starts_at=now)


async def _add(
    tx: Transaction,
    business: Business,
    *,
    team_id: str | None,
    asked_by: str | None,
    now: datetime,
    starts_at: datetime,
) -> Erasure:
    erasure = Erasure(
        business_id=business.id,
        thumbtack_id=business.thumbtack_id,
        business_name=business.name,
        team_id=team_id,
        asked_by=asked_by,
        asked_at=now,
        starts_at=starts_at,
    )
    tx.add(erasure)
    await tx.flush()
    return erasure


async def cancel(tx: Transaction, *, business_id: int, now: datetime) -> bool:
    """Call off the erasure of a business, because it is connected again; says so in Slack where there was one.

    False where none is planned, or where it has begun: then what was known of the business is gone.
    """
    erasure = await pending(tx, business_id)
    if erasure is None:
        return False
    erasure.cancelled_at, payload = now, {"notice": "erasure_cancelled", "erasure_id": erasure.id}
    entry = await outbox.pending_of(tx, erasure_lane(erasure.id or 0), Kind.ERASE)
    if entry is not None:  # else it is being looked at just now, and sees that it was called off
        await outbox.cancel(tx, entry.id or 0, now=now)
    await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, payload=payload)
    audit.record(tx, team_id=erasure.team_id, actor=None, action="erasure_cancelled", business_id=business_id, now=now)
    return True


async def pending(tx: Transaction, business_id: int | None) -> Erasure | None:
    """The erasure of a business that is planned and has not begun, held until this transaction ends."""
    query = (
        select(Erasure)
        .where(
            col(Erasure.business_id) == business_id,
            col(Erasure.cancelled_at).is_(None),
            col(Erasure.started_at).is_(None),
        )
        .order_by(col(Erasure.id))
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await tx.execute(query)).scalar_one_or_none()


async def get(tx: Transaction, erasure_id: int) -> Erasure | None:
    """An erasure by our id, for reading."""
    return await tx.get(Erasure, erasure_id)


async def to_change(tx: Transaction, erasure_id: int) -> Erasure | None:
    """An erasure as it stands, held until this transaction ends."""
    query = select(Erasure).where(col(Erasure.id) == erasure_id).with_for_update()
    return (await tx.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()


def posts_lane(erasure_id: int, channel: str, ts: str) -> str:
    """The lane of one thread's posts: a channel that cannot be reached holds up no other."""
    return f"{_posts(erasure_id)}{channel}:{ts}"


def _posts(erasure_id: int) -> str:
    return f"{erasure_lane(erasure_id)}:"


async def threads_left(tx: Transaction, erasure_id: int) -> int:
    """In how many threads posts are still to be deleted."""
    query = (
        select(func.count())
        .select_from(Outbox)
        .where(col(Outbox.settled_at).is_(None), col(Outbox.lane).startswith(_posts(erasure_id)))
    )
    return (await tx.execute(query)).scalar_one()


async def count(tx: Transaction, erasure_id: int | None, more: Mapping[str, int]) -> None:
    """Add to what was counted; nothing for what belongs to no erasure."""
    erasure = None if erasure_id is None else await to_change(tx, erasure_id)
    if erasure is not None:
        erasure.counts = {**erasure.counts, **{name: erasure.counts.get(name, 0) + by for name, by in more.items()}}


async def begin(tx: Transaction, erasure: Erasure, forgotten: Forgotten | None, *, now: datetime) -> None:
    """The rows are gone: queue the deletion of the posts, and the receipt. None: there was nothing any more."""
    erasure.started_at, erasure.counts = now, dict(forgotten.counts) if forgotten else {}
    erasure_id = erasure.id or 0
    places = forgotten.places if forgotten else []
    await delete_posts(tx, places, now=now, erasure_id=erasure_id)
    payload = {"erasure_id": erasure_id}
    await outbox.enqueue(tx, Kind.TELL_ERASED, now=now, lane=erasure_lane(erasure_id), payload=payload)


async def delete_posts(
    tx: Transaction, places: Sequence[Place], *, now: datetime, erasure_id: int | None = None
) -> None:
    """Queue the deletion of our posts at these places, behind everything that is to be said in their channels.

    What people's Home tabs show may have come from the same leads: they are made anew.
    """
    rows = [_deletion(place, erasure_id, now).model_dump(exclude={"id"}) for place in places]
    for start in range(0, len(rows), AT_ONCE):  # in one statement: there may be thousands, and webhooks wait for us
        await tx.execute(insert(Outbox), rows[start : start + AT_ONCE])
    if places:
        await homes.renew(tx, now=now)
    touch(tx, outbox.TOPIC)


def _deletion(place: Place, erasure_id: int | None, now: datetime) -> Outbox:
    where = {"ts": place.ts} if place.since is None else {"since": place.since.isoformat()}
    payload = {"erasure_id": erasure_id, "channel": place.channel, "delivery_id": place.delivery_id, **where}
    mark = place.ts or place.delivery_id or ""
    return Outbox(
        delivery_id=secrets.token_hex(12),
        kind=Kind.DELETE_POSTS,
        lane=None if erasure_id is None else posts_lane(erasure_id, place.channel, mark),
        channel=place.channel,
        priority=LAST,
        payload=payload,
        created_at=now,
        state=WorkState.PENDING,
        due_at=now,
    )
