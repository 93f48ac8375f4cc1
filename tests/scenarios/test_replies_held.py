"""The hold window: until it closes a reply can be changed, taken back, kept inside or hurried; afterwards it is too late."""

import pytest
from support.conversation import ANA, BEN, CHECK, CROSS, HOURGLASS, MEMO, Conversation
from support.office import CHANNEL, Office

from sandbox.faults import Fault
from sandbox.slack.failures import down
from sandbox.thumbtack import bodies
from storage.models import ReplyState

pytestmark = pytest.mark.knobs(reply_hold_seconds=15)

TOO_LATE = "This already went out: the customer has the old text"
TOO_LATE_TO_DELETE = "This already went out: the customer still has it"


async def test_a_reply_waits_for_its_window_and_its_writer_alone_is_asked(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, HOURGLASS)
    await lead.offered("reply_send_now")
    assert lead.is_offered("reply_keep")
    assert not lead.is_offered("reply_send_now", to=BEN)
    await place.at_rest()
    assert lead.received == []
    await place.advance(seconds=16)
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9."]
    assert len(lead.prompts()) == 1


@pytest.mark.knobs(reply_hold_seconds=0)
async def test_without_a_window_it_goes_at_once_and_nobody_is_asked(place: Office):
    lead = await Conversation.opened(place)
    await lead.marked(await lead.say("We come at 9."), CHECK)
    await place.at_rest()
    assert lead.prompts() == []


async def test_an_edit_changes_what_goes_out_and_does_not_extend_the_window(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await place.advance(seconds=14)
    await lead.edit(ts, "We come at 10.")
    await place.at_rest()
    assert lead.received == []
    await place.advance(seconds=2)
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 10."]
    assert len(lead.prompts()) == 1


async def test_deleting_cancels(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, HOURGLASS)
    later = await lead.say("We come at 11.")
    await lead.delete(ts)
    await place.advance(seconds=16)
    await lead.marked(later, CHECK)
    await place.at_rest()
    assert lead.received == ["We come at 11."]
    row = await lead.message(ts)
    assert (row.state, row.text, row.blocks) == (ReplyState.CANCELLED, None, [])


async def test_send_now_and_keep_inside(place: Office):
    lead = await Conversation.opened(place)
    first = await lead.say("Now, please.")
    await lead.press("reply_send_now")
    await lead.marked(first, CHECK)
    await place.at_rest()
    second = await lead.say("Not yet.")
    await lead.press("reply_keep")
    await lead.marked(second, MEMO)
    await place.advance(seconds=16)
    await place.at_rest()
    assert lead.received == ["Now, please."]
    assert [told for told in lead.prompts() if "Kept inside" in told]
    assert place.mark(second) == [MEMO]


async def test_send_now_does_not_overtake_what_stands_before_it(place: Office):
    lead = await Conversation.opened(place)
    first = await lead.say("First.")
    second = await lead.say("Second.")
    await place.at_rest()
    await lead.press("reply_send_now")
    await place.at_rest()
    assert lead.received == []
    await place.advance(seconds=16)
    await lead.marked(second, CHECK)
    await lead.marked(first, CHECK)
    assert lead.received == ["First.", "Second."]


async def test_an_edit_into_a_note_cancels_and_it_stays_a_note(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("He is difficult.")
    await lead.marked(ts, HOURGLASS)
    await lead.edit(ts, "note: He is difficult.")
    await lead.marked(ts, MEMO)
    await lead.edit(ts, "He is difficult.")
    await place.advance(seconds=16)
    await place.at_rest()
    assert lead.received == []
    assert place.mark(ts) == [MEMO]


async def test_an_edit_that_mentions_somebody_asks_again(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await lead.edit(ts, "<@U0BEN> comes at 9.")
    await lead.marked(ts, MEMO)
    await place.advance(seconds=16)
    await lead.press("reply_send")
    await lead.marked(ts, CHECK)
    assert lead.received == ["@ben comes at 9."]


async def test_what_was_asked_about_and_became_a_note_does_not_go_by_the_old_button(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("<@U0BEN> comes at 9.")
    await lead.offered("reply_send")
    await lead.edit(ts, "note: <@U0BEN> comes at 9.")
    await lead.press("reply_send")
    await place.at_rest()
    assert lead.received == []
    assert place.mark(ts) == [MEMO]
    assert "This was decided already" in lead.prompts()[-1]


async def test_an_edit_that_cannot_go_is_refused(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await lead.edit(ts, "a" * 16_385)
    await lead.marked(ts, CROSS)
    await lead.edit(ts, "We come at 9, short.")
    await lead.press("reply_retry")
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9, short."]


async def test_a_preview_of_a_link_changes_nothing(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("See https://www.example.com/")
    await place.slack.unfurl(CHANNEL, ts)
    await place.advance(seconds=16)
    await lead.marked(ts, CHECK)
    await place.slack.unfurl(CHANNEL, ts)
    await place.at_rest()
    assert lead.received == ["See https://www.example.com/"]
    assert len(lead.prompts()) == 1


async def test_an_edit_after_it_went_out_is_told_to_the_writer_alone_and_once(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await place.advance(seconds=16)
    await lead.marked(ts, CHECK)
    edited = await place.slack.edit(CHANNEL, ts, "We come at 10.")
    await place.seen(lambda: [told for told in lead.prompts() if TOO_LATE in told])
    await place.slack.redeliver(edited)
    await lead.edit(ts, "note: We come at 10.")
    await place.at_rest()
    assert lead.received == ["We come at 9."]
    assert place.mark(ts) == [CHECK]
    assert len([told for told in lead.prompts() if TOO_LATE in told]) == 2  # for the two edits, not for the redelivery
    assert lead.prompts(BEN) == []


async def test_a_deletion_after_it_went_out_is_told_to_the_writer_alone_and_once(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await place.advance(seconds=16)
    await lead.marked(ts, CHECK)
    deleted = await place.slack.delete(CHANNEL, ts)
    await place.seen(lambda: [told for told in lead.prompts() if TOO_LATE_TO_DELETE in told])
    for number in (1, 2, 3):
        await place.slack.redeliver(deleted, number=number)
    await place.at_rest()
    assert len([told for told in lead.prompts() if TOO_LATE_TO_DELETE in told]) == 1
    assert lead.prompts(BEN) == []


async def test_the_customers_messages_are_not_held_up(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.stand("message", Fault(status=503))
    ts = await lead.say("We come at 9.")
    await place.advance(seconds=16)
    await lead.marked(ts, HOURGLASS)
    assert (await place.post("/v1/message", bodies.message(lead.lead_id, "Are you there?"))).status_code == 200
    await place.seen(lambda: any("Are you there?" in str(line) for line in lead.lines))


async def test_a_prompt_that_comes_too_late_is_not_shown(place: Office):
    lead = await Conversation.opened(place)
    place.slack.faults.add("chat.postEphemeral", down())
    ts = await lead.say("We come at 9.")
    await place.seen(lambda: place.slack.called("chat.postEphemeral"))
    await place.advance(seconds=16)
    await lead.marked(ts, CHECK)
    await place.advance(minutes=2)
    await place.at_rest()
    assert lead.prompts(ANA) == []
