"""One holder per name, so that of several replicas one does a job."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlmodel import col

from storage import inserting
from storage.database import Transaction
from storage.models import Lease


async def acquire(tx: Transaction, name: str, *, owner: str, now: datetime, lasts: timedelta) -> bool:
    """Hold `name` for `lasts`, or longer where it is ours already; False while another holds it."""
    insert = inserting.by(tx)
    values = {"owner": owner, "until": now + lasts}
    await tx.execute(
        insert(Lease)
        .values(name=name, **values)
        .on_conflict_do_update(
            index_elements=["name"], set_=values, where=or_(col(Lease.until) < now, col(Lease.owner) == owner)
        )
    )
    holder: str = (await tx.execute(select(col(Lease.owner)).where(col(Lease.name) == name))).scalar_one()
    return holder == owner


async def give_up(tx: Transaction, name: str) -> None:
    """Nobody holds it any more, whoever did."""
    await tx.execute(delete(Lease).where(col(Lease.name) == name))
