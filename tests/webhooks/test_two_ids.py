"""What the database holds of a lead that both APIs tell of, in every order, and on two replicas at once."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update
from support.gate import Gate
from support.two_ids import one_request

from sandbox.thumbtack import bodies, v4_bodies
from storage import forgetting, joining, leads, retention
from storage.database import Database
from storage.models import (
    Business,
    Environment,
    Generation,
    Lead,
    LeadAlias,
    LeadCharge,
    LeadEvent,
    Message,
    Outbox,
    Review,
    Thread,
    WorkState,
)
from storage.outbox import Kind

NOW = datetime(2026, 9, 1, 18, 30, tzinfo=UTC)
EVENTS = ("legacy lead", "legacy message", "legacy price", "v4 lead", "v4 message")


class Twice:
    """One request, as both APIs tell of it: the posts."""

    def __init__(self) -> None:
        self.legacy, self.v4 = one_request(NOW)
        self.legacy_id, self.v4_id = str(self.legacy["leadID"]), str(self.v4["negotiationID"])
        said = v4_bodies.message(self.v4, self.v4_id, "By v4.", sender="Customer", at=NOW)
        self.posts: dict[str, tuple[str, Any]] = {
            "legacy lead": ("/v1/lead", self.legacy),
            "legacy message": ("/v1/message", bodies.message(self.legacy_id, "By the Pro API.")),
            "legacy price": ("/v1/lead/update", bodies.price(self.legacy_id, "$77.00")),
            "v4 lead": ("/v4/webhooks", _event("NegotiationCreatedV4", self.v4)),
            "v4 message": ("/v4/webhooks", _event("MessageCreatedV4", said)),
        }


def _event(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return v4_bodies.event(kind, data, webhook_id="1", at=NOW)


async def the_lead(door: Gate) -> Lead:
    """The one lead that did not join another."""
    [lead] = [one for one in await door.rows(Lead) if one.joined_id is None]
    return lead


async def test_in_every_order_everything_belongs_to_one_lead(door):
    orders = list(itertools.permutations(EVENTS))
    for order in orders[::7]:
        twice, before = Twice(), {one.id for one in await door.rows(Lead)}
        for what in order:
            await door.ingested(twice.posts[what])
        found = [one for one in await door.rows(Lead) if one.id not in before]
        [stays] = [one for one in found if one.joined_id is None]
        assert {one.joined_id for one in found if one is not stays} <= {stays.id}, order
        [alias] = [one for one in await door.rows(LeadAlias) if one.lead_id == stays.id]
        assert {stays.thumbtack_id, alias.thumbtack_id} == {twice.legacy_id, twice.v4_id}
        said = [one for one in await door.rows(Message) if one.lead_id in {one.id for one in found}]
        assert {(one.text, one.lead_id) for one in said} == {("By v4.", stays.id), ("By the Pro API.", stays.id)}
        assert (stays.charge_text, stays.charge_state) == ("$77.00", "Charged"), order
        told = [row for row in await door.rows(Outbox) if row.lane == f"slack:{stays.id}" and row.settled_at is None]
        assert [row.kind for row in told].count(Kind.POST_MESSAGE) == 2, order
        assert [row.kind for row in told].count(Kind.POST_LEAD) == 1


async def test_both_ids_find_the_lead_and_each_api_has_its_own(door):
    twice = Twice()
    await door.ingested(twice.posts["legacy message"], twice.posts["v4 lead"], twice.posts["legacy lead"])
    stays = await the_lead(door)
    async with door.database.reading() as tx:
        for thumbtack_id in (twice.legacy_id, twice.v4_id):
            found = await leads.find(tx, Environment.PRODUCTION, thumbtack_id)
            assert found is not None
            assert found.id == stays.id
        assert await leads.id_in(tx, found, Generation.LEGACY) == twice.legacy_id
        assert await leads.id_in(tx, found, Generation.V4) == twice.v4_id
        for row in await door.rows(Lead):
            now = await leads.get(tx, leads.known(row.id))
            assert now is not None
            assert now.id == stays.id


async def test_two_requests_of_one_api_are_two_leads(door):
    twice = Twice()
    other = twice.legacy | {"leadID": bodies.new_id()}
    await door.ingested(twice.posts["legacy lead"], ("/v1/lead", other), twice.posts["v4 lead"])
    assert len(await door.rows(Lead)) == 2
    third = _event("NegotiationCreatedV4", twice.v4 | {"negotiationID": bodies.new_id()})
    fourth = _event("NegotiationCreatedV4", twice.v4 | {"negotiationID": bodies.new_id()})
    await door.ingested(("/v4/webhooks", third), ("/v4/webhooks", fourth))
    assert len(await door.rows(Lead)) == 3  # the second of v4 is the second of the Pro API; the third is new


async def test_the_same_request_of_another_business_is_another_lead(door):
    twice = Twice()
    elsewhere = bodies.merged(twice.v4, {"business": {"businessID": "519", "name": "Another"}})
    posts = twice.posts["legacy lead"], ("/v4/webhooks", _event("NegotiationCreatedV4", elsewhere))
    await door.ingested(*posts)
    assert [row.joined_id for row in await door.rows(Lead)] == [None, None]
    assert await door.rows(LeadAlias) == []


async def test_a_lead_that_names_its_request_only_later_joins_the_one_that_came_first(door):
    twice = Twice()
    bare = bodies.merged(twice.v4, {"request": {"requestID": bodies.MISSING}})
    await door.ingested(("/v4/webhooks", _event("NegotiationCreatedV4", bare)), twice.posts["legacy lead"])
    assert [row.joined_id for row in await door.rows(Lead)] == [None, None]
    await door.ingested(twice.posts["v4 lead"])
    stays = await the_lead(door)
    assert (stays.thumbtack_id, stays.schedule is not None) == (twice.v4_id, True)


async def test_the_same_words_by_both_apis_are_said_once(door):
    twice = Twice()
    said_at = datetime.now(UTC).replace(microsecond=0)
    legacy = bodies.message(
        twice.legacy_id, "Both.", message={"createTimestamp": str(int(said_at.timestamp() + 3)), "text": "Both."}
    )
    v4 = v4_bodies.message(twice.v4, twice.v4_id, "Both.", sender="Customer", at=said_at)
    await door.ingested(
        twice.posts["v4 lead"],
        ("/v4/webhooks", _event("MessageCreatedV4", v4)),
        ("/v1/message", legacy),
        twice.posts["legacy lead"],
    )
    stays = await the_lead(door)
    told = [row for row in await door.rows(Outbox) if row.kind == Kind.POST_MESSAGE and row.settled_at is None]
    assert [row.lead_id for row in told] == [stays.id]


async def test_what_a_price_update_said_counts_more_than_what_a_lead_said_later(door):
    twice = Twice()
    posts = [twice.posts[what] for what in ("legacy price", "v4 lead", "legacy lead")]
    await door.ingested(*posts)
    stays = await the_lead(door)
    assert (stays.charge_text, stays.charge_state, stays.charge_breakdown) == ("$77.00", "Charged", None)
    assert {row.lead_id for row in await door.rows(LeadCharge)} == {stays.id}
    assert {row.lead_id for row in await door.rows(LeadEvent)} == {stays.id}


async def test_a_review_that_stood_under_the_placeholder_is_posted_anew(door):
    twice = Twice()
    await door.ingested(twice.posts["v4 lead"], ("/v1/review", bodies.review(twice.legacy_id, "5", "Splendid.")))
    async with door.database.transaction() as tx:
        await tx.execute(update(Review).values(channel="C0LEADS", slack_ts="1.2"))
        await tx.execute(update(Outbox).values(state=WorkState.DONE, settled_at=NOW))
    await door.ingested(twice.posts["legacy lead"])
    stays, [review] = await the_lead(door), await door.rows(Review)
    assert (review.lead_id, review.slack_ts) == (stays.id, None)
    told = [row.kind for row in await door.rows(Outbox) if row.settled_at is None and row.lead_id == stays.id]
    assert told.count(Kind.POST_REVIEW) == 1


@pytest.mark.parametrize("first", ["v4", "legacy"])
async def test_two_replicas_that_hear_of_it_at_once_make_one_lead(door, first):
    second = Database(door.database.engine.url.render_as_string(hide_password=False))
    ingests = [door.ingest, door.another_ingest(second)]
    try:
        for _ in range(8):
            twice, before = Twice(), {one.id for one in await door.rows(Lead)}
            order = ["legacy message", "v4 message", "v4 lead", "legacy lead", "legacy price"]
            for what in order if first == "legacy" else reversed(order):
                path, body = twice.posts[what]
                await door.post(path, body)
            while any(await asyncio.gather(*(one.step() for one in ingests))):
                door.ahead += timedelta(seconds=2)  # what was postponed goes again
            found = [one for one in await door.rows(Lead) if one.id not in before]
            [stays] = [one for one in found if one.joined_id is None]
            told = [row for row in await door.rows(Outbox) if row.lead_id == stays.id and row.settled_at is None]
            kinds = [row.kind for row in told if row.lane == f"slack:{stays.id}"]
            assert (kinds.count(Kind.POST_LEAD), kinds.count(Kind.POST_MESSAGE)) == (1, 2)
    finally:
        await second.close()


async def test_a_message_that_comes_while_its_lead_joins_another_is_about_the_other(door):
    twice = Twice()
    await door.ingested(*(twice.posts[what] for what in ("v4 lead", "legacy message")))
    await door.post("/v1/message", bodies.message(twice.legacy_id, "Meanwhile."))
    async with door.database.transaction() as tx:
        gone = await leads.find_to_change(tx, Environment.PRODUCTION, twice.legacy_id)
        stays = await leads.find(tx, Environment.PRODUCTION, twice.v4_id)
        read = asyncio.create_task(door.ingest.step())
        await _until_somebody_waits(door)
        await joining.join(tx, gone, stays, now=NOW)
    assert await read
    lead = await the_lead(door)
    assert {one.text: one.lead_id for one in await door.rows(Message)} == {
        "By the Pro API.": lead.id, "Meanwhile.": lead.id,
    }  # fmt: skip


async def _until_somebody_waits(door: Gate) -> None:
    """Until a transaction waits for another one's lock. SQLite has one writer: there nobody else has begun."""
    waiting = text("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
    found = door.database.is_sqlite
    async with asyncio.timeout(30):
        while not found:
            async with door.database.reading() as tx:
                found = (await tx.execute(waiting)).first() is not None


async def test_whoever_forgets_the_lead_forgets_what_joined_it(door):
    twice = Twice()
    await door.ingested(*(twice.posts[what] for what in ("v4 lead", "legacy message", "legacy lead")))
    stays = await the_lead(door)
    [other] = [one for one in await door.rows(Lead) if one.joined_id == stays.id]
    async with door.database.transaction() as tx:
        for lead_id, ts in ((stays.id, "1.1"), (other.id, "2.2")):
            tx.add(Thread(lead_id=lead_id, team_id="T0", channel="C0", ts=ts, delivery_id=ts, attached_at=NOW))
        await tx.execute(update(Outbox).values(state=WorkState.DONE, settled_at=NOW))
        forgotten = await forgetting.leads(tx, [leads.known(stays.id)], now=door.clock())
    assert forgotten is not None
    assert {place.ts for place in forgotten.places} == {"1.1", "2.2"}
    for row in (Lead, LeadAlias, Thread, Message):
        assert await door.rows(row) == []


async def test_a_lead_that_joined_another_goes_with_it_and_not_before(door):
    twice = Twice()
    await door.ingested(*(twice.posts[what] for what in ("v4 lead", "legacy message", "legacy lead")))
    async with door.database.transaction() as tx:
        await tx.execute(update(Outbox).values(state=WorkState.DONE, settled_at=NOW))
    long_ago, soon = door.clock() - timedelta(days=9), door.clock() + timedelta(days=1)
    await retention.forget_old(door.database, before=long_ago, now=door.clock())
    assert len(await door.rows(Lead)) == 2
    await retention.forget_old(door.database, before=soon, now=door.clock())
    assert await door.rows(Lead) == []
    assert len(await door.rows(Business)) == 1
