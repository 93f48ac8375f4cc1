"""Reading the inbox: in order within a lead, once, and whatever a body does to us its neighbours go on."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from itertools import chain, repeat

import pytest
from sqlalchemy import text
from support.gate import Gate, gate

from sandbox.thumbtack import bodies
from storage import inbox
from storage.database import Database
from storage.models import Inbox, Lead, LeadCharge, Message, Outbox, WorkState
from webhooks import ingest as ingest_module
from webhooks import routes, telling, writing
from webhooks.ingest import Ingest
from webhooks.thumbtack import money

CURSED = "$13.13"


@pytest.fixture
def mistake():
    """A mistake of ours that a certain price brings to light; undo it to have it fixed."""

    def broken(price):
        if price == CURSED:
            raise ZeroDivisionError(price)
        return cents(price)

    cents = money.cents
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(writing.money, "cents", broken)
        yield patched


async def retry(door: Gate, inbox_id: int | None = None) -> int:
    async with door.database.transaction() as tx:
        return await inbox.retry(tx, inbox_id, now=door.clock())


async def states(door: Gate) -> list[str]:
    return [row.state for row in await door.rows(Inbox)]


async def kinds(door: Gate) -> list[str]:
    return [row.kind for row in await door.rows(Outbox)]


async def test_a_body_that_breaks_our_code_stays_and_its_neighbours_and_its_lead_go_on(door, mistake):
    body = bodies.lead()
    lead_id = body["leadID"]
    await door.ingested(
        ("/v1/lead", body),
        ("/v1/lead/update", bodies.price(lead_id, CURSED)),
        ("/v1/message", bodies.message(lead_id, "after it, in the same lane")),
        ("/v1/lead", bodies.lead()),
    )
    assert await states(door) == ["done", "dead", "done", "done"]
    dead = (await door.rows(Inbox))[1]
    assert (dead.reason, dead.settled_at is not None, dead.body is not None) == ("ZeroDivisionError", True, True)
    assert await door.rows(LeadCharge) == []
    assert (await kinds(door)).count("post_message") == 1
    notice = next(row for row in await door.rows(Outbox) if row.kind == "post_notice")
    assert notice.payload == {
        "notice": "not_understood", "inbox_id": dead.id, "route": "/v1/lead/update", "lead": lead_id,
    }  # fmt: skip


async def test_after_the_fix_it_is_ingested_when_somebody_asks_for_it(door, mistake):
    body = bodies.lead()
    await door.ingested(("/v1/lead", body), ("/v1/lead/update", bodies.price(body["leadID"], CURSED)))
    mistake.undo()
    assert await states(door) == ["done", "dead"]
    assert await retry(door, 1) == 0, "what is done is not done again"
    assert await retry(door, 2) == 1
    await door.ingested()
    assert await states(door) == ["done", "done"]
    [lead] = await door.rows(Lead)
    assert (lead.charge_text, lead.charge_cents) == (CURSED, 1313)
    assert (await kinds(door))[-2:] == ["update_card", "post_charge"]


async def test_all_that_died_can_be_retried_at_once_but_for_what_was_pruned(door, mistake):
    await door.ingested(*(("/v1/lead/update", bodies.price(f"10{n}", CURSED)) for n in range(3)))
    async with door.database.transaction() as tx:
        await tx.execute(text("UPDATE inbox SET body = NULL WHERE id = 1"))
    mistake.undo()
    assert await retry(door) == 2
    await door.ingested()
    assert await states(door) == ["dead", "done", "done"]


async def test_what_a_broken_body_had_written_is_taken_back_alone(door, monkeypatch):
    """Rows that several bodies share are written by one of them and survive the fall of the next."""

    async def broken(_page, _lead):
        raise ZeroDivisionError

    first, second, third = (bodies.lead(business={"name": f"Name {n}"}) for n in range(3))
    await door.ingested(("/v1/lead", first))
    with monkeypatch.context() as patched:
        patched.setattr(telling, "announce", broken)
        await door.ingested(("/v1/lead", second))
    await door.ingested(("/v1/lead", third))
    assert await states(door) == ["done", "dead", "done"]
    assert [lead.thumbtack_id for lead in await door.rows(Lead)] == [first["leadID"], third["leadID"]]


async def test_a_body_that_breaks_two_replicas_at_once_is_shown_once(door, mistake, monkeypatch):
    """The other takes the row in the moment between our failure and our saying so."""
    first, second = door.ingest, door.another_ingest()
    say_so = first._failed

    async def after_the_other(*args):
        assert await second.step()
        await say_so(*args)

    monkeypatch.setattr(first, "_failed", after_the_other)
    await door.ingested(("/v1/lead/update", bodies.price("1", CURSED)))
    assert await states(door) == ["dead"]
    assert await kinds(door) == ["post_notice"]


async def test_an_unknown_route_in_an_old_row_is_shown_to_a_person(door, monkeypatch):
    await door.post("/v1/lead", bodies.lead())
    monkeypatch.setattr(routes, "_patterns", tuple)
    await door.ingested()
    assert await states(door) == ["pending"], "a newer version may run beside us, and know it"
    door.ahead += timedelta(hours=1)
    await door.ingested()
    assert await states(door) == ["dead"]
    assert await kinds(door) == ["post_notice"]


# The database fails over one webhook


async def break_table(door: Gate, table: str) -> None:
    """Let the database refuse every new row of a table."""
    async with door.database.transaction() as tx:
        if door.database.is_sqlite:
            raised = "SELECT RAISE(ABORT, 'refused')"
            await tx.execute(text(f"CREATE TRIGGER refuse BEFORE INSERT ON {table} BEGIN {raised}; END"))
        else:
            await tx.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT refuse CHECK (false) NOT VALID"))


async def mend_table(door: Gate, table: str) -> None:
    async with door.database.transaction() as tx:
        mended = "DROP TRIGGER refuse" if door.database.is_sqlite else f"ALTER TABLE {table} DROP CONSTRAINT refuse"
        await tx.execute(text(mended))


async def test_a_failure_of_the_database_postpones_and_holds_back_the_rest_of_that_lead_alone(door):
    body = bodies.lead()
    await door.ingested(("/v1/lead", body))
    await break_table(door, "message")
    await door.ingested(
        ("/v1/message", bodies.message(body["leadID"], "waits")),
        ("/v1/lead/update", bodies.price(body["leadID"], "$5")),
        ("/v1/lead", bodies.lead()),
    )
    assert await states(door) == ["done", "pending", "pending", "done"]
    row = (await door.rows(Inbox))[1]
    assert row.attempt == 1
    assert row.due_at > door.clock()
    await mend_table(door, "message")
    await door.ingested()
    assert await states(door) == ["done", "pending", "pending", "done"], "it is not due yet"
    door.ahead += timedelta(seconds=2)
    await door.ingested()
    assert await states(door) == ["done"] * 4
    assert (await kinds(door))[-3:] == ["post_message", "update_card", "post_charge"]


async def test_what_the_database_refuses_again_and_again_is_shown_to_a_person(door):
    await break_table(door, "lead")
    await door.ingested(("/v1/lead", bodies.lead()))
    for _ in range(ingest_module.ATTEMPTS):
        assert "post_notice" not in await kinds(door)
        door.ahead += timedelta(minutes=1)
        await door.ingested()
        if await states(door) == ["dead"]:
            break
    assert await states(door) == ["dead"]
    assert await kinds(door) == ["post_notice"]
    await mend_table(door, "lead")
    await retry(door)
    await door.ingested()
    assert await states(door) == ["done"]
    assert len(await door.rows(Lead)) == 1


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_a_database_that_is_in_use_or_full_is_not_the_webhooks_fault(door):
    raised = "BEGIN RAISE EXCEPTION 'x' USING ERRCODE = (SELECT told FROM code); END"
    await run(door, "CREATE TABLE code (told TEXT)", "INSERT INTO code VALUES ('40P01')")
    await run(door, f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {raised} $$")
    await run(door, "CREATE TRIGGER refuse BEFORE INSERT ON lead FOR EACH ROW EXECUTE FUNCTION refuse()")
    await door.ingested(("/v1/lead", bodies.lead()))
    for code in ("53100", "25006", "55P03") * ingest_module.ATTEMPTS:
        await run(door, f"UPDATE code SET told = '{code}'")
        door.ahead += timedelta(seconds=1)
        await door.ingested()
    (row,) = await door.rows(Inbox)
    assert (row.state, row.attempt) == ("pending", 0)
    await run(door, "DROP TRIGGER refuse ON lead")
    door.ahead += timedelta(seconds=1)
    await door.ingested()
    assert await states(door) == ["done"]


async def run(door: Gate, *statements: str) -> None:
    async with door.database.transaction() as tx:
        for statement in statements:
            await tx.execute(text(statement))


# The task


async def running(door: Gate) -> asyncio.Task[None]:
    return asyncio.create_task(door.ingest.run())


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def settled(door: Gate, count: int) -> None:
    async with asyncio.timeout(60):
        while sum(row.settled_at is not None for row in await door.rows(Inbox)) < count:
            continue


async def test_each_arrival_wakes_the_task(door, monkeypatch):
    monkeypatch.setattr(ingest_module, "POLL", 3600.0)
    task = await running(door)
    for count in range(1, 6):
        await door.post("/v1/lead", bodies.lead())
        await settled(door, count)
    assert await states(door) == ["done"] * 5
    await ended(task)


async def test_a_retry_by_another_process_is_seen_at_the_next_look(door, mistake, monkeypatch):
    monkeypatch.setattr(ingest_module, "POLL", 0.01)
    await door.ingested(("/v1/lead/update", bodies.price("1", CURSED)))
    mistake.undo()
    task = await running(door)
    other = Database(door.database.url.render_as_string(hide_password=False))
    async with other.transaction() as tx:
        await inbox.retry(tx, 1, now=door.clock())
    await other.close()
    await settled(door, 1)
    assert await states(door) == ["done"]
    await ended(task)


async def test_what_was_postponed_is_read_when_it_is_due(door, monkeypatch):
    monkeypatch.setattr(ingest_module, "POLL", 3600.0)
    monkeypatch.setattr(ingest_module, "AGAIN_AFTER", timedelta(milliseconds=300))
    await break_table(door, "lead")
    await door.post("/v1/lead", bodies.lead())
    await door.ingest.step()
    await mend_table(door, "lead")
    task = await running(door)
    await settled(door, 1)
    assert await states(door) == ["done"]
    await ended(task)


async def test_what_becomes_due_just_after_it_was_looked_at_is_not_overlooked(door, monkeypatch):
    monkeypatch.setattr(ingest_module, "POLL", 3600.0)
    await break_table(door, "lead")
    await door.ingested(("/v1/lead", bodies.lead()))
    await mend_table(door, "lead")
    times = chain([door.clock()], repeat(door.clock() + timedelta(minutes=1)))
    door.ingest = Ingest(
        door.database, default_channel=None, reminds=False, counts=door.metrics, clock=lambda: next(times)
    )
    task = await running(door)
    await settled(door, 1)
    assert await states(door) == ["done"]
    await ended(task)


async def test_a_task_that_is_ended_anywhere_leaves_each_webhook_as_it_was_or_wholly_done(door):
    for turns in range(0, 120, 9):
        await door.post("/v1/message", bodies.message(f"20{turns}", "hello"))
        task = await running(door)
        for _ in range(turns):
            await asyncio.sleep(0)
        await ended(task)
        done = [row for row in await door.rows(Inbox) if row.state == WorkState.DONE]
        assert len(done) == len(await door.rows(Message)) == len(await door.rows(Lead))
    await door.ingested()
    assert len(await door.rows(Message)) == 14


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_a_database_that_is_away_is_asked_again(door, administrator, monkeypatch):
    monkeypatch.setattr(ingest_module, "POLL", 0.01)
    name = door.database.url.database
    await door.post("/v1/lead", bodies.lead())
    await administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await administrator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    task = await running(door)
    for _ in range(50):
        await asyncio.sleep(0)
    assert not task.done()
    await administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await settled(door, 1)
    assert await states(door) == ["done"]
    await ended(task)


# Two replicas


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_two_replicas_keep_the_order_of_each_lead_and_ingest_nothing_twice(database_url):
    """All leads share one business and customer, so the replicas meet over those rows as well."""
    leads = [bodies.lead() for _ in range(8)]
    async with gate(database_url) as one, gate(database_url) as other:
        for lead in leads:
            await one.post("/v1/lead", lead)
        for n in range(6):
            for lead in leads:
                door = one if n % 2 else other
                await door.post("/v1/message", bodies.message(lead["leadID"], f"number {n}"))
                await door.post("/v1/lead/update", bodies.price(lead["leadID"], f"${n}"))
        tasks = [await running(one), await running(other)]
        await settled(one, 8 * 13)
        for task in tasks:
            await ended(task)
        assert set(await states(one)) == {"done"}
        assert len(await one.rows(Lead)) == 8
        texts = {row.id: row.text for row in await one.rows(Message)}
        said = defaultdict(list)
        for entry in await one.rows(Outbox):
            if entry.kind == "post_message":
                said[entry.lane].append(texts[entry.message_id])
            if entry.kind == "post_charge":
                said[entry.lane].append(entry.payload["charge"])
        expected = [part for n in range(6) for part in (f"number {n}", f"${n}")]
        assert list(said.values()) == [expected] * 8


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_two_replicas_that_hear_first_of_one_business_delay_neither_lead(database_url):
    """The loser of the race over the new row goes on with the winner's; it does not come back later."""
    async with gate(database_url) as one, gate(database_url) as other:
        for n in range(10):
            ours = bodies.lead(business={"businessID": f"30{n}"}, customer={"customerID": f"31{n}"})
            theirs = bodies.lead(business={"businessID": f"30{n}"}, customer={"customerID": f"31{n}"})
            await asyncio.gather(one.post("/v1/lead", ours), other.post("/v1/lead", theirs))
            await asyncio.gather(one.ingest.step(), other.ingest.step())
        await one.ingested()
        assert {row.attempt for row in await one.rows(Inbox)} == {0}
        assert set(await states(one)) == {"done"}
