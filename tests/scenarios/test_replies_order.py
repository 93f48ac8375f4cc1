"""The order of a lead's replies, and what becomes of those that waited too long."""

import pytest
from support.conversation import ANA, BEN, CHECK, CROSS, HOURGLASS, MEMO, Conversation
from support.office import CHANNEL, Office

from sandbox.faults import Fault

OUTAGE = Fault(status=503)


@pytest.mark.knobs(reply_hold_seconds=15)
async def test_replies_go_in_the_order_of_slack_however_their_events_arrive(place: Office):
    lead = await Conversation.opened(place)
    first, second, third = await lead.unheard(
        lambda: lead.said("One."), lambda: lead.said("Two."), lambda: lead.said("Three.")
    )
    for told in (third, first, second):
        await place.slack.redeliver(told)
        await place.advance(seconds=3)
    await place.advance(seconds=7)  # the third one's window is closed, the others' are not
    await place.at_rest()
    assert lead.received == []
    await place.advance(seconds=10)
    await lead.marked(third.ts, CHECK)
    assert lead.received == ["One.", "Two.", "Three."]


async def test_an_outage_keeps_the_order_of_a_lead_and_holds_up_no_other(place: Office):
    held, free = await Conversation.opened(place), await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=429, headers={"Retry-After": "60"}))
    first = await held.say("One.")
    await held.marked(first, HOURGLASS)
    await place.at_rest()
    second = await held.say("Two.")
    other = await free.say("Free.")
    await free.marked(other, CHECK)
    await held.marked(second, HOURGLASS)
    assert held.received == []
    await place.advance(seconds=61)
    await held.marked(second, CHECK)
    assert held.received == ["One.", "Two."]


async def test_an_old_reply_asks_its_writer_and_later_ones_wait_for_the_choice(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.stand("message", OUTAGE)
    first = await lead.say("On my way, 20 minutes.")
    await place.at_rest()
    await place.advance(minutes=20)
    await place.at_rest()
    second = await lead.say("Nearly there.")
    await place.advance(minutes=11)
    await lead.marked(first, CROSS)
    await lead.offered("reply_discard", to=BEN)
    asked = lead.lines[-1]
    assert f"<@{ANA}>" in str(asked["blocks"])
    assert "waited 30 minutes" in str(asked["blocks"])
    place.thumbtack.faults.clear()
    third = await lead.say("Hello?")
    await place.at_rest()
    assert lead.received == []
    assert [place.mark(ts) for ts in (first, second, third)] == [[CROSS], [HOURGLASS], [HOURGLASS]]
    await lead.press("reply_send_now", by=BEN)
    for ts in (first, second, third):
        await lead.marked(ts, CHECK)
    assert lead.received == ["On my way, 20 minutes.", "Nearly there.", "Hello?"]


async def test_those_behind_ask_in_turn_when_they_are_old_too(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.stand("message", OUTAGE)
    first, second = await lead.say("One."), await lead.say("Two.")
    await place.at_rest()
    await place.advance(minutes=31)
    await lead.marked(first, CROSS)
    await lead.press("reply_discard")
    await lead.marked(first, MEMO)
    await lead.marked(second, CROSS)
    place.thumbtack.faults.clear()
    await place.advance(hours=5)
    await place.at_rest()
    assert lead.received == []
    await lead.press("reply_send_now")
    await lead.marked(second, CHECK)
    assert lead.received == ["Two."]


async def test_sent_now_during_an_outage_it_has_its_time_again(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.stand("message", OUTAGE)
    ts = await lead.say("One.")
    for _ in range(2):
        await place.at_rest()
        await place.advance(minutes=31)
        await lead.marked(ts, CROSS)
        await lead.press("reply_send_now")
        await lead.marked(ts, HOURGLASS)
        await place.at_rest()
    await place.advance(minutes=29)
    await place.at_rest()
    assert place.mark(ts) == [HOURGLASS]
    place.thumbtack.faults.clear()
    await place.advance(minutes=1)
    await place.at_rest()
    assert place.mark(ts) in ([CHECK], [CROSS])


@pytest.mark.knobs(reply_max_age_minutes=5)
async def test_a_long_retry_after_ends_where_the_writer_must_be_asked(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=429, headers={"Retry-After": "86400"}))
    ts = await lead.say("One.")
    await lead.marked(ts, HOURGLASS)
    await place.at_rest()
    await place.advance(minutes=4)
    await place.at_rest()
    assert place.mark(ts) == [HOURGLASS]
    await place.advance(minutes=1)
    await lead.marked(ts, CROSS)
    assert lead.received == []


async def test_send_now_does_not_shorten_what_thumbtack_asked_for(place: Office):
    await place.stop()
    await place.start(reply_hold_seconds=15)
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=429, headers={"Retry-After": "300"}))
    ts = await lead.say("One.")
    await lead.offered("reply_send_now")
    await place.advance(seconds=16)
    await place.at_rest()
    await lead.press("reply_send_now")
    await place.at_rest()
    assert lead.received == []
    assert place.mark(ts) == [HOURGLASS]
    await place.advance(minutes=5)
    await lead.marked(ts, CHECK)


async def test_an_old_reply_can_be_edited_deleted_and_made_a_note(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.stand("message", OUTAGE)
    first, second, third, last = [await lead.say(text) for text in ("One.", "Two.", "Three.", "Four.")]
    await place.at_rest()
    await place.advance(minutes=31)
    await lead.marked(first, CROSS)
    place.thumbtack.faults.clear()
    await lead.edit(first, "One, now.")
    await lead.press("reply_send_now")
    await lead.marked(first, CHECK)
    await lead.marked(second, CROSS)
    await lead.delete(second)
    await lead.marked(third, CROSS)
    await lead.edit(third, "note: Three.")
    await lead.marked(third, MEMO)
    await lead.marked(last, CROSS)
    assert lead.received == ["One, now."]


async def test_a_reply_that_slack_told_late_is_as_old_as_it_is(place: Office):
    lead = await Conversation.opened(place)
    (told,) = await lead.unheard(lambda: lead.said("On my way, 20 minutes."))
    await place.advance(hours=2)
    await place.slack.redeliver(told)
    await lead.marked(told.ts, CROSS)
    await place.at_rest()
    assert lead.received == []
    await lead.press("reply_send_now")
    await lead.marked(told.ts, CHECK)


async def test_an_edit_of_an_old_message_that_was_never_heard_asks(place: Office):
    lead = await Conversation.opened(place)
    (told,) = await lead.unheard(lambda: lead.said("On my way."))
    await place.advance(hours=2)
    await lead.edit(told.ts, "On my way!")
    await lead.marked(told.ts, CROSS)
    await place.at_rest()
    assert lead.received == []


async def test_what_grew_old_while_the_bot_was_down_asks(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.stand("message", OUTAGE)
    ts = await lead.say("On my way, 20 minutes.")
    await lead.marked(ts, HOURGLASS)
    await place.stop()
    place.thumbtack.faults.clear()
    place.clock.ahead += type(place.clock.ahead)(hours=3)
    await place.start()
    await lead.marked(ts, CROSS)
    await place.at_rest()
    assert lead.received == []
    assert lead.is_offered("reply_send_now")


@pytest.mark.knobs(reply_hold_seconds=15)
async def test_a_reply_that_is_old_already_is_not_promised_to_go(place: Office):
    lead = await Conversation.opened(place)
    (told,) = await lead.unheard(lambda: lead.said("On my way, 20 minutes."))
    await place.advance(hours=2)
    await place.slack.redeliver(told)
    await place.at_rest()
    assert lead.prompts() == []
    await place.advance(seconds=16)
    await lead.marked(told.ts, CROSS)


async def test_what_waits_behind_an_unanswered_question_gets_a_mark_all_the_same(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.stand("message", OUTAGE)
    first = await lead.say("One.")
    await place.at_rest()
    await place.advance(minutes=31)
    await lead.marked(first, CROSS)
    await lead.marked(await lead.say("Two."), HOURGLASS)
    await lead.marked(await lead.say("note: no answer yet"), MEMO)
    note = await place.slack.say(BEN, CHANNEL, "// nor from me", thread_ts=lead.ts)
    await lead.marked(note.ts or "", MEMO)
    place.thumbtack.faults.clear()
    await place.advance(minutes=2)
    other = await Conversation.opened(place)
    await other.marked(await other.say("Free."), CHECK)  # what may go in the first lead would have gone before
    assert lead.received == []
