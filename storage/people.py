"""What people in Slack chose for themselves."""

from sqlalchemy import select
from sqlmodel import col

from storage import inserting
from storage.database import Transaction
from storage.models import Person


async def contact_ok(tx: Transaction, *, team_id: str, user_id: str) -> bool:
    """Whether this person is never to be asked about phone numbers and e-mail addresses in their replies."""
    query = select(col(Person.contact_ok)).where(col(Person.team_id) == team_id, col(Person.user_id) == user_id)
    return bool((await tx.execute(query)).scalar_one_or_none())


async def set_contact_ok(tx: Transaction, *, team_id: str, user_id: str, ok: bool) -> None:
    """They chose so."""
    insert = inserting.by(tx)
    values = {"team_id": team_id, "user_id": user_id, "contact_ok": ok}
    await tx.execute(
        insert(Person)
        .values(**values)
        .on_conflict_do_update(index_elements=["team_id", "user_id"], set_={"contact_ok": ok})
    )
