"""What recurs: on one replica at a time, through troubles with the database, to its end when the program ends."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from support.deliveries import all_said
from support.office import Office

from bot import jobs
from bot.jobs import JOBS, Job, Scheduler, under_lease
from bot.services import Services
from sandbox.thumbtack import bodies
from storage import inbox
from storage.database import StorageError, Transaction
from storage.models import Inbox, Lease, Outbox

HOUR = timedelta(hours=1)


@pytest.fixture
def services(place: Office) -> Services:
    assert place.door.app is not None
    return place.door.app.state.services


class Work:
    """A job that says when it began and waits to be let go."""

    def __init__(self, *, fails: Exception | None = None):
        self.began = asyncio.Event()
        self.go = asyncio.Event()
        self.runs = self.ended = 0
        self.fails = fails
        self.job = Job(name="work", every=HOUR, run=self.run)

    async def run(self, _services):
        self.runs += 1
        self.began.set()
        if self.fails:
            raise self.fails
        await self.go.wait()
        self.ended += 1


async def test_of_several_replicas_one_does_a_job_each_time(place: Office, services):
    work = Work()
    work.go.set()
    await asyncio.gather(*(under_lease(services, work.job, owner) for owner in ("one", "two", "three")))
    assert work.runs == 1
    async with place.database.reading() as tx:
        first = (await tx.execute(select(Lease.owner).where(Lease.name == "job:work"))).scalar_one()
    others = {"one", "two", "three"} - {first}
    await place.advance(minutes=50)
    await asyncio.gather(*(under_lease(services, work.job, owner) for owner in others))
    assert work.runs == 1, "who did it last holds it until shortly before the next time"
    await place.advance(minutes=10)
    await asyncio.gather(*(under_lease(services, work.job, owner) for owner in others))
    assert work.runs == 2, "and where that one is gone, another does it"


@pytest.mark.parametrize("error", [StorageError("away"), OSError("gone"), ValueError("a mistake of ours")])
async def test_a_job_that_fails_is_done_the_next_time(place: Office, services, error):
    work = Work(fails=error)
    await under_lease(services, work.job, "one")
    work.fails = None
    work.go.set()
    await place.advance(hours=1)
    await under_lease(services, work.job, "one")
    assert (work.runs, work.ended) == (2, 1)


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(jobs, "FIRST_AFTER", timedelta())


def test_no_two_jobs_begin_at_the_same_time_and_tokens_do_not_wait_for_the_others():
    after = dict(zip([job.name for job in JOBS], jobs.first_runs(JOBS), strict=True))
    hourly = [after[job.name] for job in JOBS if job.every >= timedelta(hours=1)]
    by_the_minute = [after[job.name] for job in JOBS if job.every == timedelta(minutes=1)]
    assert len(set(by_the_minute + hourly)) == len(JOBS) - 1
    assert all(first < timedelta(minutes=2) for first in after.values()), "none meets another's second time"
    every, nothing = timedelta(seconds=2), timedelta()
    assert [name for name, first in after.items() if first % every == nothing] == ["renew_tokens"], (
        "which comes so often"
    )
    assert after["renew_tokens"] == every, "a renewal that was cut off can be repeated for ten seconds"


async def test_jobs_run_by_themselves_and_are_finished_at_the_end(services, soon):
    work = Work()
    scheduler = Scheduler(services, [work.job])
    scheduler.start()
    async with asyncio.timeout(60):
        await work.began.wait()
        ending = asyncio.create_task(scheduler.stop())
        await asyncio.sleep(0)
        work.go.set()
        await ending
    assert work.ended == 1


async def test_a_job_that_does_not_end_is_ended(services, soon, monkeypatch, caplog):
    monkeypatch.setattr(jobs, "GRACE", 0.05)
    work = Work()
    scheduler = Scheduler(services, [work.job])
    scheduler.start()
    async with asyncio.timeout(60):
        await work.began.wait()
        await scheduler.stop()
    assert (work.runs, work.ended) == (1, 0)
    assert caplog.text == "", "APScheduler calls a job that was cancelled an error"


def ticking(services: Services) -> tuple[Scheduler, asyncio.Queue[None]]:
    """A scheduler with a job that comes again and again, and what grows by one each time."""
    ticks: asyncio.Queue[None] = asyncio.Queue()

    async def tick(_services: Services) -> None:
        ticks.put_nowait(None)

    return Scheduler(services, [Job(name="tick", every=timedelta(milliseconds=10), run=tick, leased=False)]), ticks


async def test_nothing_runs_once_it_was_stopped(services):
    """How much time has passed is told by one that goes on; stopping waits for what runs, and here nothing ever ran."""
    (stopped, never), (other, ticks) = ticking(services), ticking(services)
    stopped.start()
    await stopped.stop()
    other.start()
    async with asyncio.timeout(60):
        for _ in range(5):
            await ticks.get()
    await other.stop()
    assert never.empty()


async def test_what_was_read_and_said_long_ago_is_forgotten(place: Office, services, monkeypatch):
    monkeypatch.setattr("storage.upkeep.PRUNED_AT_ONCE", 2)
    monkeypatch.setattr("storage.inbox.BATCH", 2)
    for _ in range(3):
        assert (await place.post("/v1/lead", bodies.lead(bodies.SCENES[2]))).status_code == 200
    await all_said(place)
    count = len(await place.rows(Outbox))
    await place.advance(days=29)
    await jobs.prune(services)
    assert [one.body is None for one in await place.rows(Inbox)] == [False] * 3
    assert len(await place.rows(Outbox)) == count > 3
    await place.advance(days=2)
    await jobs.prune(services)
    assert [one.body for one in await place.rows(Inbox)] == [None] * 3
    assert await place.rows(Outbox) == []


async def test_looking_for_what_is_old_keeps_nobody_from_writing(place: Office, services, monkeypatch):
    """With a million webhooks that takes seconds; whoever waits for the database longer than five is refused."""
    look, looked = inbox.old, []

    async def looking(tx: Transaction, *, before: datetime, after: int) -> Sequence[int]:
        assert (await place.post("/v1/lead", bodies.lead())).status_code == 200
        looked.append(after)
        return await look(tx, before=before, after=after)

    monkeypatch.setattr(inbox, "old", looking)
    async with asyncio.timeout(4):
        await jobs.prune(services)
    assert looked == [0]


def test_every_job_has_its_name_and_comes_again():
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert all(job.every >= timedelta(minutes=1) for job in JOBS if job.leased)  # a lease is a write
