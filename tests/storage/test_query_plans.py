"""However much is behind us, what goes next is found through the indexes over what still waits."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlmodel import col
from support.plans import plan, series

from storage import (
    hearing,
    inbound,
    inbox,
    joining,
    lanes,
    leads,
    measuring,
    messages,
    migrate,
    outbox,
    pacing,
    reading_back,
    said,
    timing,
    unsettled,
    upkeep,
)
from storage.database import Database
from storage.models import Business, Environment, Lead, WorkState

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
BEHIND = 100_000
OUTBOX = """
    INSERT INTO outbox (delivery_id, kind, lane, position, channel, priority, payload, created_at, state, due_at, attempt,
                        mistakes, settled_at)
    SELECT 'd' || x, 'post_message', 'slack:' || (x % 5000), '', 'C0LEADS', 1, '{}', :now, 'done', :now, 1, 0, :now
    FROM
"""
INBOX = """
    INSERT INTO inbox (environment, route, lane, body_hash, received_at, state, due_at, attempt, settled_at)
    SELECT 'production', '/v1/lead', 'production:' || x, 'h' || x, :now, 'done', :now, 1, :now FROM
"""


WAITING = """
    INSERT INTO outbox (delivery_id, kind, lane, position, channel, pace, priority, payload, created_at, turn_at, state, due_at,
                        attempt, mistakes)
    SELECT 'w' || x, 'post_message', 'slack:' || (x % 500), '', 'C0BACKLOG', CASE WHEN x % 4 = 0 THEN 'method:chat.update' END,
           1, '{}', :now, :now, 'pending', :now, 0, 0
    FROM
"""
WAITS = 4_000

MESSAGES = """
    INSERT INTO message (lead_id, environment, direction, blocks, attachments, stored_at, team_id, channel, thread_ts, slack_ts,
                         has_files, marks_tried, is_automatic, extra)
    SELECT :lead_id, 'production', 'inbound', '[]', '[]', :now, 'T0', 'C0LEADS', 't' || x, 'm' || x, false, '[]', false, '{}'
    FROM
"""


CONVERSATIONS = """
    INSERT INTO message (lead_id, environment, direction, generation, thumbtack_id, author, text, blocks, attachments, sent_at,
                         stored_at, team_id, channel, thread_ts, slack_ts, state, has_files, marks_tried, is_automatic, extra)
    SELECT CASE WHEN x % 2 = 0 THEN :lead_id ELSE 1 + x % 500 END, 'production',
           CASE WHEN x % 4 < 2 THEN 'inbound' ELSE 'outbound' END, 'legacy', 'm' || x, 'U0ANA', 'said ' || x, '[]', '[]', :now,
           :now, 'T0', 'C0LEADS', CASE WHEN x % 4 > 1 THEN 't' || x % 1000 END, 'm' || x, 'delivered', false, '[]', false, '{}'
    FROM
"""
EVENTS = """
    INSERT INTO lead_event (lead_id, kind, via, at)
    SELECT CASE WHEN x % 2 = 0 THEN :lead_id ELSE 1 + x % 500 END, 'answered', 'slack', :now FROM
"""


LEADS = """
    INSERT INTO lead (environment, thumbtack_id, generation, is_test, details, attachments, extra, business_id, received_at)
    SELECT 'production', 'l' || x, 'legacy', false, '[]', '[]', '{}', CASE WHEN x < :rows * 0.6 THEN 1 ELSE 2 END, :now FROM
"""


async def settle_in(tx, database):
    """PostgreSQL comes to know by itself what is in its tables; SQLite plans without, for nobody tells it to look."""
    if not database.is_sqlite:
        await tx.execute(text("ANALYZE"))


@pytest.fixture
async def busy(database):
    """A database with much behind it and a little to do."""
    now = "2026-09-01 12:00:00.000000" if database.is_sqlite else NOW
    async with database.transaction() as tx:
        for statement in (OUTBOX, INBOX):
            await tx.execute(text(statement + series(database)), {"rows": BEHIND, "now": now})
        for lane in ("slack:1", "slack:2", "thumbtack:1"):
            channel = "C0LEADS" if lane.startswith("slack") else None
            await outbox.enqueue(tx, outbox.Kind.POST_MESSAGE, now=NOW, lane=lane, position="1", channel=channel)
        await lanes.quiet(tx, "C0LEADS", NOW)
        await settle_in(tx, database)
    return database


@pytest.fixture
async def backlog(busy):
    """Likewise with much that waits, in a channel and for a method that may not be used now."""
    now = "2026-09-01 12:00:00.000000" if busy.is_sqlite else NOW
    async with busy.transaction() as tx:
        await tx.execute(text(WAITING + series(busy)), {"rows": WAITS, "now": now})
        await lanes.quiet(tx, "C0BACKLOG", NOW + timedelta(minutes=1))
        await pacing.quiet(tx, pacing.method_key("chat.update"), NOW + timedelta(minutes=1))
        await settle_in(tx, busy)
    return busy


def reads_it_all(step):
    """SQLite says SCAN, PostgreSQL Seq Scan; through an index over what waits, is sent or died, a scan is what there is."""
    whole = step.startswith("SCAN") or "Seq Scan" in step
    is_part = any(one in step for one in ("unsettled", "_dead", "_sending"))
    return whole and ("outbox" in step or "inbox" in step) and not is_part


async def settle_next(tx):
    entry = await outbox.next_up(tx, now=NOW)
    await outbox.settle(tx, entry, state=WorkState.DONE, now=NOW)


WORK = {
    "next_up": lambda tx: outbox.next_up(tx, now=NOW),
    "next_due": lambda tx: timing.next_due(tx, now=NOW),
    "after_this": lambda tx: timing.after_this(tx, now=NOW),
    "settle": settle_next,
    "inbox_is_empty": inbox.is_empty,
    "blocked": lambda tx: lanes.BLOCKED.all(tx, entry_id=BEHIND + 1),
    "next_inbox": lambda tx: tx.execute(lanes.NEXT_INBOX, {"now": NOW}),
    "pending_of": lambda tx: outbox.pending_of(tx, "slack:1", outbox.Kind.UPDATE_CARD),
    "lead_post_under_way": lambda tx: unsettled.lead_post_under_way(tx, "C0LEADS"),
    "measure": lambda tx: measuring.measure(tx, environment=Environment.PRODUCTION, now=NOW),
    "release_claims": upkeep.release_claims,
    "read_back": lambda tx: reading_back.enqueue(tx, since=NOW, now=NOW),
    "next_at": lambda tx: pacing.next_at(tx, "channel:C0LEADS", now=NOW),
    "unsettled_reply": lambda tx: unsettled.reply(tx, 1),
}


async def test_what_goes_next_is_found_through_the_indexes_over_what_waits(busy):
    for name, work in WORK.items():
        steps = await plan(busy, work)
        assert steps, name
        assert [step for step in steps if reads_it_all(step)] == [], name


async def test_a_backlog_is_not_read_for_each_claim(backlog):
    for name in ("next_up", "next_due"):
        steps = await plan(backlog, WORK[name])
        assert [step for step in steps if reads_it_all(step)] == [], name
    steps = " ".join(await plan(backlog, WORK["next_up"]))
    assert "ix_outbox_unsettled_posts" in steps
    assert "ix_outbox_unsettled_calls" in steps


async def test_what_is_kept_for_a_card_under_way_is_not_looked_for_among_all_messages_of_its_channel(database):
    now = "2026-09-01 12:00:00.000000" if database.is_sqlite else NOW
    async with database.transaction() as tx:
        lead = Lead(environment=Environment.PRODUCTION, thumbtack_id="1", generation="legacy")
        tx.add(lead)
        await tx.flush()
        await tx.execute(text(MESSAGES + series(database)), {"rows": WAITS, "now": now, "lead_id": lead.id})
        await settle_in(tx, database)
    steps = " ".join(await plan(database, lambda tx: messages.forget_unattached(tx, "C0LEADS")))
    assert "ix_message_unattached" in steps or "ix_message_lead_id" in steps


async def test_which_threads_are_read_back_is_found_from_the_newest_on(sqlite_url):
    """PostgreSQL, which knows how many there are, may sort a few."""
    database = Database(sqlite_url)
    await migrate.upgrade(database)
    open_ones = await plan(database, lambda tx: reading_back._threads(tx, (), now=NOW))
    assert any("SCAN thread" in step for step in open_ones)
    assert [step for step in open_ones if "TEMP B-TREE" in step] == []
    waiting = await plan(database, lambda tx: reading_back._threads(tx, ("thumbtack:1",), now=NOW))
    assert any("ix_thread_lead_id" in step for step in waiting)
    await database.close()


async def test_the_last_leads_of_a_business_are_found_whatever_came_for_others_since(database):
    now = "2026-09-01 12:00:00.000000" if database.is_sqlite else NOW
    production = Environment.PRODUCTION
    async with database.transaction() as tx:
        for number in (1, 2):
            tx.add(Business(environment=production, thumbtack_id=f"b{number}", created_at=NOW, silence_told_at=NOW))
        await tx.flush()
        await tx.execute(text(LEADS + series(database)), {"rows": BEHIND, "now": now})
        await settle_in(tx, database)
        (business,) = (await tx.execute(select(Business).where(col(Business.thumbtack_id) == "b1"))).scalars()
    for work in (
        lambda tx: hearing.silent(tx, environment=production),
        lambda tx: hearing._last(tx, business),
        lambda tx: hearing._times(tx, business.id or 0),
    ):
        steps = [step for step in await plan(database, work) if "lead" in step]
        assert steps
        assert all("ix_lead_business_id_received_at" in step for step in steps), steps
    async with database.reading() as tx:
        found = [await hearing.silent(tx, environment=one) for one in (production, Environment.STAGING)]
    assert found == [2, 0]


TOLD = inbound.Told(
    lead_id=1,
    environment=Environment.PRODUCTION,
    generation="v4",
    thumbtack_id="m0",
    author="customer",
    text="When?",
    attachments=[],
    sent_at=NOW + timedelta(days=1),
    stored_at=NOW + timedelta(days=1),
    extra={},
)
POSTED = said.ToPost(
    id=1_000_000,
    lead_id=1,
    author="customer",
    text="When?",
    attachments=[],
    stored_at=NOW,
    is_automatic=False,
    lead=None,
)
OF_LEAD = {
    "same": (
        lambda tx: inbound._same(tx, TOLD),
        {"environment", "ix_message_lead_id_sent_at"},  # of a unique constraint SQLite says its columns alone
    ),
    "handed_over": (
        lambda tx: messages.handed_over(tx, 1, near=NOW + timedelta(days=1)),
        {"ix_message_lead_id_sent_at"},
    ),
    "was_asked_after": (lambda tx: messages.was_asked_after(tx, 1, NOW), {"ix_message_lead_id_sent_at"}),
    "last_writer": (lambda tx: said.last_writer(tx, 1), {"ix_message_outbound"}),
    "was_written_after": (
        lambda tx: said.was_written_after(tx, POSTED, NOW),
        {"ix_message_outbound", "ix_message_lead_id_sent_at"},
    ),
    "was_written_under": (lambda tx: joining.was_written_under(tx, "C0LEADS", "t7"), {"ix_message_in_thread"}),
    "answered_since": (
        lambda tx: leads.answered_since(tx, Lead(id=1, first_answer_at=NOW), NOW),
        {"ix_lead_event_lead_id_at"},
    ),
}
"""What is asked of a long conversation, and the indexes that serve for it."""


@pytest.fixture
async def long_conversation(database):
    """One lead has half of everything that was said."""
    now = "2026-09-01 12:00:00.000000" if database.is_sqlite else NOW
    async with database.transaction() as tx:
        tx.add_all(
            Lead(id=number, environment=Environment.PRODUCTION, thumbtack_id=str(number), generation="legacy")
            for number in range(1, 501)
        )
        await tx.flush()
        for statement in (CONVERSATIONS, EVENTS):
            await tx.execute(text(statement + series(database)), {"rows": 2 * WAITS, "now": now, "lead_id": 1})
        await settle_in(tx, database)
    return database


async def test_what_a_message_asks_of_a_long_conversation_is_found_through_indexes(long_conversation):
    for name, (work, indexes) in OF_LEAD.items():
        steps = [step for step in await plan(long_conversation, work) if "message" in step or "lead_event" in step]
        looks = [step for step in steps if any(word in step for word in ("SEARCH", "SCAN", "Index", "Seq Scan"))]
        assert looks, name
        assert [step for step in looks if not any(index in step for index in indexes)] == [], (name, steps)
        assert {index for index in indexes if any(index in step for step in steps)} == indexes, (name, steps)
        assert [step for step in steps if "TEMP B-TREE" in step and name != "handed_over"] == [], (name, steps)
