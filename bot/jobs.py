"""What recurs, as a table; each job runs on one replica at a time, under a lease in the database."""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot import absences, heartbeat
from bot.services import Services
from storage import ahead, inbox, leases, messages, outbox, polling, retention, upkeep, webhooks
from storage.database import StorageError, Transaction
from storage.outbox import Kind

FIRST_AFTER = timedelta(minutes=1)
"""When a job runs first after the start: a process that is restarted every hour does its jobs too."""

APART = timedelta(seconds=2.1)
"""So much later does each run first than the one before it in the table, and at every hour again: what several hold at the same
time, a connection each to begin with, the process keeps. Their intervals are whole seconds, an even number: no two meet later."""

LEASE = 0.9
"""How much of a job's interval its lease lasts: who did it last does it next, and where that one is gone, another."""

GRACE = 5.0
"""Seconds that a job under way gets at shutdown."""

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something done every so often; what is due once at a certain time is an outbox entry instead.

    `leased`: on one replica at a time. A job that claims what it works on one by one needs no lease of its own.
    """

    name: str
    every: timedelta
    run: Callable[[Services], Awaitable[None]]
    leased: bool = True


async def prune(services: Services) -> None:
    """Forget the bodies of webhooks that were read long ago, what was said long ago, and what was kept for no lead."""
    before = services.clock() - timedelta(days=services.settings.inbox_keep_days)
    bodies = await _pruned(services, inbox.old, inbox.prune, before=before)
    async with services.database.transaction() as tx:
        await messages.forget_strays(tx)
    said = await _pruned(services, upkeep.old, upkeep.prune, before=before)
    log.info("pruned", bodies=bodies, entries=said)


class _Find(Protocol):
    async def __call__(self, tx: Transaction, *, before: datetime, after: int) -> Sequence[int]: ...


class _Forget(Protocol):
    async def __call__(self, tx: Transaction, ids: Sequence[int], *, before: datetime) -> int: ...


async def _pruned(services: Services, find: _Find, forget: _Forget, *, before: datetime) -> int:
    """Forget what is old, some at a time, so that nobody waits long for it; returns how much."""
    count, last = 0, 0
    while True:
        async with services.database.reading() as tx:
            found = await find(tx, before=before, after=last)
        if not found:
            return count
        async with services.database.transaction() as tx:
            count += await forget(tx, found, before=before)
        last = found[-1]


async def renew_tokens(services: Services) -> None:
    """Renew the tokens that are due, and those whose renewal was cut off: within Thumbtack's grace of 10 seconds."""
    await services.tokens.renew_due()


async def follow_leads(services: Services) -> None:
    """Let v4 be asked about the leads that are due: it pushes neither their status nor what was charged for them."""
    environment, now = services.settings.thumbtack_environment, services.clock()
    async with services.database.reading() as tx:
        due = await polling.due(tx, environment=environment, now=now)
    if not due:
        return
    async with services.database.transaction() as tx:
        asked = await polling.enqueue(tx, due, now=now)
    if asked:
        log.info("leads_followed", leads=asked)


async def look_at_webhooks(services: Services) -> None:
    """Let v4 be asked whether our webhooks stand as they did: somebody may have changed them there."""
    async with services.database.transaction() as tx:
        for business_id in await webhooks.standing(tx):
            payload = {"business_id": business_id, "look": True}
            lane = outbox.webhook_lane(business_id)
            await outbox.enqueue(tx, Kind.SET_WEBHOOK, now=services.clock(), lane=lane, payload=payload)


async def forget_old(services: Services) -> None:
    """Forget leads of which nothing was heard for LEADS_KEEP_DAYS: rows, raw bodies, and our posts, which go later."""
    days = services.settings.leads_keep_days
    if days is None:
        return
    now = services.clock()
    counts = await retention.forget_old(services.database, before=now - timedelta(days=days), now=now)
    log.info("old_leads_forgotten", **counts)


async def beat(services: Services) -> None:
    """Tell the watch outside that we live. Its lease was written just before: where nothing can be stored, it is silent."""
    url = services.settings.heartbeat_url
    if url is None:
        return
    try:
        await heartbeat.beat(url)
    except heartbeat.NotHeard as error:
        log.warning("heartbeat_not_heard", reason=str(error))
        services.metrics.job_failed("beat")


async def notice_absence(services: Services) -> None:
    """Write down that we are there. Where nobody was, or Slack could not tell us something, threads are read back."""
    await absences.look(services)


async def notice_silence(services: Services) -> None:
    """Tell the keepers of businesses for which nothing comes any more."""
    await absences.look_for_silences(services)


async def mend_times(services: Services) -> None:
    """Where this machine's clock was set back: nobody waits as long as it ran ahead."""
    async with services.database.transaction() as tx:
        found = await ahead.mend(tx, now=services.clock())
    if found:
        log.warning("clock_set_back", rows=found)


JOBS = (
    Job(name="renew_tokens", every=timedelta(seconds=2), run=renew_tokens, leased=False),
    Job(name="notice_absence", every=timedelta(minutes=1), run=notice_absence, leased=False),
    Job(name="beat", every=timedelta(minutes=1), run=beat),
    Job(name="mend_times", every=timedelta(minutes=1), run=mend_times, leased=False),
    Job(name="follow_leads", every=polling.EVERY, run=follow_leads),
    Job(name="prune", every=timedelta(hours=1), run=prune),
    Job(name="forget_old", every=timedelta(hours=1), run=forget_old),
    Job(name="look_at_webhooks", every=timedelta(hours=12), run=look_at_webhooks),
    Job(name="notice_silence", every=timedelta(hours=1), run=notice_silence),
)


def first_runs(jobs: Sequence[Job]) -> Sequence[timedelta]:
    """How long after the start each runs first."""
    return [min(FIRST_AFTER, job.every) + place * APART for place, job in enumerate(jobs)]


class Scheduler:
    """Runs every job at its interval. Its memory is the process: leases keep replicas apart."""

    def __init__(self, services: Services, jobs: Sequence[Job] = JOBS) -> None:
        """Nothing runs before `start`."""
        self._services = services
        self._owner = secrets.token_hex(8)
        self._running: set[asyncio.Task[None]] = set()
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        for job, first_after in zip(jobs, first_runs(jobs), strict=True):
            self._add(job, first_after=first_after)

    def _add(self, job: Job, *, first_after: timedelta) -> None:
        self._scheduler.add_job(
            self._launch,
            "interval",
            args=[job],
            seconds=job.every.total_seconds(),
            id=job.name,
            coalesce=True,
            misfire_grace_time=None,
            next_run_time=datetime.now(UTC) + first_after,
        )

    def start(self) -> None:
        """From now on, jobs run."""
        self._scheduler.start()

    async def stop(self) -> None:
        """Start nothing more, and let what runs finish."""
        self._scheduler.shutdown(wait=False)
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=GRACE)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _launch(self, job: Job) -> None:
        """Run a job in a task of its own: the scheduler cancels what it started when it is shut down."""
        task = asyncio.create_task(under_lease(self._services, job, self._owner))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        with contextlib.suppress(asyncio.CancelledError):  # then `stop` waits for the task
            await asyncio.wait([task])


async def under_lease(services: Services, job: Job, owner: str) -> None:
    """Run a job unless another replica has it. What goes wrong is logged; the next time is another chance."""
    try:
        if not job.leased or await _leased(services, job, owner):
            await job.run(services)
    except (StorageError, OSError) as error:
        log.warning("job_failed", job=job.name, error=type(error).__name__)
        services.metrics.job_failed(job.name)
    except Exception as error:  # noqa: BLE001 -- APScheduler would log the whole of it, whatever is in it
        log.error("job_broke", job=job.name, error=type(error).__name__)  # noqa: TRY400 -- no content
        services.metrics.mistake("job")


async def _leased(services: Services, job: Job, owner: str) -> bool:
    async with services.database.transaction() as tx:
        return await leases.acquire(tx, f"job:{job.name}", owner=owner, now=services.clock(), lasts=job.every * LEASE)
