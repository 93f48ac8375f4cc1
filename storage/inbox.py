"""Webhooks as they arrived: stored by group commit before anybody hears 200, read later by ingest, in order.

One writer task takes all that waits and commits it at once; while that commit runs, the next batch gathers (no timer).
A batch that fails is retried row by row, so that one bad row does not refuse its neighbours.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, bindparam, func, or_, select, update
from sqlmodel import col

from storage import appending, lanes
from storage.away import is_away, is_in_use
from storage.database import Database, Transaction, touch
from storage.finishing import finish
from storage.models import Environment, Inbox, WorkState
from storage.prepared import Prepared

TOPIC = "inbox"
BATCH = 500
"""How many webhooks one commit takes at most."""

FULL = 2_000
FULL_BYTES = 64 * 1024 * 1024
"""How much may wait to be written: a database that hangs must not fill the memory."""

STORED_WITHIN = 10.0
"""Seconds after which whoever calls is told to send it again, though it may be stored yet: a repeat does no harm."""

GATHERED = 4
"""How often the event loop may bring more for the next commit before that begins."""

LeadKey = tuple[Environment, str | None]


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A verified webhook, as much of it as was read before it was stored.

    `dedupe` names what is the same body on the same route (None: the same body may mean something again).
    `asks_known`: the answer depends on whether the lead was heard of before.
    """

    environment: Environment
    route: str
    lane: str
    body: bytes
    body_hash: str
    dedupe: str | None
    lead_thumbtack_id: str | None
    business_thumbtack_id: str | None
    received_at: datetime
    asks_known: bool = False

    @property
    def lead(self) -> LeadKey:
        """What names the lead: the same id in another environment is another lead."""
        return self.environment, self.lead_thumbtack_id

    def row(self) -> dict[str, Any]:
        """The columns of the inbox row (`storage.appending.COLUMNS`)."""
        return {
            "environment": self.environment.value,
            "route": self.route,
            "lane": self.lane,
            "dedupe": self.dedupe,
            "body_hash": self.body_hash,
            "lead_thumbtack_id": self.lead_thumbtack_id,
            "business_thumbtack_id": self.business_thumbtack_id,
            "body": self.body,
            "received_at": self.received_at,
            "state": WorkState.PENDING.value,
            "attempt": 0,
        }


Waiting = tuple[Arrival, "asyncio.Future[bool]"]


class NotStored(Exception):  # noqa: N818 -- it reads as the sentence it is
    """A webhook could not be stored just now and must be sent again; says which kind of error it was, no content."""


class InboxWriter:
    """Appends to the inbox, many webhooks to a commit."""

    def __init__(self, database: Database) -> None:
        """Nothing is written before `run` runs."""
        self._database = database
        self._waiting: list[Waiting] = []
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._closed = False
        self._appender = appending.appender(database)
        self._unanswered: deque[tuple[float, asyncio.Future[bool]]] = deque()
        self._looks: asyncio.TimerHandle | None = None

    async def append(self, arrival: Arrival) -> bool:
        """Store a webhook; returns, after the commit, whether its lead was known before it, if it asks. Raises NotStored.

        Whoever stops waiting for the answer takes nothing back: the webhook is stored all the same. So it may be where that
        takes longer than `STORED_WITHIN`.
        """
        if self._closed:
            raise NotStored("stopped")
        if len(self._waiting) >= FULL or self._bytes + len(arrival.body) > FULL_BYTES:
            raise NotStored("full")
        self._bytes += len(arrival.body)
        self._database.precedence.arrived()
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[bool] = loop.create_future()
        self._waiting.append((arrival, stored))
        self._arrived.set()
        until = loop.time() + STORED_WITHIN
        self._unanswered.append((until, stored))
        if self._looks is None:
            self._looks = loop.call_at(until, self._look)
        return await stored

    def _look(self) -> None:
        """Answer those who have waited too long. One timer for all costs less than one for each."""
        loop = asyncio.get_running_loop()
        while self._unanswered and self._unanswered[0][0] <= loop.time():
            _refuse(self._unanswered.popleft()[1], "TimeoutError")
        self._looks = loop.call_at(self._unanswered[0][0], self._look) if self._unanswered else None

    async def run(self) -> None:
        """Write what arrives, until cancelled; a commit that is under way is finished first."""
        while True:
            while self._waiting:
                await self._gather()
                await finish(self._write())
            self._arrived.clear()
            await self._arrived.wait()

    async def _gather(self) -> None:
        """Let the event loop bring what came at the same time: else one is committed alone, and all others wait for it."""
        for _ in range(GATHERED):
            found = len(self._waiting)
            await asyncio.sleep(0)  # bytes are read, and a task for each request begins
            await asyncio.sleep(0)  # those tasks come to us
            if len(self._waiting) == found or found >= BATCH:
                return

    async def drain(self) -> None:
        """Write what still waits, at shutdown, after `run` was cancelled; what comes later is refused."""
        self._closed = True
        while self._waiting:
            await self._write()

    def _next(self) -> list[Waiting]:
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        self._bytes -= sum(len(arrival.body) for arrival, _ in batch)
        return batch

    async def _write(self) -> None:
        """Commit what waits once it is our turn, and answer."""
        async with self._database.precedence.first():
            batch = self._next()
            error = await self._commit(batch)
        await self._settle(batch, error)
        while self._unanswered and self._unanswered[0][1].done():
            self._unanswered.popleft()

    async def _settle(self, batch: Sequence[Waiting], error: Exception | None) -> None:
        """After a commit that failed: row by row, unless the database itself cannot do it now.

        So too where another replica stores the same webhooks in another order: one alone is in nobody's way.
        """
        if error is None:
            self._database.wake({TOPIC})
        elif len(batch) == 1 or (is_away(error) and not is_in_use(error)):
            for _, stored in batch:
                _refuse(stored, type(error).__name__)
        else:
            for one in batch:
                async with self._database.precedence.first():
                    alone = await self._commit([one])
                await self._settle([one], alone)

    async def _commit(self, batch: Sequence[Waiting]) -> Exception | None:
        """Store these and answer; else what was in the way."""
        try:
            known = await self._store([arrival for arrival, _ in batch])
        except Exception as error:  # noqa: BLE001 -- whatever it is, nobody may wait for their answer for ever
            return error
        for (_, stored), is_known in zip(batch, known, strict=True):
            if not stored.done():  # the caller may have gone
                stored.set_result(is_known)
        return None

    async def _store(self, arrivals: Sequence[Arrival]) -> Sequence[bool]:
        asked: dict[str, list[str]] = defaultdict(list)
        for environment, lead_id in {one.lead for one in arrivals if one.asks_known}:
            asked[environment.value].append(lead_id or "")
        found = await self._appender.append([arrival.row() for arrival in arrivals], asked)
        if not asked:
            return [False] * len(arrivals)  # nobody looks at it
        known: set[LeadKey] = {(Environment(environment), lead_id) for environment, lead_id in found}
        answers = []
        for arrival in arrivals:
            answers.append(arrival.lead in known)
            known.add(arrival.lead)
        return answers


def _refuse(stored: "asyncio.Future[bool]", error: str) -> None:
    if not stored.done():
        stored.set_exception(NotStored(error))


@dataclass(frozen=True)
class Unread:
    """A webhook that is to be ingested: what ingesting it needs of its row, and of `_COLUMNS` in their order."""

    id: int
    environment: str
    route: str
    body: bytes | None
    received_at: datetime
    attempt: int


async def take(tx: Transaction, *, now: datetime) -> Unread | None:
    """The webhook to ingest next, its row held until this transaction ends; None where none may go now."""
    found = await _NEXT.first(tx, now=now)
    return None if found is None else Unread(*found)


async def untouched(tx: Transaction, inbox_id: int, *, attempt: int) -> Inbox | None:
    """The row, held until this transaction ends, where nobody settled or postponed it since it had this `attempt`."""
    query = select(Inbox).where(
        col(Inbox.id) == inbox_id, col(Inbox.attempt) == attempt, col(Inbox.settled_at).is_(None)
    )
    return (await tx.execute(query.with_for_update(skip_locked=True))).scalar_one_or_none()


async def settle(tx: Transaction, inbox_id: int, *, state: WorkState, now: datetime, reason: str | None = None) -> None:
    """Mark a row ingested, or kept for a person because it could not be understood."""
    await _SETTLE.changed(tx, of_id=inbox_id, new_state=state, at=now, why=reason)


async def postpone(tx: Transaction, inbox_id: int, *, due_at: datetime, attempt: int, reason: str) -> None:
    """Let a row be ingested later: what failed was not its fault."""
    await tx.execute(
        update(Inbox).where(col(Inbox.id) == inbox_id).values(due_at=due_at, attempt=attempt, reason=reason)
    )
    touch(tx, TOPIC)  # whoever looked for it while we held it, in another process too, takes note of its new time


async def retry(tx: Transaction, inbox_id: int | None, *, now: datetime) -> int:
    """Ingest a row that was not understood again (None: all of them); returns how many. Pruned bodies cannot be."""
    conditions = [
        col(Inbox.body).is_not(None),
        or_(col(Inbox.state) == WorkState.DEAD, col(Inbox.settled_at).is_(None)),
    ]
    if inbox_id is not None:
        conditions.append(col(Inbox.id) == inbox_id)
    result: CursorResult[Any] = await tx.execute(  # type: ignore[assignment]  # an UPDATE gives a CursorResult
        update(Inbox)
        .where(*conditions)
        .values(state=WorkState.PENDING, due_at=now, attempt=0, settled_at=None, reason=None)
    )
    touch(tx, TOPIC)
    return result.rowcount


async def is_empty(tx: Transaction) -> bool:
    """Whether nothing is left to read, now or later."""
    return await _LEFT.first(tx) is None


async def next_due(tx: Transaction, *, now: datetime) -> datetime | None:
    """When the next postponed row is due; None when none waits for a time."""
    due: datetime | None = (await tx.execute(_NEXT_DUE, {"after": now})).scalar_one()
    return due


async def listing(tx: Transaction, *, limit: int = 100) -> Sequence[Inbox]:
    """What is not ingested and what could not be, oldest first."""
    query = select(Inbox).where(or_(col(Inbox.settled_at).is_(None), col(Inbox.state) == WorkState.DEAD))
    return (await tx.execute(query.order_by(col(Inbox.id)).limit(limit))).scalars().all()


async def old(tx: Transaction, *, before: datetime, after: int) -> Sequence[int]:
    """Some of the webhooks, behind the one with the id `after`, that were ingested before `before` and still have a body.

    To be read beside the writer: where there are very many, they are looked through for seconds.
    """
    query = select(col(Inbox.id)).where(col(Inbox.id) > after, *_old(before)).order_by(col(Inbox.id)).limit(BATCH)
    return [found for found in (await tx.execute(query)).scalars() if found is not None]


async def prune(tx: Transaction, ids: Sequence[int], *, before: datetime) -> int:
    """Forget the bodies of these, where they are still old; the rows stay, so that a repeat is still known."""
    result: CursorResult[Any] = await tx.execute(  # type: ignore[assignment]  # an UPDATE gives a CursorResult
        update(Inbox).where(col(Inbox.id).in_(ids), *_old(before)).values(body=None)
    )
    return result.rowcount


def _old(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return col(Inbox.state) == WorkState.DONE, col(Inbox.settled_at) < before, col(Inbox.body).is_not(None)


# Built once: that takes longer than running them.
_COLUMNS = tuple(col(getattr(Inbox, one.name)) for one in fields(Unread))
_NEXT = Prepared(lanes.NEXT_INBOX.with_only_columns(*_COLUMNS))
_LEFT = Prepared(select(col(Inbox.id)).where(col(Inbox.settled_at).is_(None)).limit(1))
_NEXT_DUE = select(func.min(col(Inbox.due_at))).where(
    col(Inbox.settled_at).is_(None), col(Inbox.due_at) > bindparam("after")
)
_SETTLE = Prepared(
    update(Inbox)
    .where(col(Inbox.id) == bindparam("of_id"))
    .values(state=bindparam("new_state"), settled_at=bindparam("at"), reason=bindparam("why"))
)
