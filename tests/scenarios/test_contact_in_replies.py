"""A reply that carries a phone number or an e-mail address: its writer is asked, or it does not go, by what was chosen."""

import pytest
from support.choosing import choose
from support.conversation import ANA, BEN, CHECK, CROSS, HOURGLASS, Conversation
from support.office import Office

from sandbox.faults import Fault
from storage.models import Message, Person, ReplyState

NUMBER = "Call me at 212-555-0123."
ADDRESS = "Write to ana@corkboard.example."


async def test_it_asks_first_and_goes_out_or_is_discarded_as_its_writer_says(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say(NUMBER)
    await lead.offered("reply_send")
    await lead.marked(ts, HOURGLASS)
    assert not lead.is_offered("reply_send", to=BEN)
    await place.at_rest()
    assert lead.received == []
    await lead.press("reply_send")
    await lead.marked(ts, CHECK)
    discarded = await lead.say(ADDRESS)
    await lead.marked(discarded, HOURGLASS)
    await place.at_rest()
    await lead.press("reply_discard")
    await lead.marked(discarded, "memo")
    await lead.marked(await lead.say("That will be $1,200.00 on 09/01/2026."), CHECK)
    assert lead.received == [NUMBER, "That will be $1,200.00 on 09/01/2026."]


async def test_who_does_not_want_to_be_asked_again_is_not_until_they_say_so_and_others_are(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say(NUMBER)
    await lead.press("contact_ok")
    await lead.marked(ts, CHECK)
    await place.seen(lambda: "not asked about phone numbers" in " ".join(place.whispers(ANA)))
    await lead.marked(await lead.say(ADDRESS), CHECK)
    bens = await lead.say("Or call 212-555-0199.", by=BEN)
    await lead.offered("contact_ok", to=BEN)
    await lead.marked(bens, HOURGLASS)
    await lead.press("contact_ask")
    await place.seen(lambda: "You are asked again" in " ".join(place.whispers(ANA)))
    again = await lead.say("212 555 0123")
    await lead.offered("contact_ok")
    await lead.marked(again, HOURGLASS)
    assert lead.received == [NUMBER, ADDRESS]
    assert [(row.user_id, row.contact_ok) for row in await place.rows(Person)] == [(ANA, False)]


async def test_the_button_means_nothing_once_it_was_decided_or_edited_into_a_note(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say(NUMBER)
    prompt = await lead.offered("contact_ok")
    await lead.edit(ts, f"note: {NUMBER}")
    await lead.marked(ts, "memo")
    assert (await place.slack.press(ANA, "C0LEADS", prompt, "contact_ok")).ok
    await place.at_rest()
    assert lead.received == []
    assert await place.rows(Person) == []


@pytest.mark.knobs(reply_hold_seconds=15)
async def test_an_edit_brings_the_question_and_takes_it_away(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await lead.offered("reply_keep")
    await lead.edit(ts, NUMBER)
    await lead.offered("contact_ok")
    await place.advance(seconds=20)
    await place.at_rest()
    assert (await lead.message(ts)).state == ReplyState.CHOICE
    await lead.edit(ts, "We come at 10.")
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 10."]


async def test_where_it_is_blocked_it_does_not_go_until_it_is_edited(place: Office):
    lead = await Conversation.opened(place)
    assert "do not go out" in await choose(place, contact_data="block")
    ts = await lead.say(NUMBER)
    await lead.marked(ts, CROSS)
    await lead.press("reply_retry")
    await place.at_rest()
    assert (await lead.message(ts)).state == ReplyState.REFUSED
    await lead.edit(ts, "Call us through Thumbtack.")
    await lead.press("reply_retry")
    await lead.marked(ts, CHECK)
    await lead.press("reply_open")
    errors = await place.submit({"text": ADDRESS}, user=ANA)
    assert "do not go out from this channel" in errors["reply"]
    await place.at_rest()
    assert lead.received == ["Call us through Thumbtack."]


@pytest.mark.knobs(reply_hold_seconds=15)
async def test_what_was_confirmed_before_it_was_blocked_does_not_go(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await choose(place, contact_data="off")
    await lead.edit(ts, NUMBER)
    await choose(place, contact_data="block")
    await place.advance(seconds=20)
    await lead.marked(ts, CROSS)
    assert lead.received == []


async def test_switched_off_it_goes_like_everything_else(place: Office):
    lead = await Conversation.opened(place)
    await choose(place, contact_data="off")
    await lead.marked(await lead.say(NUMBER), CHECK)
    await lead.press("reply_open")
    assert await place.submit({"text": ADDRESS}, user=ANA) == {}
    await place.seen(lambda: lead.received == [NUMBER, ADDRESS])


async def test_the_window_asks_in_itself_keeps_the_text_and_sends_what_is_submitted_then(place: Office):
    lead = await Conversation.opened(place)
    await lead.press("reply_open")
    assert await place.submit({"text": NUMBER}, user=ANA) == {}
    window = place.window(ANA)
    assert window is not None
    assert window["submit"]["text"] == "Send anyway"
    assert "Thumbtack discourages" in place.read(window)
    assert await place.rows(Message) == []
    assert "like a note" in (await place.submit({"text": f"note: {NUMBER}"}, user=ANA))["reply"]
    assert await place.submit(user=ANA) == {}  # what was written still stands in it
    assert place.window(ANA) is None
    assert (await place.slack.redeliver()).ok
    await place.at_rest()
    assert lead.received == [NUMBER]
    await lead.press("reply_open")
    assert await place.submit({"text": NUMBER}, user=ANA) == {}
    assert await place.submit({"text": "Call us through Thumbtack."}, user=ANA) == {}
    await place.seen(lambda: lead.received == [NUMBER, "Call us through Thumbtack."])
    assert [one for one in lead.prompts() if "contact" in one] == []


async def test_who_says_yes_to_what_is_blocked_then_reads_that_it_is_not_sent(place: Office):
    lead = await Conversation.opened(place)
    await choose(place, contact_data="block")
    ts = await lead.say(NUMBER, files=["plan.pdf"])
    await lead.press("reply_send")
    await lead.marked(ts, CROSS)
    await place.seen(lambda: any("Not sent. It carries a phone number" in told for told in place.whispers(ANA)))
    assert lead.received == []


async def test_what_was_written_in_the_window_and_blocked_later_is_sent_by_retry_where_it_may_be(place: Office):
    lead = await Conversation.opened(place)
    await choose(place, contact_data="off")
    place.thumbtack.faults.stand("message", Fault(status=503))  # the next try may come at once
    await lead.press("reply_open")
    await place.submit({"text": NUMBER}, user=ANA)
    await place.at_rest()
    await choose(place, contact_data="block")
    place.thumbtack.faults.clear("message")
    await place.advance(minutes=2)
    await lead.offered("reply_retry")
    assert lead.received == []
    await choose(place, contact_data="ask")  # in the window nobody could be asked
    await lead.press("reply_retry")
    await place.seen(lambda: lead.received == [NUMBER])
