"""The mark on a person's message: one at a time, the new one before the old one goes, and at last the right one."""

import asyncio

import pytest
from support.conversation import CHECK, CROSS, HOURGLASS, MEMO, WARNING, Conversation
from support.office import Office

from sandbox.faults import Fault
from sandbox.slack.failures import down, lost_answer, rate_limited, slack_error, slow
from sandbox.thumbtack import bodies
from storage.models import Outbox, WorkState


def _steps(place: Office) -> list[tuple[str, str]]:
    """Every change of a mark that Slack took, in order."""
    calls = [call for call in place.slack.calls if call.method.startswith("reactions.") and call.ok]
    return [(call.method.removeprefix("reactions."), call.args["name"]) for call in calls]


async def test_the_new_mark_is_set_before_the_old_one_is_removed(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=503))
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, HOURGLASS)
    await place.at_rest()
    await place.advance(seconds=2)
    await lead.marked(ts, CHECK)
    assert _steps(place) == [("add", HOURGLASS), ("add", CHECK), ("remove", HOURGLASS)]


async def test_people_may_react_too(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, CHECK)
    where = place.slack.workspace.channel("C0LEADS")
    place.slack.workspace.react(where.messages[ts], CHECK, "U0BEN")
    place.slack.workspace.react(where.messages[ts], MEMO, "U0BEN")
    await place.at_rest()
    assert place.mark(ts) == [CHECK]


FAULTS = {
    "429": rate_limited(1),
    "503": down(),
    "lost answer": lost_answer(),
    "cut": Fault(cut=True),
    "internal error": slack_error("internal_error"),
}


@pytest.mark.parametrize("method", ["reactions.add", "reactions.remove"])
async def test_a_mark_that_slack_did_not_take_is_set_later(place: Office, method: str):
    lead = await Conversation.opened(place)
    for name, fault in FAULTS.items():
        place.slack.faults.add(method, fault)
        ts = await lead.say(f"We come at {name}.")
        for _ in range(3):
            await place.at_rest()
            await place.advance(seconds=30)
        await lead.marked(ts, CHECK)
    assert lead.received == [f"We come at {name}." for name in FAULTS]
    assert place.slack.faults.happened[method] == len(FAULTS)


async def test_a_message_that_cannot_be_marked_is_left_alone(place: Office):
    lead = await Conversation.opened(place)
    errors = ["message_not_found", "too_many_reactions", "thread_locked", "not_reactable"]
    for error in errors:
        place.slack.faults.stand("reactions.add", slack_error(error))
        await lead.say(error)
        await place.at_rest()
    assert lead.received == errors
    assert {entry.state for entry in await place.rows(Outbox)} == {WorkState.DONE}


async def test_a_deleted_message_needs_no_mark(place: Office):
    await place.stop()
    await place.start(reply_hold_seconds=15)
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, HOURGLASS)
    await lead.delete(ts)
    await place.at_rest()
    assert {entry.state for entry in await place.rows(Outbox)} <= {WorkState.DONE, WorkState.CANCELLED}


async def test_a_change_while_a_mark_is_being_set_is_not_lost(place: Office):
    lead = await Conversation.opened(place)
    place.slack.faults.add("reactions.add", slow(0.4))
    ts = await lead.say("We come at 9.")  # it is delivered long before its hourglass stands
    await place.at_rest()
    assert place.mark(ts) == [CHECK]


async def test_a_change_back_while_a_mark_is_being_set_is_not_lost(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.stand("message", Fault(status=503))
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, HOURGLASS)
    await place.at_rest()
    place.slack.faults.add("reactions.add", slow(0.5))
    await place.advance(minutes=31)  # the cross is on its way
    await lead.offered("reply_send_now")
    await lead.press("reply_send_now")  # back to the hourglass, which still stands as far as we know
    await place.at_rest()
    assert place.mark(ts) == [HOURGLASS]
    assert ("add", CROSS) in _steps(place)


async def test_marks_agree_with_what_became_of_messages_after_slack_was_away(place: Office):
    lead = await Conversation.opened(place)
    place.slack.faults.stand("reactions.add", down())
    place.slack.faults.stand("reactions.remove", down())
    arrived, noted = await lead.say("We come at 9."), await lead.say("note: hm")
    await place.at_rest()
    place.thumbtack.faults.add("message", Fault(status=502))
    unknown = await lead.say("Or at 10.")
    await place.at_rest()
    assert [place.mark(ts) for ts in (arrived, noted, unknown)] == [[], [], []]
    place.slack.faults.clear()
    await place.advance(minutes=2)
    for ts, mark in ((arrived, CHECK), (noted, MEMO), (unknown, WARNING)):
        await lead.marked(ts, mark)


async def test_marks_do_not_wait_for_a_slow_channel(place: Office):
    await place.stop()
    await place.start(slack_posts_per_second=0.2)
    body = bodies.lead()
    await place.post("/v1/lead", body)
    (card,) = await place.seen(lambda: place.cards)  # its photos wait for the channel's pace
    lead = Conversation(place=place, lead_id=body["leadID"], ts=card["ts"])
    notes = await asyncio.gather(*(lead.say(f"note: {number}") for number in range(5)))
    await place.seen(lambda: len(place.slack.called("reactions.add")) == 5, within=3)
    await place.seen(lambda: [place.mark(ts) for ts in notes] == [[MEMO]] * 5, within=3)
    assert place.slack.called("chat.postMessage")[1:] == []  # what goes into the thread waits still
