"""Turns stored webhooks into rows and outbox entries: per webhook one transaction, in order within a lead.

The row is taken, understood and marked done in the same transaction, so a crash leaves it as it was. A body that cannot
be understood stays, is shown to a person, and can be ingested again after a fix (`corkboard inbox retry`). What is to be
said of it may be claimed in that transaction too (`Claim`): that spares a commit, and the time until it is said.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from storage import inbox, leads, outbox
from storage.away import is_away
from storage.database import Database, StorageError, Transaction
from storage.inbox import Unread
from storage.models import Environment, Inbox, WorkState
from storage.outbox import Kind
from webhooks import routes
from webhooks.counting import Counts
from webhooks.ownership import of_address
from webhooks.telling import Page
from webhooks.thumbtack.payloads.body import read_json
from webhooks.writing import write

POLL = 3.0
"""Seconds after which the inbox is looked at unasked, where nobody tells us what others wrote (`Database.patience`)."""

AGAIN_AFTER = timedelta(seconds=1)
"""The pause after a first failure of the database over a webhook; it doubles with each."""

ATTEMPTS = 6
"""What the database refuses so often counts as the body's fault: after half a minute, in which its lead waits."""

Begin = Callable[[], None]
"""Begins what was claimed, once the transaction is committed."""

Claim = Callable[[Transaction], Awaitable[Begin | None]]
"""Claims what goes next of the outbox in a transaction that added to it; None where nothing was. What it raises is rolled back."""

log = structlog.get_logger()


class NotClaimed(Exception):  # noqa: N818 -- it says what happened
    """Claiming raised: all is rolled back, and the webhook is read once more without."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A webhook that is being read; its row is of no use any more once its transaction was rolled back."""

    inbox_id: int
    attempt: int
    route: str
    received_at: datetime


class Ingest:
    """The task that reads the inbox."""

    def __init__(
        self,
        database: Database,
        *,
        default_channel: str | None,
        reminds: bool,
        counts: Counts,
        clock: Callable[[], datetime],
        claim: Claim | None = None,
    ) -> None:
        """`default_channel`: where leads go unless something says otherwise; None holds what is to be posted.

        `reminds`: whether the team is reminded of leads that nobody answers, where a business chose nothing. `claim`: claims
        what was just read; without it, whoever delivers finds it.
        """
        self._database = database
        self._default_channel = default_channel
        self._reminds = reminds
        self._counts = counts
        self._clock = clock
        self._claim = claim
        self._more = True
        self._stopped = False
        self._woken = asyncio.Event()
        database.on_commit(inbox.TOPIC, self._woken.set)

    async def run(self) -> None:
        """Ingest what arrives until `stop`. Whoever is cancelled leaves a webhook as it was, but may leave what it claimed behind."""
        while not self._stopped:
            self._woken.clear()
            looked_at = self._clock()
            try:
                async with self._database.precedence.behind():
                    found = await self.step()
                if found and self._more:
                    continue
                pause = POLL if found else await self._pause(looked_at)
            except (StorageError, OSError) as error:
                log.warning("ingest_failed", error=type(error).__name__)
                pause = POLL
            try:
                async with asyncio.timeout(pause):  # wait_for of Python 3.11 may lose a cancellation
                    await self._woken.wait()
            except TimeoutError:
                continue

    def stop(self) -> None:
        """Read nothing more; what is being read is read to its end, and what was claimed with it begins."""
        self._stopped = True
        self._woken.set()

    async def step(self) -> bool:
        """Ingest the webhook that goes next; False where none may go now. Whether `_more` are there is known then too."""
        try:
            return await self._step(self._claim)
        except NotClaimed:
            return await self._step(None)  # whoever delivers stumbles over it in a transaction of its own

    async def _step(self, claim: Claim | None) -> bool:
        now, self._more = self._clock(), True
        taken: Taken | None = None
        deliveries: Sequence[str] = ()
        begin: Begin | None = None
        try:
            async with self._database.transaction(brief=True) as tx:
                row = await inbox.take(tx, now=now)
                if row is None:
                    return False
                taken = Taken(inbox_id=row.id, attempt=row.attempt, route=row.route, received_at=row.received_at)
                if routes.find(row.route) is None and now - row.received_at < outbox.LEFT_AT_MOST:
                    due_at = now + outbox.LEFT_FOR
                    await inbox.postpone(tx, taken.inbox_id, due_at=due_at, attempt=row.attempt, reason=outbox.NEWER)
                    return True
                await self._understand(tx, row, now)
                await inbox.settle(tx, taken.inbox_id, state=WorkState.DONE, now=now)
                deliveries = outbox.enqueued(tx)
                more = not await inbox.is_empty(tx)
                if claim is not None and deliveries:
                    begin = await _claimed(claim, tx)
        except NotClaimed:
            raise
        except Exception as error:
            if taken is None:
                raise
            await self._failed(taken, error, now)  # whatever a body does to us, it stays, and its neighbours go on
        else:
            if begin is not None:
                begin()
            self._more = more
            seconds = (self._clock() - taken.received_at).total_seconds()
            self._counts.ingested(seconds=seconds)
            log.info(
                "webhook_ingested",
                inbox_id=taken.inbox_id,
                route=taken.route,
                seconds=round(seconds, 3),
                deliveries=" ".join(deliveries),
            )
        return True

    async def _pause(self, looked_at: datetime) -> float:
        """Seconds until something is due that was not when the inbox was looked at."""
        async with self._database.reading() as tx:
            due = await inbox.next_due(tx, now=looked_at)
        longest = self._database.patience(POLL)
        return longest if due is None else min(longest, max(0.0, (due - self._clock()).total_seconds()))

    async def _understand(self, tx: Transaction, row: Unread, now: datetime) -> None:
        page = Page(
            tx=tx,
            environment=Environment(row.environment),
            now=now,
            heard_at=row.received_at,
            default_channel=self._default_channel,
            reminds=self._reminds,
        )
        for fact in routes.reading_of(row.route).facts(read_json(row.body or b"")):
            named = routes.business_of(row.route)
            theirs = await of_address(tx, fact, environment=page.environment, address=named, at=row.received_at)
            await write(page, theirs)

    async def _failed(self, taken: Taken, error: Exception, now: datetime) -> None:
        """Try again later where the database failed, as often as that is needed while it is away or in use. Else keep it.

        What was written is rolled back by now; only the error's name is told, its text may hold the customer's words.
        """
        reason, is_lost = type(error).__name__, is_away(error)
        attempt = taken.attempt + (not is_lost)
        waits = is_lost or (isinstance(error, StorageError | OSError) and attempt < ATTEMPTS)
        async with self._database.transaction() as tx:
            row = await inbox.untouched(tx, taken.inbox_id, attempt=taken.attempt)
            if row is None:
                return  # another replica has taken it meanwhile
            if waits:
                log.warning("webhook_postponed", inbox_id=row.id, route=row.route, attempt=attempt, error=reason)
                due_at = now + AGAIN_AFTER * 2 ** max(attempt - 1, 0)
                await inbox.postpone(tx, taken.inbox_id, due_at=due_at, attempt=attempt, reason=reason)
            else:
                log.error("webhook_not_understood", inbox_id=row.id, route=row.route, error=reason)
                await self._keep(tx, row, now, reason)
        if not waits:
            self._counts.not_understood()

    async def _keep(self, tx: Transaction, row: Inbox, now: datetime, reason: str) -> None:
        await inbox.settle(tx, leads.known(row.id), state=WorkState.DEAD, now=now, reason=reason)
        payload = {"notice": "not_understood", "inbox_id": row.id, "route": row.route, "lead": row.lead_thumbtack_id}
        named = _named(row)
        if named is not None:
            payload["event"] = named
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, payload=payload)


async def _claimed(claim: Claim, tx: Transaction) -> Begin | None:
    try:
        return await claim(tx)
    except Exception as error:
        raise NotClaimed from error


def _named(row: Inbox) -> str | None:
    """What a body that could not be understood says that it is, where its address does not tell."""
    webhook = routes.find(row.route)
    if webhook is None or webhook.reading.named is None or row.body is None:
        return None
    return webhook.reading.named(read_json(row.body))
