"""An entry of the outbox as whoever delivers it knows it: what its row said when it was read, and as its claim left it."""

from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Boolean, bindparam, or_, select, update
from sqlalchemy.orm import aliased
from sqlmodel import col

from storage.database import Transaction
from storage.models import Outbox, WorkState
from storage.prepared import Prepared


class ClaimLost(Exception):  # noqa: N818 -- it says what happened
    """Our claim on an entry ran out, and another dispatcher took it: what we found out is not to be written down."""


class Entry(NamedTuple):
    """What is to be said (see `storage.models.Outbox`, whose words these are). It never changes; the row may."""

    id: int
    delivery_id: str
    kind: str
    lane: str | None
    position: str
    channel: str | None
    pace: str | None
    lead_id: int | None
    message_id: int | None
    payload: dict[str, Any]
    created_at: datetime
    due_at: datetime
    state: WorkState
    attempt: int
    mistakes: int
    claimed_by: str | None
    sending_at: datetime | None

    def begun(self, *, now: datetime, owner: str) -> "Entry":
        """What this is once the call out for it began `now`, by `owner` (see `storage.outbox.begin`)."""
        sending_at = self.sending_at if self.state == WorkState.SENDING else now
        return self._replace(state=WorkState.SENDING, sending_at=sending_at, claimed_by=owner, attempt=self.attempt + 1)


COLUMNS = tuple(col(getattr(Outbox, name)) for name in Entry._fields)
"""What a statement selects to make one of each row: `Entry(*row)`."""


async def claim(tx: Transaction, begun: Entry, *, until: datetime) -> None:
    """Write down that the call out for an entry begins, which this transaction holds."""
    await _CLAIM.changed(
        tx,
        of_id=begun.id,
        owner=begun.claimed_by,
        until=until,
        began_at=begun.sending_at,
        counted=begun.attempt,
    )


async def change(tx: Transaction, entry: Entry, **values: Any) -> bool:
    """Change an entry that is as we know it; where our claim ran out and another took it, the outcome is theirs.

    Another may even have settled it without an attempt of its own. `settled_at=None` takes up a settled one again. Returns
    whether others wait in its lane. Raises ClaimLost.
    """
    changes = {f"new_{name}": value for name, value in {"claimed_until": None, **values}.items()}
    changed = await _changing(*changes).first(
        tx,
        of_id=entry.id,
        of_delivery=entry.delivery_id,
        of_lane=entry.lane,
        of_attempt=entry.attempt,
        of=entry.claimed_by,
        again=values.get("settled_at", entry) is None,
        **changes,
    )
    if changed is None:
        raise ClaimLost
    return bool(changed.others_wait)


@cache
def _changing(*names: str) -> Prepared:
    """The statement that changes these columns (named `new_…`), built once.

    What it returns speaks of `other` alone: for SQLite, SQLAlchemy writes RETURNING without the names of tables.
    """
    other = aliased(Outbox)
    others = select(col(other.id)).where(
        col(other.settled_at).is_(None),
        col(other.lane) == bindparam("of_lane"),
        col(other.id) != bindparam("of_id"),
    )
    return Prepared(
        update(Outbox)
        .where(
            col(Outbox.id) == bindparam("of_id"),
            col(Outbox.delivery_id) == bindparam("of_delivery"),
            col(Outbox.attempt) == bindparam("of_attempt"),
            col(Outbox.claimed_by).is_not_distinct_from(bindparam("of")),
            or_(col(Outbox.settled_at).is_(None), bindparam("again", type_=Boolean)),
        )
        .values({name.removeprefix("new_"): bindparam(name) for name in names})
        .returning(others.exists().label("others_wait"))
    )


# Built once: that takes ten times as long as running it.
_CLAIM = Prepared(
    update(Outbox)
    .where(col(Outbox.id) == bindparam("of_id"))
    .values(
        state=WorkState.SENDING,
        sending_at=bindparam("began_at"),
        claimed_by=bindparam("owner"),
        claimed_until=bindparam("until"),
        attempt=bindparam("counted"),
    )
)
