"""Businesses, and their customers as each business knows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import col

from storage import database
from storage.database import KNOWN, Transaction
from storage.inserting import ByDialect
from storage.merging import fill
from storage.models import Business, Customer, Environment
from storage.prepared import Prepared, there
from storage.whole import Whole


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
    """Its session forgets a row that nobody holds, and would ask for it again each time."""
    kept: dict[tuple[Environment, str], Business] = tx.info.setdefault(KNOWN, {})
    return kept


async def ensure_customer(
    tx: Transaction, *, business_id: int, thumbtack_id: str, name: str | None, phone: str | None, now: datetime
) -> tuple[Customer, bool]:
    """The business's customer with this id, made where it is new, and whether something empty was filled."""
    called, told = {"of": business_id, "called": thumbtack_id}, {"name": name, "phone": phone}
    values = {"business_id": business_id, "thumbtack_id": thumbtack_id, "created_at": now}
    found = await _CUSTOMER.first(tx, **called)
    if found is None:
        made = await _ADD_CUSTOMER.of(tx).first(tx, **values, **told)
        if made is not None:
            return CUSTOMER.of(tx, made), any(told.values())
        found = there(await _CUSTOMER.first(tx, **called))
    customer = CUSTOMER.of(tx, found)
    filled = fill(customer, told)
    await tx.flush()
    return customer, bool(filled)


async def get(tx: Transaction, business_id: int | None) -> Business | None:
    """A business by our id."""
    return None if business_id is None else await BUSINESS.get(tx, business_id)


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
    return None if customer_id is None else await CUSTOMER.get(tx, customer_id)


async def _found_or_made(tx: Transaction, values: Mapping[str, Any]) -> Business:
    """The business; where there is none it is inserted, unless another replica does so at this moment."""
    called = {"of": values["environment"], "called": values["thumbtack_id"]}
    found = (
        await _BUSINESS.first(tx, **called)
        or await _ADD_BUSINESS.of(tx).first(tx, **values)
        or await _BUSINESS.first(tx, **called)
    )
    return BUSINESS.of(tx, there(found))


def _unless_there(whole: Whole[Any], *given: str) -> ByDialect[Prepared]:
    """Inserts a row and gives it; gives none where another replica has just done so."""
    values: dict[str, Any] = {name: bindparam(name) for name in given}
    return ByDialect(
        lambda insert: Prepared(insert(whole.row).values(**values).on_conflict_do_nothing().returning(*whole.columns))
    )


# Asked for each webhook; building them takes longer than asking them.
BUSINESS, CUSTOMER = Whole(Business), Whole(Customer)
_BUSINESS = Prepared(
    select(*BUSINESS.columns).where(
        col(Business.environment) == bindparam("of"), col(Business.thumbtack_id) == bindparam("called")
    )
)
_ADD_BUSINESS = _unless_there(BUSINESS, "environment", "thumbtack_id", "created_at")
_CUSTOMER = Prepared(
    select(*CUSTOMER.columns).where(
        col(Customer.business_id) == bindparam("of"), col(Customer.thumbtack_id) == bindparam("called")
    )
)
_ADD_CUSTOMER = _unless_there(CUSTOMER, "business_id", "thumbtack_id", "created_at", "name", "phone")
