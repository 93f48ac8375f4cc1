"""Replies under a card whose place in Slack is not known yet: between the post and what we write down about it."""

import asyncio

import pytest
from support.conversation import ANA, CHECK, MEMO, Conversation, calling
from support.office import CHANNEL, Office

from bot import jobs
from sandbox.faults import Fault
from sandbox.slack.failures import lost_answer, slow
from sandbox.thumbtack import bodies
from storage import threads
from storage.models import Message, ReplyState


async def _posted(place: Office, *faults: Fault) -> Conversation:
    """A lead whose card stands in Slack, while the bot has not heard so."""
    for fault in faults:
        place.slack.faults.add("chat.postMessage", fault)
    lead = bodies.lead()
    before = len(place.cards)
    assert (await place.post("/v1/lead", lead)).status_code == 200
    await place.seen(lambda: len(place.cards) > before)
    return Conversation(place=place, lead_id=str(lead["leadID"]), ts=place.cards[-1]["ts"])


async def test_a_reply_that_is_faster_than_slacks_answer_is_matched(place: Office):
    lead = await _posted(place, slow(0.5))
    ts = await lead.say("Yes, we do.")
    (row,) = await place.rows(Message)
    assert (row.lead_id, row.state) == (None, None)
    await lead.marked(ts, CHECK)
    assert lead.received == ["Yes, we do."]
    assert (await lead.message(ts)).lead_id is not None


async def test_a_reply_waits_while_its_card_is_being_attached(place: Office):
    lead = await _posted(place, slow(0.3))
    async with place.database.transaction() as tx:  # as the dispatcher while it attaches
        await threads.lock(tx, CHANNEL)
        said = asyncio.create_task(lead.said("Yes, we do."))
        await place.until_somebody_waits()
        assert await place.rows(Message) == []
    assert (await said).status == 200
    await lead.marked((await said).ts, CHECK)


async def test_one_that_is_also_sent_to_the_channel_is_matched(place: Office):
    lead = await _posted(place, slow(0.5))
    await lead.marked(await lead.say("Yes, we do.", broadcast=True), CHECK)
    assert lead.received == ["Yes, we do."]


async def test_a_reply_after_a_lost_answer_is_matched_when_the_card_is_found(place: Office):
    lead = await _posted(place, lost_answer())
    ts = await lead.say("Yes, we do.")
    assert lead.received == []
    await place.at_rest()
    await place.advance(seconds=61)
    await lead.marked(ts, CHECK)
    assert len(place.cards) == 1


async def test_a_reply_after_a_crash_is_matched_when_the_card_is_found(place: Office):
    lead = await _posted(place, slow(5))
    await place.crash()
    place.slack.faults.add("auth.test", slow(0.3))  # who we are is known from Slack's event alone
    await place.start()
    ts = await lead.say("Yes, we do.")
    assert len(await place.rows(Message)) == 1
    await place.advance(minutes=2)
    await lead.marked(ts, CHECK)
    assert lead.received == ["Yes, we do."]


@pytest.mark.knobs(reply_hold_seconds=15)
async def test_what_was_changed_before_the_card_is_known_is_matched_as_it_stands(place: Office):
    lead = await _posted(place, slow(0.7))
    edited, deleted, noted = [await lead.say(text) for text in ("One.", "Two.", "Three.")]
    await lead.edit(edited, "One, better.")
    await lead.delete(deleted)
    await lead.edit(noted, "note: Three.")
    await lead.marked(noted, MEMO)
    await place.advance(seconds=16)
    await lead.marked(edited, CHECK)
    await place.at_rest()
    assert lead.received == ["One, better."]
    row = await lead.message(deleted)
    assert (row.state, row.text) == (ReplyState.CANCELLED, None)


async def test_a_deletion_before_its_message_and_before_the_card_is_known(place: Office):
    lead = await _posted(place, slow(0.7))
    place.slack.events_url, url = None, place.slack.events_url
    said = await lead.said("Two.")
    deleted = await place.slack.delete(CHANNEL, said.ts)
    place.slack.events_url = url
    await place.slack.redeliver(deleted)
    await place.slack.redeliver(said)
    await place.seen(lambda: len(lead.lines) > 0)
    await place.at_rest()
    assert lead.received == []


async def test_what_turns_out_not_to_be_under_a_card_is_forgotten(place: Office):
    unrelated = await place.post("/v1/review", bodies.review(None, "5", "Great."))
    assert unrelated.status_code == 200
    await place.seen(lambda: place.cards)
    await place.at_rest()
    lead = await _posted(place, slow(0.5))
    elsewhere = await place.slack.say(ANA, CHANNEL, "Nice!", thread_ts=place.cards[0]["ts"])
    ours = await lead.say("Yes, we do.")
    assert len(await place.rows(Message)) == 2
    await lead.marked(ours, CHECK)
    assert [row.slack_ts for row in await place.rows(Message)] == [ours]
    await place.slack.redeliver(elsewhere)
    assert len(await place.rows(Message)) == 1
    assert place.mark(elsewhere.ts) == []


async def test_with_two_cards_on_their_way_each_gets_its_own(place: Office):
    first = await _posted(place, slow(1.0))
    second = await _posted(place, slow(0.5))
    to_second, to_first = await second.say("Second."), await first.say("First.")
    await second.marked(to_second, CHECK)
    await first.marked(to_first, CHECK)
    assert (first.received, second.received) == (["First."], ["Second."])


async def test_under_other_peoples_posts_nothing_is_kept_even_then(place: Office):
    talk = await place.slack.say(ANA, CHANNEL, "Lunch?")
    await _posted(place, slow(0.5))
    answer = await place.slack.say(ANA, CHANNEL, "Yes!", thread_ts=talk.ts)
    assert answer.status == 200
    assert await place.rows(Message) == []
    await place.at_rest()


async def test_what_was_kept_for_a_card_that_was_refused_is_forgotten(place: Office):
    await place.post("/v1/review", bodies.review(None, "5", "Great."))
    await place.seen(lambda: place.cards)
    await place.at_rest()
    asked = calling(place.slack.faults, "chat.postMessage")
    place.slack.faults.add("chat.postMessage", Fault(status=200, body={"ok": False, "error": "odd_error"}, delay=0.5))
    await place.post("/v1/lead", bodies.lead())
    async with asyncio.timeout(60):
        await asked.wait()
    await place.slack.say(ANA, CHANNEL, "Nice!", thread_ts=place.cards[0]["ts"])
    services = place.door.app.state.services
    await jobs.prune(services)
    assert len(await place.rows(Message)) == 1  # it may still belong to the card
    await place.at_rest()
    await jobs.prune(services)
    assert await place.rows(Message) == []
