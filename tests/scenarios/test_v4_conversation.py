"""What v4 tells of both sides of a conversation: our own words never again, everybody else's once, Thumbtack's own never."""

from datetime import timedelta
from typing import Any

import pytest
from support.conversation import CHECK, HOURGLASS, WARNING
from support.office import Office
from support.v4_conversation import V4Conversation

from sandbox.faults import Fault
from sandbox.thumbtack.v4_bodies import iso
from storage.models import Lead, Message, Outbox, ReplyState
from storage.outbox import Kind

READ = "supply::messages.read"


async def the_lead(place: Office) -> Lead:
    (lead,) = await place.rows(Lead)
    return lead


async def replied(lead: V4Conversation, words: str = "We come at 9.") -> str:
    """A reply that went out."""
    ts = await lead.say(words)
    await lead.marked(ts, CHECK)
    await lead.place.at_rest()
    return ts


# The echo of our own words


async def test_what_we_sent_comes_back_and_is_not_posted(place: Office):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    ts = await replied(lead)
    before = lead.texts
    for _ in range(2):
        await lead.echoed()
    assert lead.texts == before
    row = await lead.message(ts)
    assert (row.thumbtack_id, row.state) == (place.thumbtack.sent[0].message_id, ReplyState.DELIVERED)
    assert (await place.rows(Message))[-1].id == row.id
    assert lead.received == ["We come at 9."]
    assert (await the_lead(place)).first_answer_via == "slack"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, {"messageID": "77001"}),
        ({"messageID": "of-the-answer"}, {"messageID": "77002"}),
        ({}, {"messageID": "77003", "sentAt": None}),
    ],
    ids=["no id in the answer", "another id in the answer", "no time"],
)
async def test_without_the_id_the_text_tells(place: Office, answer: dict[str, str], said: dict[str, Any]):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    place.thumbtack.faults.add("message", Fault(status=201, body=answer, done=True))
    await replied(lead, "Tom & Sons:\nwe come  at 9 \N{SMILING FACE WITH SUNGLASSES}")
    before = lead.texts
    for _ in range(2):
        await lead.echoed("Tom &amp; Sons:\r\nwe come at 9 \N{SMILING FACE WITH SUNGLASSES} ", **said)
    assert lead.texts == before
    assert len(lead.received) == 1


async def test_each_of_two_like_replies_has_one_echo_and_a_third_was_typed(place: Office):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    place.thumbtack.faults.add("message", Fault(status=201, body={}, done=True), times=2)
    await replied(lead, "Yes.")
    await replied(lead, "Yes.")
    for message_id in ("78001", "78002", "78001"):
        await lead.echoed(messageID=message_id)
    assert lead.shows("Yes.") == 0
    await lead.echoed(messageID="78003")
    assert lead.shows("Yes.") == 1


async def test_like_words_at_another_time_or_of_the_customer_are_no_echo(place: Office):
    await place.connect("v4")
    lead = await V4Conversation.begun(place, ago=timedelta(days=2))
    await replied(lead, "Yes.")
    await lead.typed("Yes.", sentAt=iso(place.clock() - timedelta(hours=3)))
    assert lead.shows("Yes.") == 1
    await lead.told("Yes.")
    assert lead.shows("Yes.") == 2


async def test_an_echo_that_comes_before_the_answer_settles_it(place: Office):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    place.thumbtack.v4.echoes = True
    ts = await lead.being_sent("We come at 9.", Fault(delay=0.5, status=502, done=True))
    await place.thumbtack.wait_until(lambda: bool(place.thumbtack.v4.echoed))
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert (lead.received, lead.shows("We come at 9.")) == (["We come at 9."], 0)
    assert (await the_lead(place)).first_answer_via == "slack"


async def test_an_echo_of_what_is_to_be_tried_again_keeps_it_from_being_said_twice(place: Office):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    place.thumbtack.faults.add("message", Fault(status=503, done=True, headers={"Retry-After": "60"}))
    ts = await lead.say("We come at 9.")
    await place.at_rest()
    await lead.marked(ts, HOURGLASS)
    await place.at_rest()
    await lead.echoed()
    await lead.marked(ts, CHECK)
    await place.advance(minutes=5)
    await place.at_rest()
    assert (lead.received, lead.shows("We come at 9.")) == (["We come at 9."], 0)


async def test_an_echo_settles_what_nobody_could_look_for(place: Office):
    place.thumbtack.grants.granted_scopes["v4"] = ("supply::businesses.list", "supply::messages.write")
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    place.thumbtack.faults.add("message", Fault(lose_answer=True))
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, WARNING)
    await lead.offered("reply_send_again")
    await place.advance(minutes=10)
    await place.at_rest()
    assert place.mark(ts) == [WARNING]
    before = lead.texts
    await lead.echoed()
    await lead.marked(ts, CHECK)
    assert (lead.received, lead.texts) == (["We come at 9."], before)
    await lead.press("reply_send_again")
    await place.at_rest()
    assert lead.received == ["We come at 9."]


async def test_an_echo_of_what_was_edited_meanwhile_tells_its_writer(place: Office):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    place.thumbtack.faults.add("message", Fault(status=503, done=True, headers={"Retry-After": "60"}))
    ts = await lead.say("We come at 9.")
    await place.at_rest()
    await lead.edit(ts, "We come at 10.")
    await lead.echoed()
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert "the customer has the old text" in lead.prompts()[-1]
    assert lead.received == ["We come at 9."]


# What somebody typed in Thumbtack's app


async def test_what_was_typed_in_the_app_is_shown_as_such_and_is_the_teams_answer(place: Office):
    lead = await V4Conversation.begun(place)
    at = place.clock() - timedelta(minutes=2)
    for _ in range(2):
        await lead.typed("I can be there at noon.", messageID="79001", sentAt=iso(at))
    (shown,) = [line for line in lead.lines if "I can be there at noon." in str(line)]
    assert "in Thumbtack" in place.read(shown)
    assert "<@" not in str(shown["blocks"])
    assert shown.get("subtype") != "thread_broadcast"
    row = await the_lead(place)
    assert (row.first_answer_via, row.first_answer_by) == ("thumbtack", None)
    assert row.first_answer_at is not None
    assert abs(row.first_answer_at - at) < timedelta(seconds=1)


# What Thumbtack made itself


@pytest.mark.parametrize("order", ["lead first", "lead last"])
async def test_what_thumbtack_made_itself_makes_no_noise_and_is_no_answer(place: Office, order: str):
    lead_id = place.thumbtack.v4_request(request={"description": "Two rooms.\r\nThe gate is open."})
    deeds = [
        lambda: place.thumbtack.v4_message(lead_id, "Two rooms.\nThe gate is open."),
        lambda: place.thumbtack.v4_message(lead_id, "Thanks! We answer soon.", sender="Business"),
    ]
    for deed in (
        [lambda: place.thumbtack.v4_lead(lead_id), *deeds],
        [*deeds, lambda: place.thumbtack.v4_lead(lead_id)],
    )[order == "lead last"]:
        assert (await deed()).status_code == 200
    await place.at_rest()
    (card,) = place.cards
    assert [line for line in place.thread(card) if "Two rooms." in str(line) or "Thanks!" in str(line)] == []
    assert "has come" not in str(place.thread(card))
    row = await the_lead(place)
    assert (row.first_answer_at, row.is_placeholder) == (None, False)
    assert [one.is_automatic for one in await place.rows(Message)] == [True, True]


async def test_there_is_one_quick_reply_and_whoever_writes_next_is_a_person(place: Office):
    lead = await V4Conversation.begun(place, ago=timedelta())
    await lead.typed("Thanks! We answer soon.")
    await lead.typed("Anna here, is noon good?")
    assert (lead.shows("Thanks!"), lead.shows("Anna here")) == (0, 1)
    assert (await the_lead(place)).first_answer_via == "thumbtack"


async def test_the_description_said_again_later_is_a_message(place: Office):
    lead = await V4Conversation.begun(place, request={"description": "Two rooms."})
    await lead.told("Two rooms.")
    assert lead.shows("Two rooms.") == 1


async def test_a_conversation_whose_lead_never_comes_is_shown(place: Office):
    lead_id = place.thumbtack.v4_request()
    await place.thumbtack.v4_message(lead_id, "Anna here, is noon good?", sender="Business")
    await place.at_rest()
    await place.at_rest()
    assert "Anna here" in str(place.thread())
    assert (await the_lead(place)).first_answer_at is None


# Order


async def test_messages_that_wait_together_are_posted_in_the_order_in_which_they_were_written(place: Office):
    lead_id = place.thumbtack.v4_request(createdAt=iso(place.clock() - timedelta(hours=2)))
    begun = place.clock() - timedelta(hours=1)
    for minute in (3, 1, 2):
        at = iso(begun + timedelta(minutes=minute))
        await place.thumbtack.v4_message(lead_id, f"Number {minute}", sentAt=at)
    await place.at_rest()
    said = [place.read(line) for line in place.thread() if "Number" in str(line)]
    assert [line.split("Number ")[1][0] for line in said] == ["1", "2", "3"]


# An answer that was lost


async def test_a_lost_answer_is_settled_by_the_list(place: Office):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    place.thumbtack.faults.add("message", Fault(lose_answer=True))
    ts = await lead.say("We come at 9.")
    await place.at_rest()
    assert place.mark(ts) == [HOURGLASS]
    await place.advance(seconds=6)
    await lead.marked(ts, CHECK)
    await place.advance(minutes=10)
    await place.at_rest()
    assert lead.received == ["We come at 9."]
    assert not lead.is_offered("reply_send_again")
    assert (await the_lead(place)).first_answer_via == "slack"
    await lead.echoed()
    assert lead.shows("We come at 9.") == 0


async def test_what_the_list_does_not_have_three_times_goes_again_once_and_before_what_was_written_later(place: Office):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    await lead.told("When?")
    place.thumbtack.faults.add("message", Fault(status=502))
    first = await lead.say("We come at 9.")
    await place.at_rest()
    second = await lead.say("Bring nothing.")
    for seconds in (6, 56):
        await place.advance(seconds=seconds)
        await place.at_rest()
        assert (lead.received, place.mark(first), place.mark(second)) == ([], [HOURGLASS], [HOURGLASS])
    await place.advance(seconds=61)
    await lead.marked(first, CHECK)
    await lead.marked(second, CHECK)
    await place.at_rest()
    assert lead.received == ["We come at 9.", "Bring nothing."]
    assert len([one for one in await place.rows(Outbox) if one.kind == Kind.LOOK_FOR_REPLY]) == 3


@pytest.mark.parametrize(
    "listed",
    [
        {"data": []},  # though the customer's message should be there
        {"data": [{"messageID": "1", "negotiationID": "1", "from": "Business", "text": f"{n}"} for n in range(20)]},
    ],
    ids=["lacks what was said", "may go on"],
)
async def test_a_list_that_cannot_be_trusted_decides_nothing(place: Office, listed: dict[str, Any]):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    await lead.told("When?")
    place.thumbtack.faults.add("message", Fault(status=502))
    place.thumbtack.faults.stand("messages", Fault(status=200, body=listed))
    ts = await lead.say("We come at 9.")
    for seconds in (6, 56, 61):
        await place.at_rest()
        assert place.mark(ts) == [HOURGLASS]
        await place.advance(seconds=seconds)
    await lead.marked(ts, WARNING)
    await lead.offered("reply_send_again")
    await place.advance(hours=1)
    await place.at_rest()
    assert lead.received == []


async def test_a_like_reply_in_the_list_is_not_taken_for_the_lost_one(place: Office):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    await replied(lead, "Yes.")
    place.thumbtack.faults.add("message", Fault(status=502))
    ts = await lead.say("Yes.")
    await lead.looked_for()
    await lead.marked(ts, CHECK)
    assert lead.received == ["Yes.", "Yes."]


async def test_where_a_like_reply_may_be_the_one_in_the_list_a_person_is_asked(place: Office):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    place.thumbtack.faults.add("message", Fault(status=201, body={}, done=True))
    await replied(lead, "Yes.")
    place.thumbtack.faults.add("message", Fault(status=502))
    ts = await lead.say("Yes.")
    await lead.looked_for()
    await lead.marked(ts, WARNING)
    assert lead.received == ["Yes."]


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(status=403), Fault(status=200, body="<html>")])
async def test_a_list_that_cannot_be_read_leaves_it_to_a_person(place: Office, fault: Fault):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    place.thumbtack.faults.add("message", Fault(lose_answer=True))
    place.thumbtack.faults.stand("messages", fault)
    ts = await lead.say("We come at 9.")
    await place.at_rest()
    for _ in range(16):
        await place.advance(seconds=61)
        await place.at_rest()
    await lead.marked(ts, WARNING)
    await lead.press("reply_arrived")
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9."]


@pytest.mark.parametrize("edited", ["We come at 10.", "<@U0BEN> is he serious?", None])
async def test_what_its_writer_changed_while_it_was_looked_for_does_not_go_again_by_itself(
    place: Office, edited: str | None
):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    place.thumbtack.faults.add("message", Fault(status=502))
    ts = await lead.say("We come at 9.")
    await place.at_rest()
    await (lead.delete(ts) if edited is None else lead.edit(ts, edited))
    await lead.looked_for()
    await lead.offered("reply_send_again")
    await place.at_rest()
    assert lead.received == []
    (row,) = [one for one in await place.rows(Message) if one.sent_text]
    assert row.state == ReplyState.UNKNOWN


@pytest.mark.parametrize("fault", [Fault(delay=5), Fault(cut=True, delay=5)], ids=["it arrived", "it did not"])
async def test_after_a_crash_the_list_tells(place: Office, fault: Fault):
    await place.connect("v4")
    lead = await V4Conversation.begun(place)
    ts = await lead.being_sent("We come at 9.", fault)
    await place.crash()
    await place.start()
    await place.advance(minutes=2)
    await lead.looked_for()
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert lead.received == ["We come at 9."]
    assert lead.shows("may or may not") == 0
