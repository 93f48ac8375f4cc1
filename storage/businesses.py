"""Businesses, and their customers as each business knows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import bindparam, select
from sqlmodel import col

from storage import database, inserting
from storage.database import Transaction
from storage.merging import fill
from storage.models import Business, Customer, Environment, Row

AnyRow = TypeVar("AnyRow", bound=Row)

KEPT = "businesses"
"""What a transaction knows them by: its session forgets a row that nobody holds, and would ask for it again each time."""


async def ensure(
    tx: Transaction, *, environment: Environment, thumbtack_id: str, name: str | None, now: datetime
) -> tuple[Business, bool]:
    """The business with this id, made where it is new, and whether it has another name now: what is sent replaces."""
    kept = _kept(tx)
    business = kept.get((environment, thumbtack_id))
    if business is None:
        values = {"environment": environment, "thumbtack_id": thumbtack_id, "created_at": now}
        business = kept[environment, thumbtack_id] = await _found_or_made(tx, values)
    renamed = name is not None and business.name != name
    if name and renamed:
        business.name = name
        await tx.flush()
    return business, renamed


def keep(tx: Transaction, business: Business | None, customer: Customer | None) -> None:
    """Know these until the transaction ends: they were read together with their lead."""
    if business is not None:
        _kept(tx).setdefault((Environment(business.environment), business.thumbtack_id), business)
    database.keep(tx, customer)


def _kept(tx: Transaction) -> dict[tuple[Environment, str], Business]:
    kept: dict[tuple[Environment, str], Business] = tx.info.setdefault(KEPT, {})
    return kept


async def ensure_customer(
    tx: Transaction, *, business_id: int, thumbtack_id: str, name: str | None, phone: str | None, now: datetime
) -> tuple[Customer, bool]:
    """The business's customer with this id, made where it is new, and whether something empty was filled."""
    query, called = _CUSTOMER, {"of": business_id, "called": thumbtack_id}
    told = {"name": name, "phone": phone}
    values = {"business_id": business_id, "thumbtack_id": thumbtack_id, "created_at": now}
    found = (await tx.execute(query, called)).scalar_one_or_none()
    if found is None:
        made = await _made(tx, Customer, values | told)
        if made is not None:
            return made, any(told.values())
        found = (await tx.execute(query, called)).scalar_one()
    filled = fill(found, told)
    await tx.flush()
    return found, bool(filled)


async def get(tx: Transaction, business_id: int | None) -> Business | None:
    """A business by our id."""
    return None if business_id is None else await tx.get(Business, business_id)


async def listed(tx: Transaction, environment: Environment) -> Sequence[Business]:
    """Every business that we heard of, by name."""
    query = select(Business).where(col(Business.environment) == environment)
    return sorted((await tx.execute(query)).scalars().all(), key=lambda one: (one.name or "", one.id or 0))


async def named(tx: Transaction, thumbtack_id: str) -> Sequence[Business]:
    """The businesses with this id of Thumbtack's: at most one in each environment."""
    query = select(Business).where(col(Business.thumbtack_id) == thumbtack_id).order_by(col(Business.id))
    return (await tx.execute(query)).scalars().all()


async def any_private(tx: Transaction) -> bool:
    """Whether there is a business whose leads are private by its own choice."""
    query = select(col(Business.id)).where(col(Business.privacy) == "private").limit(1)
    return (await tx.execute(query)).first() is not None


async def customer(tx: Transaction, customer_id: int | None) -> Customer | None:
    """A customer by our id."""
    return None if customer_id is None else await tx.get(Customer, customer_id)


async def _found_or_made(tx: Transaction, values: Mapping[str, Any]) -> Business:
    """The business; where there is none it is inserted, unless another replica does so at this moment."""
    called = {"of": values["environment"], "called": values["thumbtack_id"]}
    found = (await tx.execute(_BUSINESS, called)).scalar_one_or_none()
    if found is not None:
        return found
    return await _made(tx, Business, values) or (await tx.execute(_BUSINESS, called)).scalar_one()


async def _made(tx: Transaction, row: type[AnyRow], values: Mapping[str, Any]) -> AnyRow | None:
    """The row, inserted; None where another replica has just done so."""
    insert = inserting.by(tx)
    made = insert(row).values(**values).on_conflict_do_nothing().returning(row)
    return (await tx.execute(made)).scalar_one_or_none()


# Asked for each webhook; building them takes longer than asking them.
_BUSINESS = select(Business).where(
    col(Business.environment) == bindparam("of"), col(Business.thumbtack_id) == bindparam("called")
)
_CUSTOMER = select(Customer).where(
    col(Customer.business_id) == bindparam("of"), col(Customer.thumbtack_id) == bindparam("called")
)
