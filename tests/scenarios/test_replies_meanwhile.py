"""Edits, deletions and presses while a reply is being sent, or at the moment in which it is about to be."""

import pytest
from support.conversation import CHECK, HOURGLASS, MEMO, WARNING, Conversation
from support.office import Office

from bot import replies
from bot.reply_rules import Desk
from sandbox.faults import Fault
from storage import messages
from storage.models import Outbox, ReplyState

pytestmark = pytest.mark.knobs(reply_hold_seconds=15)

TOO_LATE = "This already went out: the customer has the old text"
TOO_LATE_TO_DELETE = "This already went out: the customer still has it"


async def test_an_edit_while_it_is_sent_is_too_late_if_it_arrives(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.being_sent("We come at 9.", Fault(delay=0.3), after=16)
    await lead.edit(ts, "We come at 10.")
    await place.seen(lambda: [told for told in lead.prompts() if TOO_LATE in told])
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9."]


async def test_a_deletion_while_it_is_sent_is_too_late_if_it_arrives(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.being_sent("We come at 9.", Fault(delay=0.3), after=16)
    await lead.delete(ts)
    await place.seen(lambda: [told for told in lead.prompts() if TOO_LATE_TO_DELETE in told])
    assert lead.received == ["We come at 9."]


async def test_a_deletion_while_it_is_sent_counts_if_thumbtack_did_not_take_it(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.being_sent("We come at 9.", Fault(status=503, delay=0.3), after=16)
    await lead.delete(ts)
    await place.at_rest()
    await place.advance(minutes=2)
    await place.at_rest()
    assert lead.received == []
    assert (await lead.message(ts)).state == ReplyState.CANCELLED
    assert len(lead.prompts()) == 1


async def test_an_edit_into_a_note_while_it_is_sent_counts_if_thumbtack_did_not_take_it(place: Office):
    lead = await Conversation.opened(place)
    for status in (503, 400):
        ts = await lead.being_sent("He is difficult.", Fault(status=status, delay=0.3), after=16)
        await lead.edit(ts, "note: He is difficult.")
        await lead.marked(ts, MEMO)
        await place.advance(minutes=2)
        await place.at_rest()
    assert lead.received == []


async def test_an_edit_while_it_is_sent_goes_out_with_the_next_try(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.being_sent("We come at 9.", Fault(status=503, delay=0.3), after=16)
    await lead.edit(ts, "We come at 10.")
    await place.at_rest()
    await place.advance(minutes=2)
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 10."]
    assert len(lead.prompts()) == 1


async def test_a_reply_whose_outcome_is_unknown_is_not_sent_as_a_note(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.being_sent("He is difficult.", Fault(lose_answer=True), after=16)
    await lead.marked(ts, WARNING)
    await lead.edit(ts, "note: He is difficult.")
    await lead.press("reply_send_again")
    await place.at_rest()
    assert lead.received == ["He is difficult."]  # the first time it did arrive
    assert place.mark(ts) == [WARNING]
    assert lead.is_offered("reply_arrived")
    assert "It is a note to the team" in lead.prompts()[-1]


@pytest.mark.parametrize("decision", ["keep", "edit", "delete"])
async def test_what_a_person_decided_before_the_dispatcher_looked_counts(place: Office, decision, capfd):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, HOURGLASS)
    await place.at_rest()
    message_id = (await lead.message(ts)).id
    settings = place.door.app.state.services.settings
    async with place.database.transaction() as tx:  # a listener that has not committed yet
        message = await messages.to_change(tx, message_id)
        await place.advance(seconds=16)  # the dispatcher claims its entry, and must wait for us
        await place.until_somebody_waits()
        desk = Desk(tx=tx, settings=settings, now=place.clock())
        if decision == "keep":
            await replies.withdraw(desk, message, ReplyState.KEPT)
        elif decision == "delete":
            await replies.withdraw(desk, message, ReplyState.CANCELLED)
        else:
            message.text, message.blocks = "We come at 10.", []
    await place.advance(seconds=1)
    await place.at_rest()
    assert lead.received == (["We come at 10."] if decision == "edit" else [])
    assert not [entry for entry in await place.rows(Outbox) if entry.settled_at is None]
    logged = "".join(capfd.readouterr())
    assert "not_prepared" not in logged  # nobody was the victim of a deadlock
    assert "failed" not in logged


async def test_a_note_is_not_sent_whatever_led_there(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("He is difficult.")
    await lead.marked(ts, HOURGLASS)
    async with place.database.transaction() as tx:  # by no way that we know of
        message = await messages.to_change(tx, (await lead.message(ts)).id)
        message.text, message.blocks = "note: He is difficult.", []
    await place.advance(seconds=16)
    await lead.marked(ts, MEMO)
    assert lead.received == []


async def test_what_a_person_decides_once_it_is_being_sent_comes_too_late(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.being_sent("We come at 9.", Fault(delay=0.3), after=16)
    await lead.press("reply_keep")
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert lead.received == ["We come at 9."]
    assert "This was decided already" in lead.prompts()[-1]
