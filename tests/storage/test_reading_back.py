"""Which threads are read back, in which order, and when; on both databases."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlmodel import col

from storage import channels, leads, outbox, reading_back, threads
from storage.models import Environment, Generation, Lead, LeadOutcome, Outbox, Thread
from storage.outbox import Kind, thumbtack_lane
from storage.reading_back import AT_ONCE, FARTHEST, MARGIN, PAUSE

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(hours=1)
TEAM = "T0OAK"


async def thread(tx, name: str, *, channel: str = "C0LEADS", at: datetime = NOW, **columns) -> Thread:
    """A lead with its card."""
    lead = Lead(environment=Environment.PRODUCTION, thumbtack_id=name, generation=Generation.LEGACY, **columns)
    tx.add(lead)
    await tx.flush()
    place = {"team_id": TEAM, "channel": channel, "ts": f"{lead.id}.000000"}
    return await threads.attach(
        tx, lead_id=leads.known(lead.id), **place, delivery_id=name, as_placeholder=False, now=at
    )


async def reply(tx, of: Thread) -> None:
    """A reply that waits there."""
    lane = thumbtack_lane(of.lead_id)
    await outbox.enqueue(tx, Kind.SEND_REPLY, now=NOW, lane=lane, position="1", lead_id=of.lead_id)


async def planned(database) -> dict[int, Outbox]:
    """What is to be read, by our id of the thread, in the order in which it was planned."""
    query = select(Outbox).where(col(Outbox.kind) == Kind.READ_BACK).order_by(col(Outbox.id))
    async with database.reading() as tx:
        return {one.payload["thread_id"]: one for one in (await tx.execute(query)).scalars()}


async def test_where_replies_wait_first_then_the_newest_and_no_more_than_slack_permits(database, monkeypatch):
    monkeypatch.setattr(reading_back, "MOST", 3)
    async with database.transaction() as tx:
        first, over, _old, newer, newest = [
            await thread(tx, "first"),
            await thread(tx, "over", outcome=LeadOutcome.WON),
            await thread(tx, "old", at=NOW - timedelta(days=61)),
            await thread(tx, "newer"),
            await thread(tx, "newest"),
        ]
        await thread(tx, "lost", outcome=LeadOutcome.LOST)
        await thread(tx, "cancelled", status="Cancelled")
        await reply(tx, over)
        assert await reading_back.enqueue(tx, since=SINCE, now=NOW) == 3
    found = await planned(database)
    assert list(found) == [over.id, newest.id, newer.id]
    assert first.id not in found
    assert [one.due_at - NOW for one in found.values()] == [timedelta(), timedelta(), PAUSE]
    assert [one.priority for one in found.values()] == [outbox.FIRST, reading_back.LATER, reading_back.LATER]
    assert {one.payload["since"] for one in found.values()} == {(SINCE - MARGIN).isoformat()}


async def test_many_that_wait_are_a_burst_and_then_paced(database):
    async with database.transaction() as tx:
        for number in range(AT_ONCE + 2):
            await reply(tx, await thread(tx, f"lead {number}"))
        await reading_back.enqueue(tx, since=NOW - timedelta(days=30), now=NOW)
    found = list((await planned(database)).values())
    assert [one.due_at - NOW for one in found] == [*[timedelta()] * (AT_ONCE + 1), PAUSE]
    assert found[0].payload["since"] == (NOW - FARTHEST).isoformat()


async def test_what_is_planned_is_not_planned_twice_and_reaches_as_far_back_as_either(database):
    async with database.transaction() as tx:
        one = await thread(tx, "one")
        await reading_back.enqueue(tx, since=SINCE, now=NOW)
    for since in (SINCE - timedelta(hours=1), SINCE):
        async with database.transaction() as tx:
            await reading_back.enqueue(tx, since=since, now=NOW)
    found = await planned(database)
    assert list(found) == [one.id]
    assert found[one.id].payload["since"] == (SINCE - timedelta(hours=1) - MARGIN).isoformat()


async def test_closed_channels_are_neither_read_nor_told(database):
    async with database.transaction() as tx:
        await thread(tx, "gone", channel="C0GONE")
        await thread(tx, "here", channel="C0EAST")
        await channels.close(tx, team_id=TEAM, channel="C0GONE", reason="archived", now=NOW)
        await channels.close(tx, team_id=TEAM, channel="C0LEADS", reason="removed", now=NOW)
        assert await reading_back.enqueue(tx, since=SINCE, now=NOW) == 1
        assert await reading_back.channels_in_use(tx, default="C0LEADS", now=NOW) == ["C0EAST"]
        assert await reading_back.channels_in_use(tx, default="C0WEST", now=NOW) == ["C0WEST", "C0EAST"]
