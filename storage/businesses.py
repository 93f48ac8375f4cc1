"""Businesses, and their customers as each business knows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col

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
    kept: dict[tuple[Environment, str], Business] = tx.info.setdefault(KEPT, {})
    business = kept.get((environment, thumbtack_id))
    if business is None:
        query = select(Business).where(
            col(Business.environment) == environment, col(Business.thumbtack_id) == thumbtack_id
        )
        values = {"environment": environment, "thumbtack_id": thumbtack_id, "created_at": now}
        business = kept[environment, thumbtack_id] = await _found_or_made(tx, Business, query, values)
    renamed = name is not None and business.name != name
    business.name = name or business.name
    await tx.flush()
    return business, renamed


async def ensure_customer(
    tx: Transaction, *, business_id: int, thumbtack_id: str, name: str | None, phone: str | None, now: datetime
) -> tuple[Customer, bool]:
    """The business's customer with this id, made where it is new, and whether something empty was filled."""
    query = select(Customer).where(col(Customer.business_id) == business_id, col(Customer.thumbtack_id) == thumbtack_id)
    told = {"name": name, "phone": phone}
    values = {"business_id": business_id, "thumbtack_id": thumbtack_id, "created_at": now}
    found = (await tx.execute(query)).scalar_one_or_none()
    if found is None:
        made = await _made(tx, Customer, values | told)
        if made is not None:
            return made, any(told.values())
        found = (await tx.execute(query)).scalar_one()
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


async def _found_or_made(
    tx: Transaction, row: type[AnyRow], query: Select[AnyRow], values: Mapping[str, Any]
) -> AnyRow:
    """What the query finds; where that is nothing it is inserted, unless another replica does so at this moment."""
    found = (await tx.execute(query)).scalar_one_or_none()
    if found is not None:
        return found
    return await _made(tx, row, values) or (await tx.execute(query)).scalar_one()


async def _made(tx: Transaction, row: type[AnyRow], values: Mapping[str, Any]) -> AnyRow | None:
    """The row, inserted; None where another replica has just done so."""
    insert = sqlite.insert if tx.get_bind().dialect.name == "sqlite" else postgresql.insert
    made = insert(row).values(**values).on_conflict_do_nothing().returning(row)
    return (await tx.execute(made)).scalar_one_or_none()
