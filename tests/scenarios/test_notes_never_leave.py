"""Whatever could be meant as a note to the team never goes out, by whichever way it comes."""

import pytest
from support.choosing import choose
from support.conversation import ANA, BEN, CHECK, MEMO, Conversation
from support.notes_meant import examples
from support.office import CHANNEL, Office

from storage.models import ReplyState

INSIDE = {ReplyState.KEPT, ReplyState.CHOICE, ReplyState.REFUSED}
WAYS = (
    {},
    {"broadcast": True},
    {"files": ["door.jpg"]},
    {"me": True},
    {"files": ["door.jpg"], "broadcast": True},
)
WRITTEN = (
    "note: he sounds difficult",
    "NOTE : charge him more",
    "ｎｏｔｅ： ask Ben",
    "📝 note: ask Ben",
    ":memo: *Note* – ask Ben",
    "• [note] ask Ben",
    "1. // ask Ben",
    "> note: ask Ben",
    "> You said Tuesday?\nnote: not with him",
    "We come at 9.\n\n- note: charge him more",
    "ntoe: he sounds difficult",
    "Note to self: charge him more",
    "internal: ask Ben",
    "nóte: ask Ben",
    "note: <@U0BEN> look at this",
    "<@U0BEN> note: look at this",
)


async def states(place: Office, lead: Conversation, sent: list[str]) -> set[ReplyState | None]:
    """What became of these messages, once everything that is due in the next minutes was said too."""
    await place.at_rest()
    await place.advance(minutes=3)
    await place.at_rest()
    return {(await lead.message(ts)).state for ts in sent}


async def test_not_as_it_is_written_nor_also_sent_to_the_channel_nor_with_a_file_nor_as_me(place: Office):
    lead = await Conversation.opened(place)
    texts = [*WRITTEN, *examples(40)]
    sent = [await lead.say(text, **WAYS[number % len(WAYS)]) for number, text in enumerate(texts)]
    assert await states(place, lead, sent) <= INSIDE
    assert lead.received == []
    await lead.marked(await lead.say("We come at 9."), CHECK)  # what is no note still does


@pytest.mark.knobs(reply_hold_seconds=15)
async def test_nor_by_an_edit_before_it_went_out(place: Office):
    lead = await Conversation.opened(place)
    texts = [*WRITTEN, *examples(20)]
    sent = [await lead.say(f"We come at {number}.") for number, _ in enumerate(texts)]
    for ts, text in zip(sent, texts, strict=True):
        await lead.edit(ts, text)
    assert await states(place, lead, sent) <= INSIDE
    assert lead.received == []


async def test_nor_by_a_button_that_was_offered_before_it_was_edited_into_one(place: Office):
    lead = await Conversation.opened(place)
    asked = {
        "Ask <@U0BEN> please": "reply_send",
        "👍": "reply_send",
        "Call 212-555-0123": "contact_ok",
        "internal: x": "reply_send",
    }
    for number, (words, action_id) in enumerate(asked.items()):
        ts = await lead.say(words)
        prompt = await lead.offered(action_id)
        await lead.edit(ts, WRITTEN[number])
        assert (await place.slack.press(ANA, CHANNEL, prompt, action_id)).ok
        await lead.marked(ts, MEMO)
        await place.at_rest()  # the button is gone
    await place.at_rest()
    assert lead.received == []


async def test_nor_when_the_news_of_it_come_late_and_out_of_order(place: Office):
    lead = await Conversation.opened(place)
    said = {}
    for text in WRITTEN:
        (answer,) = await lead.unheard(lambda: lead.said("We come at 9.", by=BEN))
        (changed,) = await lead.unheard(
            lambda ts=answer.ts, text=text: place.slack.edit(CHANNEL, ts, text)  # type: ignore[misc]  # it was written
        )
        await lead.brought(changed, answer)
        said[answer.ts] = text
    assert await states(place, lead, list(said)) <= INSIDE
    assert lead.received == []


async def test_nor_in_a_quiet_channel_behind_the_word_that_sends(place: Office):
    lead = await Conversation.opened(place)
    await choose(place, reply_mode="quiet")
    texts = [*WRITTEN, *examples(10)]
    sent = [await lead.say(f"{'SEND' if number % 2 else 'send'}: {text}") for number, text in enumerate(texts)]
    sent += [await lead.say(text, **WAYS[number % len(WAYS)]) for number, text in enumerate(WRITTEN)]
    assert await states(place, lead, sent) <= INSIDE
    assert lead.received == []
    await lead.marked(await lead.say("send: We come at 9."), CHECK)
