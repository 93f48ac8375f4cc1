"""Who an event is about: the business and its customer become rows, as far as they were named."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage import businesses, customers, leads
from storage.database import Transaction
from storage.merging import lacking
from storage.models import Environment
from storage.talking import Talk
from webhooks.thumbtack.facts import BusinessRef, CustomerRef, MessageReceived

UNNAMED_BUSINESS = BusinessRef(thumbtack_id="")
"""Keeps the customer of a lead that names no business. The lead itself is of no business then: nothing can be sent."""


@dataclass(frozen=True, kw_only=True)
class Parties:
    """Our ids of a business and its customer, as columns of a lead; `changed`: something that a card shows of them."""

    ids: dict[str, Any]
    changed: bool = False


def are_known(talk: Talk, fact: MessageReceived) -> bool:
    """Whether a message says nothing of its lead's business and customer that does not stand there: nothing is to `remember`."""
    business, customer = fact.business, fact.customer
    if business is None:
        return True
    if business.thumbtack_id != talk.business_thumbtack_id or business.name not in (None, talk.business_name):
        return False
    if customer is None:
        return True
    stands = {"name": talk.customer_name, "phone": talk.customer_phone}
    told = {"name": customer.name, "phone": customer.phone}
    is_theirs = talk.customer_thumbtack_id is not None and customer.thumbtack_id in (None, talk.customer_thumbtack_id)
    return is_theirs and not lacking(stands, told)


async def remember(
    tx: Transaction,
    business: BusinessRef | None,
    *,
    environment: Environment,
    now: datetime,
    customer: CustomerRef | None = None,
    lead_id: str | None = None,
) -> Parties:
    """Remember the business, and the customer of the lead that Thumbtack calls `lead_id`."""
    if business is None:
        return Parties(ids={})
    ours, renamed = await businesses.ensure(
        tx, environment=environment, thumbtack_id=business.thumbtack_id, name=business.name, now=now
    )
    ids: dict[str, Any] = {} if business is UNNAMED_BUSINESS else {"business_id": ours.id}
    if customer is None or lead_id is None:
        return Parties(ids=ids, changed=renamed)
    known, filled = await customers.ensure(
        tx,
        await leads.find(tx, environment, lead_id),
        lead_thumbtack_id=lead_id,
        business_id=leads.known(ours.id),
        thumbtack_id=customer.thumbtack_id,
        name=customer.name,
        phone=customer.phone,
        now=now,
    )
    return Parties(ids={**ids, "customer_id": known.id}, changed=renamed or filled)
