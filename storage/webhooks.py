"""Our webhooks at Thumbtack's v4, one for a business: where each leads, what it is shown, and when it was used last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlmodel import col

from storage.database import Transaction, touch
from storage.models import Business, Environment, Webhook

TOPIC = "webhooks"
"""Woken by each commit after which another password may be right."""


@dataclass(frozen=True, kw_only=True)
class Guard:
    """What whoever calls the address of a business must show; `password` is sealed."""

    environment: Environment
    business_thumbtack_id: str
    username: str
    password: str = field(repr=False)


async def guards(tx: Transaction) -> Sequence[Guard]:
    """The credentials of every business that has some of its own."""
    query = select(
        col(Webhook.environment), col(Business.thumbtack_id), col(Webhook.username), col(Webhook.password)
    ).join(Business, col(Business.id) == col(Webhook.business_id))
    return [
        Guard(environment=Environment(environment), business_thumbtack_id=named, username=username, password=password)
        for environment, named, username, password in (await tx.execute(query)).all()
    ]


async def of_business(tx: Transaction, business_id: int | None) -> Webhook | None:
    """The webhook of a business."""
    query = select(Webhook).where(col(Webhook.business_id) == business_id)
    return (await tx.execute(query)).scalar_one_or_none()


async def of_environment(tx: Transaction, environment: Environment) -> Mapping[int, Webhook]:
    """All webhooks by our ids of their businesses."""
    query = select(Webhook).where(col(Webhook.environment) == environment)
    return {row.business_id: row for row in (await tx.execute(query)).scalars()}


async def standing(tx: Transaction) -> Sequence[int]:
    """Our ids of the businesses whose webhook Thumbtack has."""
    query = select(col(Webhook.business_id)).where(col(Webhook.thumbtack_id).is_not(None))
    return (await tx.execute(query.order_by(col(Webhook.id)))).scalars().all()


async def to_change(tx: Transaction, business_id: int) -> Webhook | None:
    """The webhook of a business as it stands, held until this transaction ends."""
    query = select(Webhook).where(col(Webhook.business_id) == business_id).with_for_update()
    return (await tx.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()


async def add(tx: Transaction, business: Business, *, url: str, username: str, password: str, now: datetime) -> Webhook:
    """A webhook that Thumbtack does not know yet; its password is right from this commit on."""
    row = Webhook(
        business_id=business.id or 0,
        environment=business.environment,
        url=url,
        username=username,
        password=password,
        made_at=now,
    )
    tx.add(row)
    await tx.flush()
    touch(tx, TOPIC)
    return row


async def lock_anew(tx: Transaction, row: Webhook, *, password: str) -> None:
    """Another password, of which Thumbtack has not heard yet."""
    row.password, row.thumbtack_id = password, None
    await tx.flush()
    touch(tx, TOPIC)


def confirmed(row: Webhook, *, thumbtack_id: str, url: str, event_types: Sequence[str], now: datetime) -> None:
    """Thumbtack has it so, with our password."""
    row.thumbtack_id, row.url = thumbtack_id, url
    row.event_types, row.is_enabled = list(event_types), True
    row.checked_at, row.reason = now, None


def seen(row: Webhook, *, is_enabled: bool, event_types: Sequence[str], now: datetime) -> None:
    """How Thumbtack's list shows it, which may be how somebody changed it there."""
    row.is_enabled, row.event_types, row.checked_at = is_enabled, list(event_types), now


async def forget(tx: Transaction, business_id: int) -> str | None:
    """From now on its credentials are wrong; Thumbtack's id of it, where it has one."""
    row = await to_change(tx, business_id)
    if row is None:
        return None
    await tx.execute(delete(Webhook).where(col(Webhook.business_id) == business_id))
    touch(tx, TOPIC)
    return row.thumbtack_id


async def delivered(tx: Transaction, *, environment: Environment, business_thumbtack_id: str, at: datetime) -> bool:
    """Note when something came by the address of a business; whether that business has credentials of its own."""
    of_it = (
        select(col(Webhook.id))
        .join(Business, col(Business.id) == col(Webhook.business_id))
        .where(col(Webhook.environment) == environment, col(Business.thumbtack_id) == business_thumbtack_id)
    )
    found = (await tx.execute(of_it)).scalar_one_or_none()
    if found is None:
        return False
    later = or_(col(Webhook.last_delivery_at).is_(None), col(Webhook.last_delivery_at) < at)
    await tx.execute(
        update(Webhook)
        .where(col(Webhook.id) == found, later)
        .values(last_delivery_at=at)
        .execution_options(synchronize_session=False)
    )
    return True
