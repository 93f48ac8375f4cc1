"""Says what waits in the outbox: claims the head of each lane, makes the call, settles it; woken, not polling.

Claim and the state *sending* are one commit, made before the call; the outcome is another. What was cut off between
the two is found in the state *sending* and is looked for before it is said again. Whoever adds to the outbox may have it
claimed in the same commit (`claim_within`).
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.dispatch.outcomes import BRIEF, Claimed, count, give_up, settle
from bot.dispatch.plans import At, NotYet, Parked, Plan, Prepare
from bot.dispatch.verdicts import Again, GiveUp, Verdict, judge_mistake
from bot.failures import Failure
from bot.pacing import Paces
from bot.services import Services
from bot.slack import Identity
from storage import away, lanes, outbox, pacing, timing
from storage.database import StorageError, Transaction, afresh, at_length, looked_at, touch
from storage.entries import Entry
from storage.models import WorkState
from storage.outbox import Kind

POLL = 5.0
"""Seconds after which the outbox is looked at unasked, where nobody tells us what others wrote (`Database.patience`)."""

AWAY = 1.0
"""Seconds until a database that did not do as asked is asked again."""

AT_ONCE = 16
"""How many calls may be under way at the same time."""

DRAIN = 8.0
"""Seconds that calls under way get at shutdown; each call has a time-out of its own below that."""

KNOWN = frozenset(Kind)

STORAGE = "storage"
"""The database went away while an entry was prepared."""

log = structlog.get_logger()


class Overtaken(Exception):  # noqa: N818 -- it says what happened
    """Another replica took the last call out of a bucket meanwhile: what was prepared is rolled back, and waits."""


@dataclass(frozen=True, kw_only=True)
class _Taken:
    """The entry that is being prepared. `maybe_done`: what an earlier attempt did is not known."""

    entry_id: int
    maybe_done: bool


class Dispatcher:
    """The task that empties the outbox."""

    def __init__(self, services: Services, kinds: Mapping[Kind, Prepare]) -> None:
        """`kinds`: how each kind of entry is prepared."""
        self._services = services
        self._kinds = kinds
        self._paces = Paces(posts_per_second=services.settings.slack_posts_per_second)
        self._owner = secrets.token_hex(8)
        self._woken = asyncio.Event()
        self._stopped = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._in_vain = False
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

    async def claim_within(self, tx: Transaction) -> Callable[[], None] | None:
        """Claim what goes next, as the last thing that a transaction does which added to the outbox; on SQLite only.

        Returns what begins it, to be called after the commit. None: nothing was claimed here, and whoever waits for commits
        looks for it. Whatever this raises, the transaction is to be rolled back.

        On PostgreSQL a transaction that holds a lead would wait here for the pace of a channel, which others hold that wait
        for the lead. On SQLite nobody else writes meanwhile.
        """
        identity = self._services.slack.known_identity
        if identity is None or self._stopped.is_set() or len(self._under_way) >= AT_ONCE:
            return None
        await afresh(tx)
        now = self._services.clock()
        entry = await outbox.next_up(tx, now=now)
        if entry is None or entry.kind not in BRIEF:
            return None
        claimed = await self._prepare(tx, entry, identity, now)
        if claimed is None:
            return None
        again_at = await timing.after_this(tx, now=now)
        if again_at != now:
            looked_at(tx, outbox.TOPIC)
        return partial(self._begin_within, claimed, self._pause(again_at, now))

    def _begin_within(self, claimed: Claimed, pause: float) -> None:
        self._begin(claimed)
        if pause < POLL:  # sooner than it is looked anyway
            asyncio.get_running_loop().call_later(pause, self._woken.set)

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
        taken: _Taken | None = None
        # As long as nothing is found: of a delivery that ends while we look, we may see its lane as it was before.
        self._in_vain = not self._services.database.is_sqlite
        try:
            async with self._services.database.transaction(brief=True) as tx:
                entry = await outbox.next_up(tx, now=now)
                if entry is None:
                    return self._pause(await timing.next_due(tx, now=now), now)
                self._in_vain = False
                if entry.kind not in BRIEF:
                    at_length(tx)
                taken = _Taken(entry_id=entry.id, maybe_done=entry.state == WorkState.SENDING)
                claimed = await self._prepare(tx, entry, identity, now)
                again_at = await timing.after_this(tx, now=now)
                if again_at == now and len(self._under_way) + 1 >= AT_ONCE:
                    touch(tx, outbox.TOPIC)  # we have our hands full: it is for the other replicas
        except Overtaken:
            return 0.0
        except Exception as error:
            if taken is None:
                raise
            await self._stumbled(taken, error, now)  # one entry that we cannot prepare must not stop all others
            return 0.0
        if claimed is not None:
            self._begin(claimed)
        return 0.0 if again_at == now else self._pause(again_at, now)

    def _pause(self, due: datetime | None, now: datetime) -> float:
        longest = self._services.database.patience(POLL)
        return longest if due is None else min(longest, max(0.001, (due - now).total_seconds()))

    async def _prepare(self, tx: Transaction, entry: Entry, identity: Identity, now: datetime) -> Claimed | None:
        maybe_done = entry.state == WorkState.SENDING
        if entry.kind not in KNOWN and now - entry.created_at < outbox.LEFT_AT_MOST:
            await outbox.leave(tx, entry, due_at=now + outbox.LEFT_FOR)
            return None
        at = At(
            tx=tx,
            entry=entry,
            claim=entry.begun(now=now, owner=self._owner),
            services=self._services,
            identity=identity,
            now=now,
            maybe_done=maybe_done,
        )
        match await self._kinds[Kind(entry.kind)](at):
            case Plan() as plan if (place := _place(entry, plan)) != (entry.channel, entry.pace):
                channel, pace = place  # known only now: it comes back at once, in the pace of that place
                await outbox.redirect(tx, entry, channel=channel, pace=pace, now=now, maybe_done=maybe_done)
            case Plan() as plan:
                claim = await outbox.begin(tx, entry, now=now, owner=self._owner)
                trial = await self._take(tx, entry, now)
                next_at = now + self._paces.post.interval
                return Claimed(entry=claim, plan=plan, maybe_done=maybe_done, next_at=next_at, trial=trial)
            case Parked(reason=reason):
                await outbox.park(tx, entry, reason=reason)
            case NotYet(reason=reason, pause=pause):
                await outbox.requeue(tx, entry, due_at=now + pause, reason=reason, maybe_done=maybe_done)
            case None:
                await outbox.settle(tx, entry, state=WorkState.DONE, now=now)
        return None

    async def _take(self, tx: Transaction, entry: Entry, now: datetime) -> bool:
        """Take the call out of the buckets that bound it; returns whether it is a trial in a held channel."""
        outcome_by, held = now + outbox.CLAIM_FOR, False
        for key, rate in self._paces.bounds(entry):
            taken = await pacing.take(tx, key, rate, now=now, outcome_by=outcome_by)
            if taken is None:
                raise Overtaken
            held = held or taken.held
        if entry.pace is not None and entry.channel is not None:
            return await lanes.try_held(tx, entry.channel, outcome_by=outcome_by)
        return held

    async def _stumbled(self, taken: _Taken, error: Exception, now: datetime) -> None:
        """An entry could not be prepared: later again; where that was our own code's mistake, at last not any more.

        Where the commit of a claim was not confirmed, the entry may be ours; its call was not made.
        """
        name, is_lost = type(error).__name__, away.is_away(error)
        if is_lost:
            log.warning("delivery_put_off", entry_id=taken.entry_id, error=name)
        else:
            log.error("delivery_not_prepared", entry_id=taken.entry_id, error=name)
            self._services.metrics.mistake("delivery")
        async with self._services.database.transaction() as tx:
            entry = await outbox.hold(tx, taken.entry_id, now=now, owner=self._owner)
            if entry is None:
                return
            verdict = self._verdict(entry, taken, now, is_lost=is_lost)
            match verdict:
                case Again(at=at, reason=reason, maybe_done=maybe_done):
                    mistakes = entry.mistakes + (not is_lost)
                    await outbox.requeue(tx, entry, due_at=at, reason=reason, maybe_done=maybe_done, mistakes=mistakes)
                case GiveUp(reason=reason):
                    await give_up(tx, entry, reason, now)
        count(self._services, entry, verdict)

    def _verdict(self, entry: Entry, taken: _Taken, now: datetime, *, is_lost: bool) -> Verdict:
        if is_lost:
            at = now + timedelta(seconds=AWAY)
            return Again(at=at, reason=STORAGE, maybe_done=taken.maybe_done)
        jitter = self._services.jitter()
        mistakes = entry.mistakes + 1
        return judge_mistake("not_prepared", mistakes=mistakes, now=now, jitter=jitter, maybe_done=taken.maybe_done)

    # Delivering

    def _begin(self, claimed: Claimed) -> None:
        task = asyncio.create_task(settle(self._services, claimed))
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._in_vain or len(self._under_way) >= AT_ONCE:
            # It makes room; what follows from it, its commit has told. On PostgreSQL it did not see what was added to its lane
            # while it was written down, and what we found blocked by it then is not blocked any more.
            self._in_vain = False
            self._woken.set()
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("delivery_left", error=type(error).__name__)


def _place(entry: Entry, plan: Plan) -> tuple[str | None, str | None]:
    """The channel that a delivery goes to, and whose pace it keeps instead of that one's."""
    return plan.channel or entry.channel, plan.pace or outbox.pace_of(Kind(entry.kind))


async def _until(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but no longer than this."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
