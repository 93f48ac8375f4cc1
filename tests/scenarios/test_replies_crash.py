"""Replies when the bot ends: what is under way is finished or said to be unknown, and nothing is sent twice."""

import asyncio

import pytest
from support.conversation import CHECK, CROSS, HOURGLASS, WARNING, Conversation
from support.office import Office

from sandbox.faults import Fault
from storage.models import Outbox


def _when_asked(place: Office) -> asyncio.Event:
    """Set once Thumbtack has a reply in its hands."""
    asked, faults = asyncio.Event(), place.thumbtack.faults
    take = faults.take

    def tell(target: str) -> Fault | None:
        asked.set()
        return take(target)

    faults.take = tell  # type: ignore[method-assign]  # listening in
    return asked


async def _in_flight(lead: Conversation, fault: Fault) -> str:
    asked = _when_asked(lead.place)
    lead.place.thumbtack.faults.add("message", fault)
    ts = await lead.say("We come at 9.")
    async with asyncio.timeout(5):
        await asked.wait()
    return ts


async def test_an_orderly_end_finishes_what_is_being_sent(place: Office):
    lead = await Conversation.opened(place)
    ts = await _in_flight(lead, Fault(delay=0.3))
    await place.stop()
    assert lead.received == ["We come at 9."]
    await place.start()
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert lead.received == ["We come at 9."]


@pytest.mark.parametrize("fault", [Fault(delay=5), Fault(status=503, delay=5)], ids=["it arrived", "it did not"])
async def test_a_crash_while_sending_is_said_and_never_sent_again_by_itself(place: Office, fault: Fault):
    lead = await Conversation.opened(place)
    ts = await _in_flight(lead, fault)
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


async def test_a_deletion_and_a_crash_while_sending_send_nothing(place: Office):
    lead = await Conversation.opened(place)
    ts = await _in_flight(lead, Fault(status=503, delay=5))
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
    await place.advance(minutes=2)  # on PostgreSQL a mark that was cut off is seen to once its claim has run out
    await lead.marked(sent, CHECK)
    assert lead.received == ["But this."]


async def test_a_crash_between_the_two_halves_of_a_mark_leaves_one(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=400))
    removing, taken = asyncio.Event(), place.slack.faults.take

    def tell(method: str) -> Fault | None:
        if method == "reactions.remove":
            removing.set()
        return taken(method)

    place.slack.faults.take = tell  # type: ignore[method-assign]  # listening in
    place.slack.faults.stand("reactions.remove", Fault(cut=True, delay=5))
    ts = await lead.say("We come at 9.")
    async with asyncio.timeout(5):
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
