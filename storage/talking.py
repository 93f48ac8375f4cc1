"""A lead as a message of its conversation finds it: what most messages look at, and nothing else of it is read for them."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, select
from sqlmodel import col

from storage import lanes, leads
from storage.database import Transaction
from storage.models import Business, Customer, Environment, Lead
from storage.prepared import Prepared


class Talk(NamedTuple):
    """A lead when it was read (see `storage.models.Lead`, whose words these are), and what its parties are known by.

    The business's columns are None where the lead has none; the customer's, where it has none who is that business's.
    """

    id: int
    thumbtack_id: str
    joined_id: int | None
    created_at: datetime | None
    received_at: datetime | None
    announced_at: datetime | None
    waiting_since: datetime | None
    business_thumbtack_id: str | None
    business_name: str | None
    customer_thumbtack_id: str | None
    customer_name: str | None
    customer_phone: str | None

    @property
    def is_placeholder(self) -> bool:
        """Whether only something about this lead was heard so far, not the lead itself."""
        return self.received_at is None


async def find(tx: Transaction, environment: Environment, thumbtack_id: str) -> Talk | None:
    """See `leads.find`."""
    found = [Talk(*row) for row in await _FOUND.all(tx, environment=environment, called=thumbtack_id)]
    if not found:
        return None
    talk = next((one for one in found if one.thumbtack_id == thumbtack_id), found[0])
    return talk if talk.joined_id is None else await get(tx, talk.joined_id)


async def get(tx: Transaction, lead_id: int) -> Talk | None:
    """See `leads.get`."""
    found = await _BY_ID.first(tx, of=lead_id)
    if found is None:
        return None
    talk = Talk(*found)
    return talk if talk.joined_id is None else await get(tx, talk.joined_id)


async def find_to_change(tx: Transaction, environment: Environment, thumbtack_id: str) -> Talk | None:
    """See `leads.find_to_change`."""
    talk = await find(tx, environment, thumbtack_id)
    is_held = lanes.is_alone(tx)
    while talk is not None and not is_held:
        await leads.lock(tx, talk.id)
        held = await get(tx, talk.id)
        is_held = held is None or held.id == talk.id  # else it joined another meanwhile
        talk = held
    return talk


async def waits(tx: Transaction, talk: Talk) -> bool:
    """Whether the customer waits for an answer; none is written down from now on until this transaction ends."""
    if lanes.is_alone(tx):
        return talk.waiting_since is not None
    return await _WAITING_SINCE.scalar(tx, of=talk.id) is not None


def _talks() -> Select[*tuple[Any, ...]]:
    """In the order of `Talk`."""
    return (
        select(
            col(Lead.id),
            col(Lead.thumbtack_id),
            col(Lead.joined_id),
            col(Lead.created_at),
            col(Lead.received_at),
            col(Lead.announced_at),
            col(Lead.waiting_since),
            col(Business.thumbtack_id),
            col(Business.name),
            col(Customer.thumbtack_id),
            col(Customer.name),
            col(Customer.phone),
        )
        .outerjoin(Business, col(Business.id) == col(Lead.business_id))
        .outerjoin(
            Customer,
            and_(col(Customer.id) == col(Lead.customer_id), col(Customer.business_id) == col(Lead.business_id)),
        )
    )


# Asked for each message, built once: that takes longer than asking it.
_FOUND = Prepared(_talks().where(leads.IS_CALLED))
_BY_ID = Prepared(_talks().where(col(Lead.id) == bindparam("of")))
_WAITING_SINCE = Prepared(
    select(col(Lead.waiting_since)).where(col(Lead.id) == bindparam("of")).with_for_update(key_share=True)
)
