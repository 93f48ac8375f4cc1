"""What recurs: what is forgotten and what is kept, and that of several replicas one does it."""

import asyncio
import dataclasses
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs
from support.conversation import Conversation
from support.office import CHANNEL

from bot import jobs
from bot.jobs import JOBS, LEASE, Job, Scheduler, prune, under_lease
from sandbox.faults import Fault
from sandbox.thumbtack import bodies
from storage import messages, outbox
from storage.database import utcnow
from storage.messages import Said
from storage.models import Environment, Inbox, Lease, Message, Outbox, WorkState
from webhooks.thumbtack.payloads import legacy

HOUR = timedelta(hours=1)


def services_of(place):
    return place.door.app.state.services


def counting(name="count", every=HOUR):
    """A job that says how often it ran."""
    ran = []

    async def run(_services):
        ran.append(name)

    return Job(name=name, every=every, run=run), ran


async def held(place):
    async with place.database.reading() as tx:
        return {lease.name: lease.owner for lease in (await tx.execute(select(Lease))).scalars()}


@pytest.mark.knobs(inbox_keep_days=7)
async def test_bodies_are_forgotten_and_a_repeat_is_still_known(place):
    lead = bodies.lead()
    assert (await place.post("/v1/lead", lead)).status_code == 200
    await place.seen(lambda: place.cards)
    await place.at_rest()
    await place.advance(days=6, hours=23)
    await prune(services_of(place))
    (row,) = await place.rows(Inbox)
    assert row.body is not None
    await place.advance(hours=2)
    with capture_logs() as said:
        await prune(services_of(place))
    (row,) = await place.rows(Inbox)
    assert (row.body, row.state) == (None, WorkState.DONE)
    assert {"event": "pruned", "bodies": 1}.items() <= said[-1].items()
    assert (await place.post("/v1/lead", lead)).status_code == 200
    assert (await place.post("/v1/message", bodies.message(lead["leadID"], "Still there?"))).status_code == 200  # known
    await place.ingested()
    await place.at_rest()
    assert len(place.cards) == 1
    assert [one.route for one in await place.rows(Inbox)] == ["/v1/lead", "/v1/message"]


async def test_what_was_read_today_is_kept_however_long_ago_it_came(place):
    """What counts is when it was read: until then the body is all there is."""
    assert (await place.post("/v1/lead", bodies.lead())).status_code == 200
    await place.ingested()
    async with place.database.transaction() as tx:
        await tx.execute(update(Inbox).values(received_at=utcnow() - timedelta(days=99)))
    await prune(services_of(place))
    assert [row.body is None for row in await place.rows(Inbox)] == [False]


async def test_what_could_not_be_read_is_kept_until_it_can(place, monkeypatch):
    monkeypatch.setattr(legacy, "facts", lambda _kind, body: [body["a field that we rely on"]])
    assert (await place.post("/v1/lead", bodies.lead())).status_code == 200
    await place.ingested()
    await place.advance(days=400)
    await prune(services_of(place))
    (row,) = await place.rows(Inbox)
    assert row.state == WorkState.DEAD
    assert row.body is not None


async def test_what_was_said_is_forgotten_and_what_waits_or_died_is_not(place):
    kept = {}
    conversation = await Conversation.opened(place)
    await place.at_rest()
    done = {entry.id for entry in await place.rows(Outbox)}
    place.thumbtack.faults.stand("message", Fault(status=503))
    await conversation.said("We come at noon.")
    async with place.database.transaction() as tx:
        later = utcnow() + timedelta(days=999)
        for state in WorkState:
            entry = await outbox.enqueue(tx, outbox.Kind.POST_LEAD, now=utcnow(), due_at=later)
            await tx.flush()
            kept[state] = entry.id
            entry.state = state
            entry.settled_at = utcnow() if state in (WorkState.DONE, WorkState.DEAD, WorkState.CANCELLED) else None
    assert await _left(place) > done
    before = await _left(place)
    await prune(services_of(place))
    assert await _left(place) == before  # nothing is old
    place.clock.ahead += timedelta(days=31)
    await prune(services_of(place))
    left = await _left(place)
    assert not left & done
    assert {state for state, entry_id in kept.items() if entry_id in left} == set(WorkState) - {
        WorkState.DONE,
        WorkState.CANCELLED,
    }
    waiting = {entry.kind for entry in await place.rows(Outbox) if entry.message_id is not None}
    assert outbox.Kind.SEND_REPLY in waiting


async def _left(place):
    return {entry.id for entry in await place.rows(Outbox)}


async def test_more_than_one_transaction_forgets_at_once_is_forgotten(place, monkeypatch):
    monkeypatch.setattr(outbox, "PRUNED_AT_ONCE", 3)
    async with place.database.transaction() as tx:
        for _ in range(7):
            entry = await outbox.enqueue(tx, outbox.Kind.POST_LEAD, now=utcnow())
            entry.state, entry.settled_at = WorkState.DONE, utcnow()
    await place.advance(days=31)
    with capture_logs() as said:
        await prune(services_of(place))
    assert await _left(place) == set()
    assert {"event": "pruned", "entries": 7}.items() <= said[-1].items()


async def test_what_was_kept_for_no_lead_is_forgotten_and_a_lead_s_messages_are_not(place):
    conversation = await Conversation.opened(place)
    ours = await conversation.say("We come at noon.")
    await conversation.marked(ours, "white_check_mark")
    said = Said(team_id="T0TEAM", channel="C0OTHER", ts="1.1", thread_ts="1.0", user="U0ANA", text="Lunch?")
    async with place.database.transaction() as tx:
        await messages.record_outbound(tx, said, lead_id=None, environment=Environment.PRODUCTION, now=utcnow())
    assert len(await place.rows(Message)) == 2
    await prune(services_of(place))
    assert [message.slack_ts for message in await place.rows(Message)] == [ours]


async def test_what_may_still_find_its_lead_is_kept(place):
    """The card is being posted: a reply that came before its thread is attached waits for it."""
    said = Said(team_id="T0TEAM", channel=CHANNEL, ts="1.1", thread_ts="1.0", user="U0ANA", text="We come.")
    async with place.database.transaction() as tx:
        entry = await outbox.enqueue(
            tx, outbox.Kind.POST_LEAD, now=utcnow(), channel=CHANNEL, due_at=utcnow() + timedelta(days=9)
        )
        entry.state = WorkState.SENDING
        await messages.record_outbound(tx, said, lead_id=None, environment=Environment.PRODUCTION, now=utcnow())
    await prune(services_of(place))
    assert len(await place.rows(Message)) == 1


async def test_of_two_replicas_one_does_a_job_and_goes_on_doing_it(place):
    job, ran = counting()
    services = services_of(place)
    await asyncio.gather(*(under_lease(services, job, owner) for owner in ("one", "other")))
    assert len(ran) == 1
    holder = (await held(place))["job:count"]
    await under_lease(services, job, holder)
    assert len(ran) == 2
    await under_lease(services, job, "third")
    assert len(ran) == 2


async def test_another_replica_takes_over_before_the_next_time_is_missed(place):
    job, ran = counting()
    services = services_of(place)
    await under_lease(services, job, "one")
    place.clock.ahead += HOUR * LEASE - timedelta(seconds=5)
    await under_lease(services, job, "other")
    assert len(ran) == 1
    place.clock.ahead += timedelta(seconds=6)
    await under_lease(services, job, "other")
    assert len(ran) == 2
    await under_lease(services, job, "one")  # back, and too late
    assert len(ran) == 2
    assert (await held(place))["job:count"] == "other"


async def test_jobs_do_not_hold_each_other(place):
    (first, ran_first), (second, ran_second) = counting("first"), counting("second")
    await under_lease(services_of(place), first, "one")
    await under_lease(services_of(place), second, "other")
    assert (ran_first, ran_second) == (["first"], ["second"])


async def test_a_database_that_cannot_is_logged_and_the_next_time_is_another_chance(place):
    job, ran = counting()
    async with place.database.altering() as connection:
        await connection.execute(text("ALTER TABLE lease RENAME TO lease_away"))
    with capture_logs() as said:
        await under_lease(services_of(place), job, "one")
    assert ran == []
    assert [(one["event"], one["job"], one["log_level"]) for one in said] == [("job_failed", "count", "warning")]
    async with place.database.altering() as connection:
        await connection.execute(text("ALTER TABLE lease_away RENAME TO lease"))
    await under_lease(services_of(place), job, "one")
    assert ran == ["count"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("error", "event", "level"),
    [
        (OperationalError("SELECT 4155550134", {}, Exception("4155550134")), "job_failed", "warning"),
        (ConnectionResetError("4155550134"), "job_failed", "warning"),
        (KeyError("4155550134"), "job_broke", "error"),
    ],
)
async def test_a_job_that_breaks_is_logged_without_what_it_says(place, error, event, level):
    async def breaks(_services):
        raise error

    with capture_logs() as said:
        await under_lease(services_of(place), Job(name="breaks", every=HOUR, run=breaks), "one")
    assert said == [{"event": event, "log_level": level, "job": "breaks", "error": type(error).__name__}]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_job_that_broke_runs_again_at_its_time(place):
    ran, again = [], asyncio.Event()

    async def breaks(_services):
        ran.append("ran")
        if len(ran) == 3:
            again.set()
        raise KeyError

    scheduler = Scheduler(services_of(place), [Job(name="breaks", every=timedelta(milliseconds=20), run=breaks)])
    with capture_logs() as said:
        scheduler.start()
        async with asyncio.timeout(5):
            await again.wait()
        await scheduler.stop()
    assert {one["event"] for one in said} == {"job_broke"}


async def test_every_job_in_the_table_runs_in_a_running_office(place, monkeypatch):
    """A process that is restarted before any job's interval is over does its jobs too."""
    await place.stop()
    ran, done = [], asyncio.Event()

    def noted(job):
        async def run(services):
            await job.run(services)
            ran.append(job.name)
            if len(ran) == len(JOBS):
                done.set()

        return dataclasses.replace(job, run=run)

    monkeypatch.setattr(jobs, "FIRST_AFTER", timedelta())
    monkeypatch.setattr(Scheduler.__init__, "__defaults__", (tuple(noted(job) for job in JOBS),))
    with capture_logs() as said:
        await place.start()
        async with asyncio.timeout(10):
            await done.wait()
    assert sorted(ran) == sorted(job.name for job in JOBS)
    assert set(await held(place)) == {f"job:{job.name}" for job in JOBS}
    assert [one["event"] for one in said if one["log_level"] in ("warning", "error")] == []


def test_the_table_names_each_job_once_and_none_too_often():
    assert {job.name for job in JOBS} >= {"prune"}
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert all(job.every >= timedelta(minutes=1) for job in JOBS)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_runs_is_finished_at_the_end_and_nothing_more_is_started(place):
    began, may_end, ended = asyncio.Event(), asyncio.Event(), []

    async def slow(_services):
        began.set()
        await may_end.wait()
        ended.append("slow")

    scheduler = Scheduler(services_of(place), [Job(name="slow", every=timedelta(milliseconds=20), run=slow)])
    scheduler.start()
    await began.wait()
    stopping = asyncio.create_task(scheduler.stop())
    await asyncio.wait([stopping], timeout=0.1)
    assert not stopping.done()
    may_end.set()
    await stopping
    assert ended == ["slow"]
    assert _running("under_lease") == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_does_not_end_in_time_is_cancelled(place, monkeypatch):
    monkeypatch.setattr(jobs, "GRACE", 0.01)
    began = asyncio.Event()

    async def endless(_services):
        began.set()
        await asyncio.Event().wait()

    scheduler = Scheduler(services_of(place), [Job(name="endless", every=timedelta(milliseconds=20), run=endless)])
    scheduler.start()
    async with asyncio.timeout(5):
        await began.wait()
        await scheduler.stop()
    assert _running("under_lease") == []


def _running(name):
    return [task for task in asyncio.all_tasks() if name in repr(task.get_coro())]
