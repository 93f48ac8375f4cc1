"""The customers of leads, those too whom a body names without an id: a real delivery had name and phone alone."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import col

from storage import businesses
from storage.database import Transaction
from storage.merging import fill
from storage.models import Customer, Lead

NAMELESS = "lead:"
"""Stands before the lead's id where the id of a customer belongs who has none; Thumbtack's ids are digits."""


async def ensure(
    tx: Transaction,
    lead: Lead | None,
    *,
    lead_thumbtack_id: str,
    business_id: int,
    thumbtack_id: str | None,
    name: str | None,
    phone: str | None,
    now: datetime,
) -> tuple[Customer, bool]:
    """The customer of a lead (None: not heard of yet), made where they are new, and whether something was filled.

    Without an id it is the one that the lead has, else one of this lead alone, who gets their id from whatever tells it
    later.
    """
    held = await businesses.customer(tx, lead.customer_id) if lead else None
    if held is not None and (
        thumbtack_id is None or (held.business_id, held.thumbtack_id) == (business_id, thumbtack_id)
    ):
        filled = fill(held, {"name": name, "phone": phone})
        await tx.flush()
        return held, bool(filled)
    customer, news = await businesses.ensure_customer(
        tx,
        business_id=business_id,
        thumbtack_id=thumbtack_id or f"{NAMELESS}{lead_thumbtack_id}",
        name=name,
        phone=phone,
        now=now,
    )
    if lead is None or held is None or held.id == customer.id or not held.thumbtack_id.startswith(NAMELESS):
        return customer, news
    await _take_over(tx, lead, held, customer)
    return customer, True


async def _take_over(tx: Transaction, lead: Lead, held: Customer, customer: Customer) -> None:
    """The lead's customer has an id now: what was known of them without it is known of this one."""
    fill(customer, {"name": held.name, "phone": held.phone})
    lead.customer_id = customer.id
    await tx.flush()
    others = select(col(Lead.id)).where(col(Lead.customer_id) == held.id)
    await tx.execute(delete(Customer).where(col(Customer.id) == held.id, ~others.exists()))
