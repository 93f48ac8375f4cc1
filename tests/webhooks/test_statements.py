"""What a webhook costs in statements: each is a round to the database while the next webhook waits."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import event, update
from support.gate import Gate
from support.hearing import hearing

from sandbox.thumbtack import bodies, v4_bodies
from storage import appending, outbox
from storage.models import Business, Customer, Message, Outbox

LOCKS = "pg_advisory_xact_lock"
"""PostgreSQL's own; SQLite needs none."""


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What goes to the database; the inbox is written apart."""
    seen: list[str] = []

    def note(statement: str) -> None:
        if LOCKS not in statement and not statement.startswith("BEGIN"):
            seen.append(statement)

    with hearing(note):
        yield seen


@pytest.fixture
def loaded() -> Iterator[list[Message]]:
    """The messages that are read from the database."""
    seen: list[Message] = []

    def note(message, _context):
        seen.append(message)

    event.listen(Message, "load", note)
    yield seen
    event.remove(Message, "load", note)


async def test_reading_a_lead_of_a_known_business(door: Gate, statements: list[str]):
    await door.ingested(("/v1/lead", bodies.lead()))
    await door.post("/v1/lead", bodies.lead())
    statements.clear()
    assert await door.ingest.step()
    assert len(statements) <= (21 if door.database.is_sqlite else 24), "\n".join(statements)


async def test_reading_a_message_of_a_known_lead(door: Gate, statements: list[str]):
    body = bodies.lead()
    await door.ingested(("/v1/lead", body))
    await door.post("/v1/message", bodies.message(body["leadID"], "Hello?"))
    statements.clear()
    assert await door.ingest.step()
    # PostgreSQL reads the lead anew each time it is held: another replica may have changed it until then.
    assert len(statements) <= (13 if door.database.is_sqlite else 15), "\n".join(statements)
    assert not any("lead.description" in one for one in statements), "of the lead only what a message looks at is read"


async def test_a_message_costs_the_same_however_long_the_conversation_is(door: Gate, loaded: list[Message]):
    at = door.clock()
    lead = v4_bodies.negotiation(at=at - timedelta(hours=1))
    said = [
        v4_bodies.message(lead, lead["negotiationID"], f"Say {number}.", sender="Customer", at=at)
        for number in range(9)
    ]
    *before, last = [v4_bodies.event("MessageCreatedV4", one, webhook_id="1", at=at) for one in said]
    created = v4_bodies.event("NegotiationCreatedV4", lead, webhook_id="1", at=at)
    await door.ingested(*(("/v4/webhooks", one) for one in (created, *before)))
    async with door.database.transaction() as tx:
        await tx.execute(update(Outbox).values(settled_at=at))  # what waits to be posted is put in order
    await door.post("/v4/webhooks", last)
    loaded.clear()
    assert await door.ingest.step()
    assert loaded == [], "what was said before is not read again"
    assert len(await door.rows(Message)) == len(said)


async def test_an_inbox_that_was_read_is_not_looked_at_again(door: Gate, statements: list[str]):
    await door.ingested(("/v1/lead", bodies.lead()))
    await door.post("/v1/lead", bodies.lead())
    statements.clear()
    running, read = asyncio.create_task(door.ingest.run()), asyncio.Event()
    door.database.on_commit(outbox.TOPIC, read.set)
    await asyncio.wait_for(read.wait(), 10)
    for _ in range(20):
        await asyncio.sleep(0)
    running.cancel()
    assert sum("FROM inbox" in one and "ORDER BY" in one for one in statements) == 1


async def test_a_business_that_is_told_of_twice_in_a_body_stays_one_and_takes_its_name(door: Gate):
    first, second = bodies.lead(), bodies.lead()
    second["business"]["name"] = "Renamed & Sons"
    await door.ingested(("/v1/lead", first), ("/v1/lead", second))
    assert [one.name for one in await door.rows(Business)] == ["Renamed & Sons"]


async def test_a_customer_is_made_with_all_that_is_told_of_them(door: Gate):
    body = bodies.lead()
    await door.ingested(("/v1/lead", body))
    (made,) = await door.rows(Customer)
    assert (made.name, made.phone) == (body["customer"]["name"], body["customer"].get("phone"))


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (7, [7]), (32, [32]), (45, [32, 13]), (300, [128, 128, 32, 12])]
)
def test_rows_go_in_by_few_statements_in_their_order(count: int, sizes: list[int]):
    rows = [{"number": number} for number in range(count)]
    parts = list(appending._parts(rows))
    assert [len(one) for one in parts] == sizes
    assert [row for one in parts for row in one] == rows
