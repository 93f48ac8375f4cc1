"""The writer's first name below what the customer reads, in the channels that ask for it."""

import pytest
from support.choosing import choose
from support.conversation import ANA, CHECK, CROSS, HOURGLASS, WARNING, Conversation
from support.office import Office
from support.v4_conversation import V4Conversation

from sandbox.faults import Fault
from sandbox.slack.failures import down
from storage.models import Message


async def test_whoever_writes_signs_in_the_thread_and_in_the_window_once_and_only_when_it_was_chosen(place: Office):
    lead = await Conversation.opened(place)
    await lead.marked(await lead.say("Good morning."), CHECK)
    assert "The writer's first name goes below each reply" in await choose(place, signature="on")
    await lead.marked(await lead.say("*We come* at 9."), CHECK)
    await lead.press("reply_open")
    window = place.window(ANA)
    assert "with your first name below it" in str(window)
    assert await place.submit({"text": "Is that fine?"}, user=ANA) == {}
    await place.at_rest()
    await lead.marked(await lead.say("send: See you then.\n- Ana"), CHECK)
    await choose(place, signature="off")
    await lead.marked(await lead.say("Bye."), CHECK)
    assert lead.received == [
        "Good morning.",
        "We come at 9.\n– Ana",
        "Is that fine?\n– Ana",
        "See you then.\n• Ana",
        "Bye.",
    ]
    assert [one for one in lead.prompts() if "already went out" in one] == []
    await lead.press("reply_open")
    assert "The customer gets exactly this text." in str(place.window(ANA))


async def test_what_is_sent_again_is_signed_once(place: Office):
    lead = await Conversation.opened(place)
    await choose(place, signature="on")
    for fault, mark, button in ((400, CROSS, "reply_retry"), (502, WARNING, "reply_send_again")):
        place.thumbtack.faults.add("message", Fault(status=fault))
        ts = await lead.say(f"Try {fault}.")
        await lead.marked(ts, mark)
        await lead.press(button)
        await lead.marked(ts, CHECK)
    place.thumbtack.faults.add("message", Fault(status=503))
    ts = await lead.say("Later.")
    await lead.marked(ts, HOURGLASS)
    await place.at_rest()
    await place.advance(minutes=2)
    await lead.marked(ts, CHECK)
    assert lead.received == ["Try 400.\n– Ana", "Try 502.\n– Ana", "Later.\n– Ana"]
    assert [one for one in lead.prompts() if "already went out" in one] == []


@pytest.mark.knobs(reply_hold_seconds=15)
async def test_an_edit_in_time_is_signed_and_one_that_comes_too_late_is_told(place: Office):
    lead = await Conversation.opened(place)
    await choose(place, signature="on")
    ts = await lead.say("We come at 9.")
    await lead.edit(ts, "We come at 10.")
    await lead.press("reply_send_now")
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert lead.received == ["We come at 10.\n– Ana"]
    await lead.edit(ts, "We come at 11.")
    await place.seen(lambda: any("already went out" in one for one in lead.prompts()))


async def test_what_was_written_goes_whole_where_both_are_too_long(place: Office):
    lead = await Conversation.opened(place)
    await choose(place, signature="on")
    longest = "x" * 16_380
    await lead.marked(await lead.say(longest), CHECK)
    assert lead.received == [longest]


async def test_while_slack_does_not_say_the_name_it_waits_and_nobody_we_may_see_signs_nothing(place: Office):
    lead = await Conversation.opened(place)
    await choose(place, signature="on")
    place.slack.faults.stand("users.info", down())
    ts = await lead.say("We come at 9.")
    await lead.held(ts)
    place.slack.faults.clear()
    await place.advance(minutes=2)
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9.\n– Ana"]


async def test_the_echo_of_a_signed_reply_is_known_by_its_words_and_not_posted(place: Office):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    await choose(place, signature="on")
    place.thumbtack.faults.add("message", Fault(status=201, body={}, done=True))  # its answer has no id
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, CHECK)
    before = lead.texts
    await lead.echoed(messageID="77001")
    assert lead.texts == before
    (row,) = [one for one in await place.rows(Message) if one.slack_ts == ts]
    assert (row.thumbtack_id, row.sent_text) == ("77001", "We come at 9.\n– Ana")


async def test_a_signed_reply_whose_answer_was_lost_is_found_in_thumbtacks_list(place: Office):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    await choose(place, signature="on")
    place.thumbtack.faults.add("message", Fault(status=502, done=True))
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, HOURGLASS)
    await place.at_rest()
    await place.advance(seconds=6)
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9.\n– Ana"]
    assert [one for one in lead.prompts() if "already went out" in one] == []


async def test_one_that_did_not_arrive_goes_again_signed_once(place: Office):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    await choose(place, signature="on")
    await lead.told("Can you come?")
    place.thumbtack.faults.add("message", Fault(status=502))
    ts = await lead.say("We come at 9.")
    await lead.looked_for()
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9.\n– Ana"]
