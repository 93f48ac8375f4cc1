"""When Thumbtack last told us something about each business: where that is long ago, something may be wrong."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from storage.database import Transaction
from storage.models import Direction, Lead, Message, Review, Webhook


async def last_heard(tx: Transaction, business_ids: Collection[int]) -> Mapping[int, datetime]:
    """When a lead, a message, a review or anything by its own webhook came last, by business; those heard of alone."""
    lead_of, review_of, hook_of = col(Lead.business_id), col(Review.business_id), col(Webhook.business_id)
    queries = (
        select(lead_of, func.max(col(Lead.received_at))).where(lead_of.in_(business_ids)).group_by(lead_of),
        select(lead_of, func.max(col(Message.stored_at)))
        .join(Lead, col(Message.lead_id) == col(Lead.id))
        .where(lead_of.in_(business_ids), col(Message.direction) == Direction.INBOUND)
        .group_by(lead_of),
        select(review_of, func.max(col(Review.received_at))).where(review_of.in_(business_ids)).group_by(review_of),
        select(hook_of, col(Webhook.last_delivery_at)).where(hook_of.in_(business_ids)),
    )
    found: dict[int, datetime] = {}
    for query in queries:
        for business_id, at in (await tx.execute(query)).all():
            if business_id is not None and at is not None:
                found[business_id] = max(at, found.get(business_id, at))
    return found
