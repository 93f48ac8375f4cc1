"""What is found, where, in which order; and that it is found soon among ten thousand leads."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from support.plans import plan, series

from storage import businesses, hearing, joining, leads, searching, threads
from storage.models import Direction, Environment, Generation, LeadOutcome, Message, Review, Webhook
from storage.searching import Search, Which

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
HERE, THERE = "C0LEADS", "C0OTHER"
ANA, BEN = "U0ANA", "U0BEN"
MANY = 10_000


async def add(tx, number, *, channel=HERE, name=None, phone=None, business=1, **columns):
    """A lead with its card; `channel` None: without one."""
    at, _ = await businesses.ensure(
        tx, environment=Environment.PRODUCTION, thumbtack_id=f"b{business}", name=None, now=NOW
    )
    customer, _ = await businesses.ensure_customer(
        tx, business_id=leads.known(at.id), thumbtack_id=f"c{number}", name=name, phone=phone, now=NOW
    )
    values = {"generation": Generation.LEGACY, "business_id": at.id, "customer_id": customer.id}
    merged = await leads.merge(tx, environment=Environment.PRODUCTION, thumbtack_id=str(number), values=values, now=NOW)
    for column, value in columns.items():
        setattr(merged.lead, column, value)
    if channel is not None:
        await stands(tx, merged.lead, channel, f"{number}.1")
    return merged.lead


async def stands(tx, lead, channel, ts):
    await threads.attach(
        tx,
        lead_id=leads.known(lead.id),
        team_id="T0CORKBOARD",
        channel=channel,
        ts=ts,
        delivery_id=f"d{channel}{ts}",
        as_placeholder=False,
        now=NOW,
    )


async def found(database, which=Which.OPEN, typed="", *, channels=(HERE,), number=0, size=10, **kwargs):
    """The ids at Thumbtack of what is found."""
    search = Search(which=which, user=ANA, text=typed)
    async with database.reading() as tx:
        page = await searching.find(tx, search, channels=channels, number=number, size=size, **kwargs)
    return [one.lead.thumbtack_id for one in page.found]


async def test_open_ones_are_those_that_nobody_ended_the_newest_first(database):
    async with database.transaction() as tx:
        await add(tx, 1)
        await add(tx, 2, outcome=LeadOutcome.WON)
        await add(tx, 3, outcome=LeadOutcome.LOST)
        await add(tx, 4, status="CANCELED")
        await add(tx, 5, status="Picked", owner=BEN)
        await add(tx, 6, first_answer_at=NOW)
        await add(tx, 7, channel=None)
    assert await found(database) == ["6", "5", "1"]


async def test_mine_are_open_ones_that_i_have(database):
    async with database.transaction() as tx:
        await add(tx, 1, owner=ANA)
        await add(tx, 2, owner=BEN)
        await add(tx, 3, owner=ANA, outcome=LeadOutcome.WON)
        await add(tx, 4, owner=ANA, waiting_since=NOW)
    assert await found(database, Which.MINE) == ["4", "1"]


async def test_unanswered_are_those_whose_customer_waits_by_arrival_or_by_age(database):
    async with database.transaction() as tx:
        await add(tx, 1, waiting_since=NOW - timedelta(minutes=5))
        await add(tx, 2, waiting_since=NOW - timedelta(hours=5), outcome=LeadOutcome.WON)
        await add(tx, 3, waiting_since=NOW - timedelta(hours=9), outcome=LeadOutcome.LOST)
        await add(tx, 4, waiting_since=NOW - timedelta(hours=9), status="cancelled")
        await add(tx, 5)
    assert await found(database, Which.UNANSWERED) == ["2", "1"]
    async with database.transaction() as tx:
        await add(tx, 6, waiting_since=NOW - timedelta(hours=2))
    assert await found(database, Which.UNANSWERED) == ["6", "2", "1"]
    assert await found(database, Which.UNANSWERED, longest_waiting_first=True) == ["2", "6", "1"]


async def test_only_where_the_newest_card_stands(database):
    async with database.transaction() as tx:
        moved = await add(tx, 1, channel=HERE)
        await stands(tx, moved, THERE, "9.9")
        await add(tx, 2, channel=THERE)
    assert await found(database, channels=[HERE]) == []
    assert await found(database, channels=[HERE, THERE]) == ["2", "1"]
    assert await found(database, channels=[]) == []


async def test_a_lead_that_joined_another_is_found_once(database):
    async with database.transaction() as tx:
        stays, gone = await add(tx, 1, name="Maya Alvarez"), await add(tx, 2, name="Maya Alvarez")
        await joining.join(tx, gone, stays, now=NOW)
    assert await found(database) == ["1"]
    assert await found(database, Which.TEXT, "maya") == ["1"]


TYPED = (
    ("maya", ["2", "1"]),
    ("MAYA ALVAREZ", ["1"]),
    ("Alvarez, Palo Alto", ["1"]),
    ("o'neil", ["2"]),
    ("palo", ["1"]),
    ("josé", ["3"]),
    ("JOSÉ NÚÑEZ", ["3"]),
    ("jose\u0301", ["3"]),  # as some keyboards write it
    ("李", ["4"]),
    ("(512) 555-0148", ["1"]),
    ("5125550148", ["1"]),
    ("+1 512.555.0148", ["1"]),
    ("0148", ["1"]),
    ("555", ["3", "2", "1"]),
    ("maya 0199", ["2"]),
    ("5", ["5"]),  # too short for a number, but somebody may be called so
    ("100%", ["5"]),
    ("%", ["5"]),
    ("_", []),
    ("\\", []),
    ("maya ben", []),
    ("", []),
    (" ,; ", []),
    ("x" * 5000, []),
    ("() - .", []),
)


async def test_a_text_is_looked_for_in_name_city_and_phone(known_people):
    for typed, ids in TYPED:
        assert await found(known_people, Which.TEXT, typed) == ids, typed


@pytest.fixture
async def known_people(database):
    """Some customers whose names and numbers are written in many ways."""
    async with database.transaction() as tx:
        await add(tx, 1, name="Maya Alvarez", phone="(512) 555-0148", city="Palo Alto")
        await add(tx, 2, name="Maya O'Neil", phone="+1 206\u2011555\u20110199", outcome=LeadOutcome.LOST)
        await add(tx, 3, name="José Núñez", phone="1-303-555-0111")
        await add(tx, 4, name="李雷")
        await add(tx, 5, name="100% Clean 5 LLC")
    return database


async def test_pages_do_not_end_in_nothing(database):
    async with database.transaction() as tx:
        for number in range(1, 8):
            await add(tx, number)
    assert await found(database, number=0, size=3) == ["7", "6", "5"]
    assert await found(database, number=2, size=3) == ["1"]
    assert await found(database, number=99, size=3) == ["1"]
    async with database.reading() as tx:
        page = await searching.find(tx, Search(which=Which.OPEN), channels=[HERE], number=1, size=3)
    assert (page.first, page.number, page.total, page.has_more) == (3, 1, 7, True)
    assert searching.page_of(range(7), number=2, size=3) == searching.Page(
        found=range(6, 7), number=2, first=6, total=7
    )
    assert not searching.page_of((), number=3, size=3).has_more


async def test_when_a_business_was_heard_of_last(database):
    async with database.transaction() as tx:
        one = await add(tx, 1, business=1)
        two = await add(tx, 2, business=2)
        three = await add(tx, 3, business=3, received_at=None)
        common = {"environment": Environment.PRODUCTION, "stored_at": NOW + timedelta(hours=2)}
        tx.add(Message(lead_id=one.id, direction=Direction.INBOUND, **common))
        tx.add(Message(lead_id=two.id, direction=Direction.OUTBOUND, **common))
        at = NOW + timedelta(hours=3)
        tx.add(
            Review(environment=Environment.PRODUCTION, thumbtack_id="r", business_id=three.business_id, received_at=at)
        )
        ids = [leads.known(lead.business_id) for lead in (one, two, three)]
        assert await hearing.last_heard(tx, ids) == {ids[0]: NOW + timedelta(hours=2), ids[1]: NOW, ids[2]: at}
        tx.add(
            Webhook(
                business_id=ids[1],
                environment=Environment.PRODUCTION,
                url="https://bot.example/v4/webhooks/b2",
                username="corkboard",
                password="sealed",
                made_at=NOW,
                last_delivery_at=at,
            )
        )
        await tx.flush()
        assert await hearing.last_heard(tx, [ids[1]]) == {ids[1]: at}
        assert await hearing.last_heard(tx, []) == {}


CUSTOMERS = """INSERT INTO customer (business_id, thumbtack_id, name, phone, created_at)
    SELECT 1, 'x' || x, 'Customer ' || x, '(512) 555-' || x, {now} FROM """
LEADS = """INSERT INTO lead (environment, thumbtack_id, generation, business_id, customer_id, is_test, received_at, city,
        details, attachments, extra, outcome, owner, waiting_since)
    SELECT 'production', 'x' || x, 'legacy', 1, x + 1, false, {now}, 'Austin', '[]', '[]', '{{}}',
        CASE WHEN x % 50 = 0 THEN NULL ELSE 'lost' END, 'U' || (x % 40), CASE WHEN x % 100 = 0 THEN {now} END FROM """
THREADS = """INSERT INTO thread (lead_id, team_id, channel, ts, delivery_id, as_placeholder, attached_at)
    SELECT x + 1, 'T0CORKBOARD', 'C' || (x % 7), x || '.1', 'd' || x, false, {now} FROM """


INDEXES = {Which.MINE: "ix_lead_owner_id", Which.UNANSWERED: "ix_lead_waiting"}


async def test_among_ten_thousand_leads_ones_own_and_those_that_wait_are_found_through_their_indexes(database):
    """The others are found by reading through what there is once, which takes some hundredths of a second."""
    now = "'2026-09-01 12:00:00.000000'" if database.is_sqlite else "timestamptz '2026-09-01 12:00:00Z'"
    async with database.transaction() as tx:
        await add(tx, 1)
        for statement in (CUSTOMERS, LEADS, THREADS):
            await tx.execute(text(statement.format(now=now) + series(database)), {"rows": MANY})
        await tx.execute(text("ANALYZE"))
    for which, index in INDEXES.items():
        steps = await plan(database, found_by(which))
        assert sum(index in step for step in steps) == 2, (which, steps)  # to count them, and to show some
        assert [step for step in steps if reads_it_all(step)] == [], which
    everywhere = [f"C{number}" for number in range(1000)]
    assert await found(database, channels=everywhere, size=2) == ["x10000", "x9950"]
    assert await found(database, Which.TEXT, "customer 7777 austin", channels=everywhere) == ["x7777"]


def found_by(which):
    """One page of what is found so, as work to plan."""
    return lambda tx: searching.find(tx, Search(which=which, user="U7"), channels=["C1", "C2"], number=0, size=10)


def reads_it_all(step):
    """There are few businesses: one may look through those."""
    return (step.startswith("SCAN") or "Seq Scan" in step) and "business" not in step
