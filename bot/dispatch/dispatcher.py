"""Says what waits in the outbox: claims the head of each lane, makes the call, settles it; woken, not polling.

Claim and the state *sending* are one commit, made before the call; the outcome is another. What was cut off between
the two is found in the state *sending* and is looked for before it is said again.
"""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.dispatch.outcomes import BRIEF, Claimed, count, give_up, settle
from bot.dispatch.plans import At, NotYet, Parked, Plan, Prepare
from bot.dispatch.verdicts import Again, GiveUp, judge_mistake
from bot.failures import Failure
from bot.services import Services
from bot.slack import Identity
from storage import lanes, outbox
from storage.database import StorageError, Transaction, at_length
from storage.models import Outbox, WorkState
from storage.outbox import Kind

POLL = 5.0
"""Seconds after which the outbox is looked at unasked: the commands write beside a running `serve`."""

AWAY = 1.0
"""Seconds until a database that did not do as asked is asked again."""

AT_ONCE = 16
"""How many calls may be under way at the same time."""

DRAIN = 8.0
"""Seconds that calls under way get at shutdown; each call has a time-out of its own below that."""

log = structlog.get_logger()


class Dispatcher:
    """The task that empties the outbox."""

    def __init__(self, services: Services, kinds: Mapping[Kind, Prepare]) -> None:
        """`kinds`: how each kind of entry is prepared."""
        self._services = services
        self._kinds = kinds
        self._owner = secrets.token_hex(8)
        self._woken = asyncio.Event()
        self._stopped = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        services.database.on_commit(outbox.TOPIC, self._woken.set)

    async def run(self) -> None:
        """Deliver until `stop`; then let what is under way finish, or leave it claimable."""
        try:
            while not self._stopped.is_set():
                self._woken.clear()
                pause = await self._step()
                if pause > 0:
                    await _until(self._woken, pause)
        finally:
            await self._drain()

    def stop(self) -> None:
        """Claim nothing more. What is claimed is also said, which a cancellation could not promise."""
        self._stopped.set()
        self._woken.set()

    async def _step(self) -> float:
        """Begin one delivery; returns the seconds for which there is nothing to do, unless something is committed."""
        if len(self._under_way) >= AT_ONCE:
            return POLL  # one that ends wakes us
        try:
            identity = await self._identity()
            if identity is None:
                return POLL
            async with self._services.database.precedence.behind():
                return await self._claim(identity)
        except (StorageError, OSError) as error:
            log.warning("dispatch_failed", error=type(error).__name__)
            return AWAY

    async def _identity(self) -> Identity | None:
        """Who we are in Slack; None where that cannot be known now."""
        if not self._services.slack.configured:
            return None
        try:
            return await self._services.slack.identity()
        except Failure as failure:
            log.warning("slack_not_reached", reason=failure.reason)
            await _until(self._stopped, POLL)  # commits wake us, and Slack is not to be asked at each of them
            return None

    async def _drain(self) -> None:
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=DRAIN)
        for task in late:
            task.cancel()
        if late:
            log.warning("deliveries_left", count=len(late))
            await asyncio.wait(late)

    # Claiming

    async def _claim(self, identity: Identity) -> float:
        now = self._services.clock()
        entry_id: int | None = None
        try:
            async with self._services.database.transaction(brief=True) as tx:
                entry = await outbox.next_up(tx, now=now)
                if entry is None:
                    return _seconds(await outbox.next_due(tx, now=now), now)
                if entry.kind not in BRIEF:
                    at_length(tx)
                entry_id = entry.id
                claimed = await self._prepare(tx, entry, identity, now)
                again_at = await outbox.after_this(tx, now=now)
        except Exception as error:
            if entry_id is None:
                raise
            log.error("delivery_not_prepared", entry_id=entry_id, error=type(error).__name__)  # noqa: TRY400 -- no content
            self._services.metrics.mistake("delivery")
            await self._stumbled(entry_id, now)  # one entry that we cannot prepare must not stop all others
            return 0.0
        if claimed is not None:
            self._begin(claimed)
        return 0.0 if again_at == now else _seconds(again_at, now)

    async def _prepare(self, tx: Transaction, entry: Outbox, identity: Identity, now: datetime) -> Claimed | None:
        maybe_done = entry.state == WorkState.SENDING
        at = At(tx=tx, entry=entry, services=self._services, identity=identity, now=now, maybe_done=maybe_done)
        match await self._kinds[Kind(entry.kind)](at):
            case Plan(channel=channel) if channel not in (None, entry.channel):
                entry.channel = channel  # known only now: it comes back at once, in this channel's pace
                await outbox.requeue(tx, entry, due_at=now, reason=None, maybe_done=maybe_done)
            case Plan() as plan:
                outbox.begin(entry, now=now, owner=self._owner)
                next_at, trial = now + self._interval, False
                if entry.channel:
                    trial = await lanes.pace(tx, entry.channel, next_at, outcome_by=now + outbox.CLAIM_FOR)
                return Claimed(entry=entry, plan=plan, maybe_done=maybe_done, next_at=next_at, trial=trial)
            case Parked(reason=reason):
                await outbox.park(tx, entry, reason=reason)
            case NotYet(reason=reason, pause=pause):
                await outbox.requeue(tx, entry, due_at=now + pause, reason=reason, maybe_done=maybe_done)
            case None:
                await outbox.settle(tx, entry, state=WorkState.DONE, now=now)
        return None

    @property
    def _interval(self) -> timedelta:
        """Slack permits about one post a second and channel (docs.slack.dev/apis/web-api/rate-limits)."""
        return timedelta(seconds=1 / self._services.settings.slack_posts_per_second)

    async def _stumbled(self, entry_id: int, now: datetime) -> None:
        """Our own code could not prepare an entry: later again, and at last not any more."""
        async with self._services.database.transaction() as tx:
            entry = await outbox.hold(tx, entry_id, now=now)
            if entry is None:
                return
            mistakes, maybe_done = entry.mistakes + 1, entry.state == WorkState.SENDING
            jitter = self._services.jitter()
            verdict = judge_mistake("not_prepared", mistakes=mistakes, now=now, jitter=jitter, maybe_done=maybe_done)
            match verdict:
                case Again(at=at, reason=reason):
                    await outbox.requeue(tx, entry, due_at=at, reason=reason, maybe_done=maybe_done, mistakes=mistakes)
                case GiveUp(reason=reason):
                    await give_up(tx, entry, reason, now)
        count(self._services, entry, verdict)

    # Delivering

    def _begin(self, claimed: Claimed) -> None:
        task = asyncio.create_task(settle(self._services, claimed))
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if len(self._under_way) >= AT_ONCE:
            self._woken.set()  # it makes room; what follows from it, its commit has told
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("delivery_left", error=type(error).__name__)


async def _until(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but no longer than this."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _seconds(due: datetime | None, now: datetime) -> float:
    return POLL if due is None else min(POLL, max(0.001, (due - now).total_seconds()))
