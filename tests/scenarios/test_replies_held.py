"""The hold window: until it closes a reply can be changed, taken back, kept inside or hurried; afterwards it is too late."""

import asyncio

import pytest
from support.conversation import ANA, BEN, CHECK, CROSS, HOURGLASS, MEMO, WARNING, Conversation
from support.office import CHANNEL, Office

from bot import replies
from bot.replies import Desk
from sandbox.faults import Fault
from sandbox.slack.failures import down
from sandbox.thumbtack import bodies
from storage import messages
from storage.models import Outbox, ReplyState

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
    first = await lead.say("First.", by=BEN)
    second = await lead.say("Second.")
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


# Slack tells late, twice, and in any order


async def _unheard(lead: Conversation, *deeds):
    """What people do while the bot hears nothing; what Slack would have told it, to be brought later."""
    slack = lead.place.slack
    slack.events_url, url = None, slack.events_url
    told = [await deed() for deed in deeds]
    slack.events_url = url
    return told


async def _brought(lead: Conversation, *told):
    for answer in told:
        assert (await lead.place.slack.redeliver(answer)).status == 200


async def test_an_edit_that_comes_before_its_message_is_what_goes_out(place: Office):
    lead = await Conversation.opened(place)
    (said,) = await _unheard(lead, lambda: lead.said("We come at 9."))
    (edited,) = await _unheard(lead, lambda: place.slack.edit(CHANNEL, said.ts, "We come at 10."))
    await _brought(lead, edited, said, edited, said)
    await lead.marked(said.ts, HOURGLASS)
    await place.advance(seconds=16)
    await lead.marked(said.ts, CHECK)
    assert lead.received == ["We come at 10."]


async def test_an_edit_into_a_note_that_comes_before_its_message_keeps_it_inside(place: Office):
    lead = await Conversation.opened(place)
    (said,) = await _unheard(lead, lambda: lead.said("He is difficult."))
    (edited,) = await _unheard(lead, lambda: place.slack.edit(CHANNEL, said.ts, "note: He is difficult."))
    await _brought(lead, edited, said)
    await lead.marked(said.ts, MEMO)
    await place.advance(seconds=16)
    await place.at_rest()
    assert lead.received == []


async def test_an_older_edit_that_comes_late_changes_nothing(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    (older,) = await _unheard(lead, lambda: place.slack.edit(CHANNEL, ts, "We come at 10."))
    await lead.edit(ts, "We come at 11.")
    await _brought(lead, older)
    await place.advance(seconds=16)
    await lead.marked(ts, CHECK)
    await _brought(lead, older)
    await place.at_rest()
    assert lead.received == ["We come at 11."]
    assert len(lead.prompts()) == 1


async def test_a_deletion_that_comes_before_its_message_cancels_it(place: Office):
    lead = await Conversation.opened(place)
    (said,) = await _unheard(lead, lambda: lead.said("We come at 9."))
    (edited,) = await _unheard(lead, lambda: place.slack.edit(CHANNEL, said.ts, "We come at 10."))
    (deleted,) = await _unheard(lead, lambda: place.slack.delete(CHANNEL, said.ts))
    await _brought(lead, deleted, said, edited, deleted)
    await place.advance(seconds=16)
    await place.at_rest()
    assert lead.received == []
    row = await lead.message(said.ts)
    assert (row.state, row.text) == (ReplyState.CANCELLED, None)
    assert lead.prompts() == []


async def test_a_preview_that_comes_before_its_message_is_not_taken_for_it(place: Office):
    lead = await Conversation.opened(place)
    (said,) = await _unheard(lead, lambda: lead.said("See https://www.example.com/"))
    (unfurled,) = await _unheard(lead, lambda: place.slack.unfurl(CHANNEL, said.ts))
    await _brought(lead, unfurled)
    await place.at_rest()
    assert place.mark(said.ts) == []
    await _brought(lead, said)
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


# While it is being sent


async def _being_sent(lead: Conversation, words: str, fault: Fault) -> str:
    """A reply whose call out is under way."""
    taken = asyncio.Event()
    faults = lead.place.thumbtack.faults
    faults.add("message", fault)
    take = faults.take

    def tell(target: str) -> Fault | None:
        taken.set()
        return take(target)

    faults.take = tell
    ts = await lead.say(words)
    await lead.offered("reply_keep")
    await lead.place.advance(seconds=16)
    async with asyncio.timeout(5):
        await taken.wait()
    return ts


async def test_an_edit_while_it_is_sent_is_too_late_if_it_arrives(place: Office):
    lead = await Conversation.opened(place)
    ts = await _being_sent(lead, "We come at 9.", Fault(delay=0.3))
    await lead.edit(ts, "We come at 10.")
    await place.seen(lambda: [told for told in lead.prompts() if TOO_LATE in told])
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9."]


async def test_a_deletion_while_it_is_sent_is_too_late_if_it_arrives(place: Office):
    lead = await Conversation.opened(place)
    ts = await _being_sent(lead, "We come at 9.", Fault(delay=0.3))
    await lead.delete(ts)
    await place.seen(lambda: [told for told in lead.prompts() if TOO_LATE_TO_DELETE in told])
    assert lead.received == ["We come at 9."]


async def test_a_deletion_while_it_is_sent_counts_if_thumbtack_did_not_take_it(place: Office):
    lead = await Conversation.opened(place)
    ts = await _being_sent(lead, "We come at 9.", Fault(status=503, delay=0.3))
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
        ts = await _being_sent(lead, "He is difficult.", Fault(status=status, delay=0.3))
        await lead.edit(ts, "note: He is difficult.")
        await lead.marked(ts, MEMO)
        await place.advance(minutes=2)
        await place.at_rest()
    assert lead.received == []


async def test_an_edit_while_it_is_sent_goes_out_with_the_next_try(place: Office):
    lead = await Conversation.opened(place)
    ts = await _being_sent(lead, "We come at 9.", Fault(status=503, delay=0.3))
    await lead.edit(ts, "We come at 10.")
    await place.at_rest()
    await place.advance(minutes=2)
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 10."]
    assert len(lead.prompts()) == 1


async def test_a_reply_whose_outcome_is_unknown_is_not_sent_as_a_note(place: Office):
    lead = await Conversation.opened(place)
    ts = await _being_sent(lead, "He is difficult.", Fault(lose_answer=True))
    await lead.marked(ts, WARNING)
    await lead.edit(ts, "note: He is difficult.")
    await lead.press("reply_send_again")
    await place.at_rest()
    assert lead.received == ["He is difficult."]  # the first time it did arrive
    assert place.mark(ts) == [WARNING]
    assert lead.is_offered("reply_arrived")
    assert "It is a note to the team" in lead.prompts()[-1]


# People and the dispatcher at the same moment: who is first is decided by the message's row


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
    ts = await _being_sent(lead, "We come at 9.", Fault(delay=0.3))
    await lead.press("reply_keep")
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert lead.received == ["We come at 9."]
    assert "This was decided already" in lead.prompts()[-1]


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
