"""What is asked before a reply goes out: a second writer, whatever is not answered for two minutes, and who may not."""

import asyncio
from typing import Any

import pytest
from support.choosing import choose
from support.conversation import ANA, BEN, CHECK, CROSS, HOURGLASS, MEMO, Conversation, calling
from support.office import CHANNEL, Office

from sandbox.faults import Fault
from sandbox.slack.failures import down, slow
from storage.models import Lead, LeadEvent

GUEST = "U0GUEST"
QUESTION = "@Ana has this lead"


async def owned(place: Office) -> Conversation:
    """A lead that Ana has and nobody answered yet."""
    lead = await Conversation.opened(place)
    await lead.press("lead_claim")
    await place.at_rest()
    return lead


def asked(lead: Conversation, by: str = BEN) -> list[str]:
    """What a person alone was asked in the thread about who has the lead."""
    return [one for one in lead.place.whispers(by) if QUESTION in one]


async def press_directly(place: Office, action_id: str, *, by: str = BEN) -> None:
    """Press a button in the newest direct message from the bot."""
    post = place.slack.direct_messages(by)[-1]
    channel = place.slack.workspace.direct_channel(by).channel_id
    assert (await place.slack.press(by, channel, post["ts"], action_id)).status == 200
    await place.at_rest()


async def test_a_second_writer_is_asked_before_the_text_goes_out(place: Office):
    lead = await owned(place)
    ts = await lead.say("We come at 9.", by=BEN)
    await lead.marked(ts, HOURGLASS)
    await place.at_rest()
    assert "Not sent yet: @Ana has this lead. Send it all the same?" in place.whispers(BEN)[-1]
    assert lead.received == []
    await lead.press("reply_send", by=BEN)
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9."]
    again = await lead.say("Bring the ladder.", by=BEN)
    await lead.press("reply_discard", by=BEN)
    await lead.marked(again, MEMO)
    mine = await lead.say("I bring the ladder.")
    await lead.marked(mine, CHECK)
    await place.advance(minutes=10)
    await place.at_rest()
    assert lead.received == ["We come at 9.", "I bring the ladder."]
    assert place.told(BEN) == place.told(ANA) == []  # everything was answered
    assert [row.owner for row in await place.rows(Lead)] == [ANA]


async def test_notes_and_what_nobody_has_are_not_asked_about(place: Office):
    lead = await owned(place)
    noted = await lead.say("note: is this yours?", by=BEN)
    await lead.marked(noted, MEMO)
    await lead.press("lead_release")
    ts = await lead.say("We come at 9.", by=BEN)
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert asked(lead) == []
    assert [row.owner for row in await place.rows(Lead)] == [BEN]


async def test_what_is_not_answered_for_two_minutes_is_asked_directly_and_answered_once(place: Office):
    lead = await owned(place)
    ts = await lead.say("We come at 9.", by=BEN)
    await lead.offered("reply_send", to=BEN)
    await place.advance(seconds=110)
    await place.at_rest()
    assert place.told(BEN) == []
    await place.stop()
    await place.start()
    await place.advance(seconds=15)
    await place.seen(lambda: place.told(BEN))
    (told,) = place.told(BEN)
    assert QUESTION in told
    assert "“We come at 9.”" in told
    assert f"p{ts.replace('.', '')}" in str(place.slack.direct_messages(BEN)[-1]["blocks"])
    await press_directly(place, "reply_send")
    await lead.marked(ts, CHECK)
    await lead.press("reply_send", by=BEN)  # the old question still stands in the thread
    await place.advance(minutes=10)
    await place.at_rest()
    assert lead.received == ["We come at 9."]
    assert "decided already" in place.whispers(BEN)[-1]
    assert len(place.told(BEN)) == 1


async def test_every_question_comes_directly_and_what_was_taken_back_does_not(place: Office):
    lead = await owned(place)
    await lead.say("Here is the plan.", files=["plan.pdf"])
    await lead.say("<@U0BEN> will come.")
    gone = await lead.say("We come at 9.", by=BEN)
    turned = await lead.say("We come at 10.", by=BEN)
    await place.at_rest()
    await lead.delete(gone)
    await lead.edit(turned, "note: who goes?")
    place.slack.faults.stand("chat.getPermalink", down())
    await place.advance(minutes=3)
    await place.seen(lambda: len(place.told(ANA)) == 2)
    await place.at_rest()
    assert ["Thumbtack takes text only" in told or "mentions somebody" in told for told in place.told(ANA)] == [
        True
    ] * 2
    assert all("About what you wrote in a lead's thread" in told for told in place.told(ANA))
    assert place.told(BEN) == []
    assert lead.received == []


async def test_a_question_that_was_answered_does_not_come_directly_though_the_next_one_does(place: Office):
    lead = await owned(place)
    dropped = await lead.say("<@U0ANA> will come.", by=BEN)
    await lead.press("reply_send", by=BEN)  # it is Ana's lead, too
    await place.seen(lambda: asked(lead))
    await lead.press("reply_discard", by=BEN)
    await lead.marked(dropped, MEMO)
    await lead.say("Here is the plan.", by=BEN, files=["plan.pdf"])
    await place.seen(lambda: "Thumbtack takes text only" in place.whispers(BEN)[-1])
    await lead.press("reply_send", by=BEN)
    await place.seen(lambda: asked(lead))  # those that were answered are gone
    await place.advance(minutes=3)
    await place.seen(lambda: place.told(BEN))
    await place.at_rest()
    (told,) = place.told(BEN)
    assert QUESTION in told
    assert lead.received == []


async def test_one_question_comes_directly_once_however_often_it_was_asked(place: Office):
    lead = await owned(place)
    ts = await lead.say("We come at 9.", by=BEN)
    for text in ("Call 512-555-0148.", "We come at 10.", "Call 512-555-0149."):
        await place.advance(seconds=30)
        await lead.edit(ts, text)
        await place.at_rest()
    await place.advance(minutes=3)
    await place.at_rest()
    asked = [one for one in place.told(BEN) if "512-555-0149" in one]
    assert len(asked) == len(place.told(BEN)) == 1


async def test_two_questions_come_one_after_the_other_and_a_double_press_answers_one(place: Office):
    lead = await owned(place)
    ts = await lead.say("Call me at (512) 555-0148.", by=BEN)
    first = await lead.offered("reply_send", to=BEN)
    place.slack.faults.stand("response_url", down())  # the first question stays as it is
    presses = [place.slack.press(BEN, CHANNEL, first, "reply_send") for _ in range(2)]
    assert [answer.status for answer in await asyncio.gather(*presses)] == [200, 200]
    await place.at_rest()
    assert lead.received == []
    about_number, about_owner = place.whispers(BEN)
    assert "it carries a phone number or an e-mail address" in about_number
    assert QUESTION in about_owner
    await place.advance(minutes=3)
    await place.seen(lambda: place.told(BEN))
    await place.at_rest()
    (told,) = place.told(BEN)  # about what is still open alone
    assert QUESTION in told
    await press_directly(place, "reply_send")
    await lead.marked(ts, CHECK)
    assert lead.received == ["Call me at (512) 555-0148."]


@pytest.mark.parametrize(("text", "files"), [("<@U0ANA> will come.", []), ("Here is the plan.", ["plan.pdf"])])
async def test_a_double_press_does_not_answer_whose_lead_it_is(place: Office, text: str, files: list[str]):
    lead = await owned(place)
    ts = await lead.say(text, by=BEN, files=files)
    first = await lead.offered("reply_send", to=BEN)
    place.slack.faults.stand("response_url", down())  # the first question stays as it is
    presses = [place.slack.press(BEN, CHANNEL, first, "reply_send") for _ in range(2)]
    assert [answer.status for answer in await asyncio.gather(*presses)] == [200, 200]
    await place.seen(lambda: asked(lead))
    await place.at_rest()
    assert lead.received == []
    await lead.press("reply_send", by=BEN)
    await lead.marked(ts, CHECK)


@pytest.mark.parametrize(
    ("text", "files"),
    [("x " * 9_000, []), ("Call me at 415-555-0142.", []), ("Call me at 415-555-0142.", ["plan.pdf"])],
)
async def test_what_was_refused_before_it_was_asked_about_is_asked_about_on_retry(
    place: Office, text: str, files: list[str]
):
    lead = await owned(place)
    await choose(place, contact_data="block")
    ts = await lead.say(text, by=BEN, files=files)
    if files:
        await lead.press("reply_send", by=BEN)
    await lead.marked(ts, CROSS)
    await lead.edit(ts, "We come at 9.")
    await lead.press("reply_retry", by=BEN)
    await place.seen(lambda: asked(lead))
    await place.at_rest()
    assert lead.received == []
    await lead.press("reply_send", by=BEN)
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9."]


async def test_a_first_answer_that_was_too_long_at_first_claims_too(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("x " * 9_000, by=BEN)
    await lead.marked(ts, CROSS)
    await lead.edit(ts, "We come at 9.")
    await lead.press("reply_retry", by=BEN)
    await lead.marked(ts, CHECK)
    assert [row.owner for row in await place.rows(Lead)] == [BEN]


@pytest.mark.parametrize("then", ["nobody", "themselves"])
async def test_the_direct_question_does_not_say_what_is_not_so_any_more(place: Office, then: str):
    lead = await owned(place)
    await lead.say("We come at 9.", by=BEN)
    await lead.offered("reply_send", to=BEN)
    await lead.press("lead_release")
    await place.at_rest()
    if then == "themselves":
        await lead.press("lead_claim", by=BEN)
    await place.advance(minutes=3)
    await place.seen(lambda: place.told(BEN))
    assert "somebody else had this lead when you wrote it. Send it now?" in place.told(BEN)[0]


async def test_the_window_says_who_has_the_lead_also_where_that_changed_meanwhile(place: Office):
    lead = await Conversation.opened(place)
    await lead.press("reply_open", by=BEN)
    assert "has this lead" not in place.read(place.window(BEN) or {})
    await lead.press("lead_claim", by=ANA)
    await place.submit({"text": "We come at 9."}, user=BEN)
    await place.at_rest()
    window = place.window(BEN) or {}
    assert "@Ana has this lead." in place.read(window)
    assert window["submit"]["text"] == "Send anyway"
    assert lead.received == []
    await place.submit({"text": "We come at 9."}, user=BEN)
    await place.seen(lambda: lead.received)
    await lead.press("reply_open", by=BEN)
    assert "@Ana has this lead." in place.read(place.window(BEN) or {})
    await place.submit({"text": "Or at 10."}, user=BEN)  # it said so from the beginning
    await place.seen(lambda: len(lead.received) == 2)
    assert lead.received == ["We come at 9.", "Or at 10."]


@pytest.mark.knobs(privacy="private")
async def test_of_a_private_business_the_direct_question_quotes_nothing(place: Office):
    lead = await owned(place)
    await lead.say("About your divorce: Tuesday.", by=BEN)
    await lead.offered("reply_send", to=BEN)
    await place.advance(minutes=3)
    await place.seen(lambda: place.told(BEN))
    assert QUESTION in place.told(BEN)[0]
    assert "divorce" not in str(place.slack.direct_messages(BEN))


async def guest(place: Office, **role: Any) -> None:
    """Gus, who is in the channel and no member of the workspace."""
    place.slack.add_person(GUEST, "Gus", channels=[CHANNEL], **(role or {"is_restricted": True}))


@pytest.mark.parametrize("role", [{"is_restricted": True}, {"is_ultra_restricted": True}, {"team_id": "T0OTHER"}])
async def test_what_an_outsider_writes_never_reaches_the_customer(place: Office, role: dict[str, Any]):
    await guest(place, **role)
    lead = await Conversation.opened(place)
    first = await lead.say("I can do it cheaper.", by=GUEST)
    await lead.marked(first, MEMO)
    await place.at_rest()
    (told,) = place.whispers(GUEST)
    assert "Guests and people of other companies" in told
    assert "I can do it cheaper." in told  # to copy
    second = await lead.say("Call me.", by=GUEST)  # now it is known who they are
    await lead.marked(second, MEMO)
    marks = [call.args["name"] for call in place.slack.called("reactions.add") if call.args["timestamp"] == second]
    assert marks == [MEMO]  # it did not even wait
    await place.advance(minutes=60)
    await place.at_rest()
    assert lead.received == []
    assert [row.owner for row in await place.rows(Lead)] == [None]
    assert "answered" not in [event.kind for event in await place.rows(LeadEvent)]


@pytest.mark.knobs(slack_keepers=GUEST)
async def test_an_outsider_who_is_allowed_answers_like_anybody(place: Office):
    await guest(place)
    lead = await Conversation.opened(place)
    for text in ("We come at 9.", "Or at 10."):
        ts = await lead.say(text, by=GUEST)
        await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9.", "Or at 10."]


async def test_while_slack_does_not_say_who_somebody_is_their_reply_waits(place: Office):
    await guest(place)
    lead, other = await Conversation.opened(place), await Conversation.opened(place)
    place.slack.faults.stand("users.info", down())
    ts, inside = await lead.say("We come at 9."), await other.say("I can do it cheaper.", by=GUEST)
    await lead.held(ts)
    place.slack.faults.clear()
    await place.advance(minutes=2)
    await lead.marked(ts, CHECK)
    await other.marked(inside, MEMO)
    assert (lead.received, other.received) == (["We come at 9."], [])


async def test_an_outsider_does_not_press_what_others_are_offered(place: Office):
    await guest(place)
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=400))
    await lead.say("We come at 9.")
    post = await lead.offered("reply_retry")
    await place.slack.press(GUEST, CHANNEL, post, "reply_retry")
    await place.at_rest()
    assert lead.received == []
    assert "Guests and people of other companies" in place.whispers(GUEST)[-1]
    await lead.press("reply_retry", by=BEN)
    await place.seen(lambda: lead.received == ["We come at 9."])


async def test_who_became_an_outsider_is_told_so_in_the_window(place: Office):
    lead = await Conversation.opened(place)
    await lead.press("reply_open", by=BEN)
    place.slack.add_person(BEN, "Ben", channels=[CHANNEL], is_restricted=True)
    await place.advance(minutes=5)
    told = await place.submit({"text": "I can do it cheaper."}, user=BEN)
    assert "Guests and people of other companies" in told["reply"]
    await place.at_rest()
    assert lead.received == []
    assert not any("replied with the button" in place.read(line) for line in lead.lines)
    assert [row.owner for row in await place.rows(Lead)] == [None]


async def test_what_an_outsider_deletes_while_it_is_looked_at_is_forgotten(place: Office):
    await guest(place)
    lead = await Conversation.opened(place)
    looked = calling(place.slack.faults, "users.info")
    place.slack.faults.stand("users.info", slow(0.5))
    ts = await lead.say("I can do it cheaper.", by=GUEST)
    await asyncio.wait_for(looked.wait(), 5)
    await lead.delete(ts)
    await place.at_rest()
    message = await lead.message(ts)
    assert (message.state, message.text, lead.received) == ("cancelled", None, [])
