"""An upgrade that rolls over the replicas, and somebody who goes back: this version beside what a newer one made."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from support.deliveries import all_said, posted
from support.office import Office

from sandbox.thumbtack import bodies
from storage import outbox
from storage.models import Environment, Inbox, Lead, Outbox, WorkState
from storage.outbox import Kind

NEWER = "9999"
LATER_KIND, LATER_ROUTE = "post_something_new", "/v9/something"


async def shaped_by_a_newer_version(place: Office) -> None:
    """What later migrations may do: they only add."""
    async with place.database.transaction() as tx:
        for statement in (
            "CREATE TABLE something_new (id INTEGER PRIMARY KEY, told TEXT)",
            "ALTER TABLE lead ADD COLUMN something_new TEXT",
            "ALTER TABLE outbox ADD COLUMN something_new INTEGER NOT NULL DEFAULT 7",
            "ALTER TABLE inbox ADD COLUMN something_new TEXT",
            "CREATE INDEX ix_something_new ON lead (something_new)",
            f"UPDATE alembic_version SET version_num = '{NEWER}'",
        ):
            await tx.execute(text(statement))


async def said_of_a_lead(place: Office, number: int) -> str:
    """A lead, a message of its customer, and a reply: the main job. Returns the lead's id."""
    body = bodies.lead(bodies.SCENES[number], request={"category": f"Lead {number}"})
    lead_id = str(body["leadID"])
    assert (await place.post("/v1/lead", body)).status_code == 200
    assert (await place.post("/v1/message", bodies.message(lead_id, text="Is Tuesday possible?"))).status_code == 200
    (card,) = await place.seen(lambda: [one for one in place.cards if one["text"].startswith(f"Lead {number}")])
    await place.seen(lambda: "Is Tuesday possible?" in str(place.thread(card)))
    reply = await place.slack.say("U0ANA", "C0LEADS", "It is.", thread_ts=card["ts"])
    await place.seen(lambda: place.mark(reply.ts) == ["white_check_mark"])
    assert place.thumbtack.received(lead_id) == ["It is."]
    return lead_id


async def test_a_program_that_runs_goes_on_when_a_newer_one_shapes_its_database(place: Office):
    await said_of_a_lead(place, 0)
    await shaped_by_a_newer_version(place)
    assert (await place.http.get("/readyz")).status_code == 200, "a balancer must not take it out"
    await said_of_a_lead(place, 1)
    async with place.database.reading() as tx:
        assert (await tx.execute(text("SELECT DISTINCT something_new FROM outbox"))).scalars().all() == [7]


async def test_a_program_starts_on_what_a_newer_one_shaped(place: Office):
    """One of the replicas is started again in the middle of the upgrade, or somebody goes back to the version before."""
    await place.stop()
    await shaped_by_a_newer_version(place)
    await place.start()
    await said_of_a_lead(place, 0)


async def test_what_only_a_newer_version_can_say_is_left_to_it_and_its_lane_waits(place: Office, monkeypatch):
    monkeypatch.setattr(outbox, "LEFT_FOR", timedelta(minutes=1))
    lead_id = await said_of_a_lead(place, 0)
    (lead,) = await place.rows(Lead)
    lane = outbox.slack_lane(lead.id or 0)
    async with place.database.transaction() as tx:
        entry = await outbox.enqueue(tx, Kind.POST_STATUS, now=place.clock(), lane=lane, lead_id=lead.id)
        (await tx.get_one(Outbox, entry.id)).kind = LATER_KIND
    assert (await place.post("/v1/message", bodies.message(lead_id, text="And Wednesday?"))).status_code == 200
    await place.ingested()
    await said_of_a_lead(place, 1)
    for _ in range(8):  # more often than a mistake of ours is repeated
        await place.advance(minutes=2)
        await place.at_rest()
    (left,) = [one for one in await place.rows(Outbox) if one.kind == LATER_KIND]
    assert (left.state, left.reason, left.attempt, left.mistakes) == (WorkState.PENDING, outbox.NEWER, 0, 0)
    assert "Wednesday" not in str(posted(place))
    async with place.database.transaction() as tx:  # the newer one says it
        await tx.execute(text(f"UPDATE outbox SET kind = 'post_status', payload = '{{}}' WHERE id = {left.id}"))
    await all_said(place, minutes=2)
    assert str(posted(place)).count("And Wednesday?") >= 1


async def test_a_webhook_at_an_address_of_a_newer_version_is_left_to_it(place: Office):
    kept: dict[str, Any] = {"environment": Environment.PRODUCTION, "lane": "review:1", "body_hash": "1"}
    async with place.database.transaction() as tx:
        row = Inbox(
            route=LATER_ROUTE, body=b"{}", received_at=place.clock(), due_at=place.clock(), attempt=0,
            state=WorkState.PENDING, **kept,
        )  # fmt: skip
        tx.add(row)
    await said_of_a_lead(place, 0)
    (left,) = [one for one in await place.rows(Inbox) if one.route == LATER_ROUTE]
    assert (left.state, left.settled_at, left.attempt) == (WorkState.PENDING, None, 0)
    assert left.reason == outbox.NEWER
    assert not [one for one in await place.rows(Outbox) if one.kind == Kind.POST_NOTICE]
    await place.advance(hours=1)
    await place.ingested()
    assert [one.state for one in await place.rows(Inbox) if one.route == LATER_ROUTE] == [WorkState.DEAD]


async def test_what_nobody_can_say_dies_in_its_time_and_its_lane_goes_on(place: Office):
    """Somebody went back to the version before, and the newer one does not come again."""
    lead_id = await said_of_a_lead(place, 0)
    (lead,) = await place.rows(Lead)
    async with place.database.transaction() as tx:
        lane = outbox.slack_lane(lead.id or 0)
        entry = await outbox.enqueue(tx, Kind.POST_STATUS, now=place.clock(), lane=lane, lead_id=lead.id)
        (await tx.get_one(Outbox, entry.id)).kind = LATER_KIND
    await place.advance(hours=1)
    assert (await place.post("/v1/message", bodies.message(lead_id, text="And Wednesday?"))).status_code == 200
    await all_said(place)
    assert [one.state for one in await place.rows(Outbox) if one.kind == LATER_KIND] == [WorkState.DEAD]
    assert "And Wednesday?" in str(place.thread())
