"""Replies when the bot ends: what is under way is finished or said to be unknown, and nothing is sent twice."""

import asyncio

import pytest
from support.conversation import CHECK, CROSS, HOURGLASS, WARNING, Conversation, calling
from support.office import Office

from sandbox.faults import Fault
from storage.models import Message, Outbox, ReplyState


async def test_an_orderly_end_finishes_what_is_being_sent(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.being_sent("We come at 9.", Fault(delay=0.3))
    await place.stop()
    assert lead.received == ["We come at 9."]
    await place.start()
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert lead.received == ["We come at 9."]


@pytest.mark.parametrize("fault", [Fault(delay=5), Fault(status=503, delay=5)], ids=["it arrived", "it did not"])
async def test_a_crash_while_sending_is_said_and_never_sent_again_by_itself(place: Office, fault: Fault):
    lead = await Conversation.opened(place)
    ts = await lead.being_sent("We come at 9.", fault)
    arrived = list(lead.received)
    await place.crash()
    await place.start()
    await place.advance(minutes=2)  # on PostgreSQL another replica takes over once the claim has run out
    await lead.marked(ts, WARNING)
    await lead.offered("reply_send_again")
    await place.advance(hours=1)
    await place.at_rest()
    assert lead.received == arrived
    assert place.mark(ts) == [WARNING]
    place.thumbtack.faults.clear()
    await lead.press("reply_send_again")
    await lead.marked(ts, CHECK)
    assert lead.received == [*arrived, "We come at 9."]


EDITED = "We come at 10."
MEANWHILE = {"nothing": ["We come at 9."], "an edit": [EDITED], "a deletion": []}


@pytest.mark.parametrize(("meanwhile", "received"), MEANWHILE.items(), ids=MEANWHILE)
async def test_a_crash_before_it_was_handed_over_is_no_doubt(place: Office, meanwhile: str, received: list[str]):
    lead = await Conversation.opened(place)
    asked = calling(place.slack.faults, "users.info")
    place.slack.faults.add("users.info", Fault(delay=5))  # who wrote it: looked up after the claim, before the call
    ts = await lead.say("We come at 9.")
    async with asyncio.timeout(5):
        await asked.wait()
    if meanwhile == "an edit":
        await lead.edit(ts, EDITED)
    elif meanwhile == "a deletion":
        await lead.delete(ts)
    await place.crash()
    await place.start()
    await place.advance(minutes=2)
    await place.at_rest()
    assert lead.received == received
    assert place.mark(ts) == [CHECK] * bool(received)


async def test_who_slept_before_it_was_handed_over_does_not_send_it_too(place: Office):
    lead = await Conversation.opened(place)
    asked = calling(place.slack.faults, "users.info")
    place.slack.faults.add("users.info", Fault(delay=0.5))
    place.slack.faults.add("users.info", Fault(delay=1.0))  # who takes over has not handed it over by then either
    ts = await lead.say("We come at 9.")
    async with asyncio.timeout(5):
        await asked.wait()
    await place.advance(minutes=2)  # the machine slept: who wakes first takes the claim for that of a dead process
    await lead.marked(ts, CHECK)
    await place.stop()  # by then the first has its answer of Slack
    assert lead.received == ["We come at 9."]


@pytest.mark.parametrize("fault", [Fault(delay=0.5), Fault(status=503, delay=0.5)], ids=["it arrived", "it did not"])
async def test_an_answer_that_comes_after_the_claim_ran_out_changes_nothing(place: Office, fault: Fault):
    lead = await Conversation.opened(place)
    ts = await lead.being_sent("We come at 9.", fault)
    await place.advance(minutes=2)  # the machine slept; who wakes first does not know of the call under way
    await lead.marked(ts, WARNING)
    arrived = list(lead.received)
    await place.stop()  # by then the answer is there
    await place.start()
    await place.advance(hours=1)
    await place.at_rest()
    assert (place.mark(ts), lead.received) == ([WARNING], arrived)
    assert (await lead.message(ts)).state == ReplyState.UNKNOWN
    await lead.press("reply_send_again")
    await lead.marked(ts, CHECK)


async def test_a_deletion_and_a_crash_while_sending_send_nothing(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.being_sent("We come at 9.", Fault(status=503, delay=5))
    await lead.delete(ts)
    await place.crash()
    await place.start()
    await place.advance(minutes=2)
    await place.at_rest()
    assert lead.received == []


@pytest.mark.knobs(reply_hold_seconds=15)
async def test_what_is_held_is_held_over_an_end(place: Office):
    lead = await Conversation.opened(place)
    kept, sent = await lead.say("Not this."), await lead.say("But this.")
    await lead.marked(sent, HOURGLASS)
    await place.crash()
    await place.start()
    await lead.delete(kept)
    await place.advance(seconds=16)
    await place.thumbtack.wait_until(lambda: lead.received == ["But this."])
    async with asyncio.timeout(60):
        while ReplyState.DELIVERED not in [one.state for one in await place.rows(Message)]:
            continue  # until the answer is written down: the claim would run out
    await place.advance(minutes=2)  # on PostgreSQL a mark that was cut off is seen to once its claim has run out
    await lead.marked(sent, CHECK)
    assert lead.received == ["But this."]


async def test_a_crash_between_the_two_halves_of_a_mark_leaves_one(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=400))
    removing = calling(place.slack.faults, "reactions.remove")
    place.slack.faults.stand("reactions.remove", Fault(cut=True, delay=5))
    ts = await lead.say("We come at 9.")
    async with asyncio.timeout(60):
        await removing.wait()
    assert place.mark(ts) == [HOURGLASS, CROSS]
    await place.crash()
    place.slack.faults.clear()
    await place.start()
    await lead.offered("reply_retry")
    await lead.press("reply_retry")  # by the time the mark is set right, it is another one
    await place.advance(minutes=2)
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert place.mark(ts) == [CHECK]
    assert not [entry for entry in await place.rows(Outbox) if entry.settled_at is None]
