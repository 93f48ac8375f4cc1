"""Slack tells late, twice and in any order: what counts is what people did last."""

import pytest
from support.conversation import CHECK, HOURGLASS, MEMO, Conversation
from support.office import CHANNEL, Office

from storage.models import ReplyState

pytestmark = pytest.mark.knobs(reply_hold_seconds=15)


async def test_an_edit_that_comes_before_its_message_is_what_goes_out(place: Office):
    lead = await Conversation.opened(place)
    (said,) = await lead.unheard(lambda: lead.said("We come at 9."))
    (edited,) = await lead.unheard(lambda: place.slack.edit(CHANNEL, said.ts, "We come at 10."))
    await lead.brought(edited, said, edited, said)
    await lead.marked(said.ts, HOURGLASS)
    await place.advance(seconds=16)
    await lead.marked(said.ts, CHECK)
    assert lead.received == ["We come at 10."]


async def test_an_edit_into_a_note_that_comes_before_its_message_keeps_it_inside(place: Office):
    lead = await Conversation.opened(place)
    (said,) = await lead.unheard(lambda: lead.said("He is difficult."))
    (edited,) = await lead.unheard(lambda: place.slack.edit(CHANNEL, said.ts, "note: He is difficult."))
    await lead.brought(edited, said)
    await lead.marked(said.ts, MEMO)
    await place.advance(seconds=16)
    await place.at_rest()
    assert lead.received == []


async def test_an_older_edit_that_comes_late_changes_nothing(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    (older,) = await lead.unheard(lambda: place.slack.edit(CHANNEL, ts, "We come at 10."))
    await lead.edit(ts, "We come at 11.")
    await lead.brought(older)
    await place.advance(seconds=16)
    await lead.marked(ts, CHECK)
    await lead.brought(older)
    await place.at_rest()
    assert lead.received == ["We come at 11."]
    assert len(lead.prompts()) == 1


async def test_a_deletion_that_comes_before_its_message_cancels_it(place: Office):
    lead = await Conversation.opened(place)
    (said,) = await lead.unheard(lambda: lead.said("We come at 9."))
    (edited,) = await lead.unheard(lambda: place.slack.edit(CHANNEL, said.ts, "We come at 10."))
    (deleted,) = await lead.unheard(lambda: place.slack.delete(CHANNEL, said.ts))
    await lead.brought(deleted, said, edited, deleted)
    await place.advance(seconds=16)
    await place.at_rest()
    assert lead.received == []
    row = await lead.message(said.ts)
    assert (row.state, row.text) == (ReplyState.CANCELLED, None)
    assert lead.prompts() == []


async def test_a_preview_that_comes_before_its_message_is_not_taken_for_it(place: Office):
    lead = await Conversation.opened(place)
    (said,) = await lead.unheard(lambda: lead.said("See https://www.example.com/"))
    (unfurled,) = await lead.unheard(lambda: place.slack.unfurl(CHANNEL, said.ts))
    await lead.brought(unfurled)
    await place.at_rest()
    assert place.mark(said.ts) == []
    await lead.brought(said)
    await lead.marked(said.ts, HOURGLASS)


async def test_slacks_tombstone_counts_as_a_deletion(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, HOURGLASS)
    previous = {**place.slack.message(CHANNEL, ts)}
    gone = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "ts": ts, "thread_ts": lead.ts}
    event = {"type": "message", "subtype": "message_changed", "channel": CHANNEL, "message": gone, "ts": "1.1"}
    assert (await place.slack.event(event | {"previous_message": previous})).status == 200
    await place.advance(seconds=16)
    await place.at_rest()
    assert lead.received == []
