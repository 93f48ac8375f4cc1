"""The database is away for a while: nothing is acknowledged, nothing is lost, nothing is said twice, and all goes on."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import asyncpg
import pytest
import structlog
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from support.conversation import CHECK, Conversation
from support.deliveries import all_said, posted
from support.office import Office

import storage.database
from bot import jobs
from bot.dispatch import dispatcher
from bot.dispatch.kinds import KINDS
from bot.dispatch.plans import At, Plan
from bot.dispatch.verdicts import MISTAKES
from bot.jobs import under_lease
from sandbox.faults import Fault
from sandbox.thumbtack import bodies
from storage import outbox
from storage.database import Transaction
from storage.entries import Entry
from storage.models import Outbox, WorkState
from storage.outbox import Kind


@asynccontextmanager
async def away(place: Office) -> AsyncIterator[None]:
    """SQLite: another process holds the file's lock. PostgreSQL: nobody gets in, and who was in is thrown out."""
    if place.database.is_sqlite:
        file = place.database.file
        with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
            await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        return
    url, name = place.database.url, place.database.url.database
    admin = await asyncpg.connect(host=url.query["host"], user=url.username, password=url.password, database="postgres")
    await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await admin.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    yield
    await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await admin.close()


@pytest.fixture
async def office(place: Office, monkeypatch) -> Office:
    """One that does not wait long for a lock, and looks again soon."""
    await place.stop()
    monkeypatch.setattr(storage.database, "BUSY_TIMEOUT_MS", 20)
    monkeypatch.setattr(dispatcher, "AWAY", 0.05)
    monkeypatch.setattr("webhooks.ingest.POLL", 0.1)
    await place.start()
    return place


async def test_what_was_under_way_is_settled_when_it_is_back_and_all_goes_on(office: Office):
    office.slack.faults.add("chat.postMessage", Fault(delay=0.2))
    lead = bodies.lead(bodies.SCENES[2])
    assert (await office.post("/v1/lead", lead)).status_code == 200
    await office.seen(lambda: office.slack.called("chat.postMessage"))
    failed = asyncio.Event()

    def hear(_logger, _method, told):
        if told["event"] == "settle_failed":
            failed.set()
        return told

    with structlog.testing.capture_logs(processors=[hear]):
        async with away(office):
            answer = await office.post("/v1/lead", bodies.lead())
            assert (answer.status_code, answer.json()["reason"]) == (503, "storage")
            assert answer.headers["retry-after"]
            async with asyncio.timeout(60):
                await failed.wait()
        await all_said(office)
    assert (await office.post("/v1/message", bodies.message(lead["leadID"], "Is Tuesday possible?"))).status_code == 200
    await all_said(office)
    assert len(office.cards) == 1
    assert ["Tuesday" in str(one) for one in posted(office)].count(True) == 1
    assert {one.state for one in await office.rows(Outbox)} == {WorkState.DONE}


async def test_a_job_waits_for_the_next_time(office: Office):
    assert office.door.app is not None
    services = office.door.app.state.services
    prune = next(job for job in jobs.JOBS if job.name == "prune")
    with structlog.testing.capture_logs() as told:
        async with away(office):
            await under_lease(services, prune, "one")
        await under_lease(services, prune, "one")
    assert [one["event"] for one in told if one["event"] in ("job_failed", "pruned")] == ["job_failed", "pruned"]


async def lost(at: At) -> None:
    """What is claimed is being prepared when the database goes away: its connection is cut, or it may not write."""
    if at.tx.get_bind().dialect.name == "postgresql":
        await at.tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    await at.tx.execute(text("PRAGMA query_only = 1"))
    try:
        await at.tx.execute(text("DELETE FROM lane"))
    finally:
        await at.tx.execute(text("PRAGMA query_only = 0"))


async def test_what_was_being_prepared_is_not_charged_with_it(office: Office, monkeypatch):
    times = iter(range(MISTAKES + 2))

    async def prepare(at: At) -> Plan | None:
        if next(times, None) is not None:
            await lost(at)

        async def perform() -> dict[str, str]:
            return {}

        return Plan(perform=perform)

    monkeypatch.setitem(KINDS, Kind.POST_CHARGE, prepare)
    async with office.database.transaction() as tx:
        await outbox.enqueue(tx, Kind.POST_CHARGE, now=office.clock(), lane="any")
        await outbox.enqueue(tx, Kind.POST_CHARGE, now=office.clock(), lane="any")
    await office.advance(seconds=0)
    await all_said(office)
    assert next(times, None) is None
    assert [(one.state, one.mistakes) for one in await office.rows(Outbox)] == [(WorkState.DONE, 0)] * 2


async def test_a_claim_whose_commit_was_not_confirmed_is_ours_to_make_all_the_same(office: Office, monkeypatch):
    """The call was not made: a reply to a customer goes out, and nobody is asked whether it did."""
    lead = await Conversation.opened(office)
    begin, unconfirmed = outbox.begin, []

    async def begun(tx: Transaction, entry: Entry, **how: Any) -> Entry:
        if entry.kind == Kind.SEND_REPLY and not unconfirmed:
            unconfirmed.append(entry.id)
            event.listen(tx.sync_session, "after_commit", cut, once=True)
        return await begin(tx, entry, **how)

    def cut(_session: object) -> None:
        raise OperationalError("COMMIT", None, ConnectionResetError())

    monkeypatch.setattr(outbox, "begin", begun)
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, CHECK)
    assert unconfirmed
    assert lead.received == ["We come at 9."]
