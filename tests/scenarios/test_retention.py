"""Old leads are forgotten after LEADS_KEEP_DAYS: rows, raw bodies and posts, and nothing that is still of use."""

import pytest
from support.conversation import Conversation
from support.deliveries import all_said, posted
from support.office import CHANNEL, Office

from bot import jobs
from sandbox.slack.failures import slack_error
from sandbox.thumbtack import bodies
from storage import retention
from storage.models import Business, Customer, Inbox, Lead, Message, Outbox, Review, Thread
from storage.outbox import Kind

KEPT = pytest.mark.knobs(leads_keep_days=30)


async def forget(place: Office) -> None:
    """The hourly job, and what follows from it."""
    assert place.door.app is not None
    await jobs.forget_old(place.door.app.state.services)
    await place.advance()
    await all_said(place, minutes=1)


@KEPT
async def test_a_lead_of_which_nothing_was_heard_for_long_goes_with_bodies_and_posts(place: Office):
    lead = await Conversation.opened(place)
    await place.post("/v1/message", bodies.message(lead.lead_id, "Bring a ladder"))
    await place.post("/v1/review", bodies.review(None, "5", "Lovely work"))
    await all_said(place)
    await lead.say("note: they have moved")
    await place.advance(days=29)
    await forget(place)
    assert len(await place.rows(Lead)) == 1
    await place.advance(days=2)
    await forget(place)
    for row in (Customer, Inbox, Lead, Message, Review, Thread):
        assert await place.rows(row) == [], row
    assert len(await place.rows(Business)) == 1
    assert posted(place) == []
    assert [one["text"] for one in place.slack.thread(CHANNEL, lead.ts)][1:] == ["note: they have moved"]


@KEPT
async def test_what_was_heard_since_keeps_a_lead_and_its_customer(place: Office):
    old = await Conversation.opened(place)
    await place.advance(days=20)
    await place.post("/v1/message", bodies.message(old.lead_id, "Any news?"))
    await all_said(place)
    await place.advance(days=20)
    await forget(place)
    assert [one.thumbtack_id for one in await place.rows(Lead)] == [old.lead_id]
    young = await Conversation.opened(place)  # the same customer
    await place.advance(days=20)
    await forget(place)
    assert [one.thumbtack_id for one in await place.rows(Lead)] == [young.lead_id]
    assert len(await place.rows(Customer)) == 1


@KEPT
async def test_a_lead_that_could_not_be_posted_yet_is_kept(place: Office):
    place.slack.faults.stand("chat.postMessage", slack_error("not_in_channel"))
    await place.post("/v1/lead", bodies.lead())
    await place.ingested()
    await place.advance(days=40)
    assert place.door.app is not None
    await jobs.forget_old(place.door.app.state.services)
    assert len(await place.rows(Lead)) == 1
    place.slack.faults.clear("chat.postMessage")
    await all_said(place)
    assert len(place.cards) == 1


@KEPT
async def test_many_are_forgotten_some_at_a_time(place: Office, monkeypatch):
    monkeypatch.setattr(retention, "LEADS_AT_ONCE", 2)
    for _ in range(5):
        await place.post("/v1/lead", bodies.lead())
    await all_said(place)
    await place.advance(days=31)
    await forget(place)
    assert await place.rows(Lead) == []
    assert posted(place) == []


async def test_without_the_setting_leads_are_kept_for_ever(place: Office):
    await Conversation.opened(place)
    await place.advance(days=4_000)
    await forget(place)
    assert len(await place.rows(Lead)) == 1
    assert [one for one in await place.rows(Outbox) if one.kind == Kind.DELETE_POSTS] == []
