"""Buttons about replies: pressed twice, by two people, too late, or with values that are not ours."""

import asyncio

import pytest
from support.conversation import ANA, BEN, CHECK, CROSS, HOURGLASS, MEMO, WARNING, Conversation
from support.office import CHANNEL, Office

from sandbox.faults import Fault
from sandbox.slack.delivery import interaction_delivery
from sandbox.slack.failures import down, slow
from storage.models import Lead, LeadEvent, Message

DECIDED = "This was decided already"


async def _interact(place: Office, action_id: str, value: str | None, *, team: str = "T0CORKBOARD", by: str = ANA):
    """A press as Slack tells it, of a button that need not stand anywhere."""
    url = place.slack.workspace.new_response_url(by, CHANNEL)
    payload = {
        "type": "block_actions",
        "user": {"id": by, "team_id": team},
        "team": {"id": team},
        "channel": {"id": CHANNEL},
        "trigger_id": "1.1",
        "response_url": f"{place.slack.base_url}/slack/response/{url}",
        "actions": [{"type": "button", "action_id": action_id, "block_id": "b", "value": value}],
    }
    return await place.slack.courier.once(interaction_delivery(payload))


async def test_pressed_by_two_people_at_once_it_has_one_effect_and_both_are_told(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=502))
    ts = await lead.say("We come at 9.")
    post = await lead.offered("reply_send_again")
    presses = [place.slack.press(by, CHANNEL, post, "reply_send_again") for by in (ANA, BEN)]
    assert [answer.status for answer in await asyncio.gather(*presses)] == [200, 200]
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert lead.received == ["We come at 9."]
    told = [call.args["text"] for call in place.slack.called("response_url")]
    assert sorted(text.partition(".")[0] for text in told) == ["Sending it again", DECIDED]


async def test_of_two_choices_the_first_counts(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=502))
    ts = await lead.say("We come at 9.")
    post = await lead.offered("reply_arrived")
    place.slack.faults.stand("response_url", down())  # the buttons stay
    assert (await place.slack.press(BEN, CHANNEL, post, "reply_arrived")).status == 200
    assert (await place.slack.press(ANA, CHANNEL, post, "reply_send_again")).status == 200
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert lead.received == []
    assert [event.kind for event in await place.rows(LeadEvent)].count("answered") == 1


@pytest.mark.knobs(reply_hold_seconds=15)
async def test_on_an_old_state_nothing_happens_and_a_sentence_says_so(place: Office):
    lead = await Conversation.opened(place)
    place.slack.faults.stand("response_url", down())
    kept = await lead.say("We come at 9.")
    prompt = await lead.offered("reply_send_now")
    await lead.press("reply_keep")
    await place.slack.press(ANA, CHANNEL, prompt, "reply_send_now")
    await place.slack.press(ANA, CHANNEL, prompt, "reply_keep")
    await lead.marked(kept, MEMO)
    sent = await lead.say("We come at 10.")
    prompt = await place.seen(lambda: (now := lead._with("reply_keep", ANA)) != prompt and now)
    await place.advance(seconds=16)
    await lead.marked(sent, CHECK)
    for action_id in ("reply_keep", "reply_send_now"):
        assert (await place.slack.press(ANA, CHANNEL, prompt, action_id)).status == 200
    place.slack.faults.clear()
    await place.at_rest()
    assert lead.received == ["We come at 10."]
    assert (place.mark(kept), place.mark(sent)) == ([MEMO], [CHECK])


async def test_a_cancelled_file_is_not_sent_by_the_same_prompt(place: Office):
    lead = await Conversation.opened(place)
    place.slack.faults.stand("response_url", down())
    ts = await lead.say("Here is the plan.", files=["plan.pdf"])
    prompt = await lead.offered("reply_discard")
    await lead.press("reply_discard")
    assert (await place.slack.press(ANA, CHANNEL, prompt, "reply_send")).status == 200
    await lead.marked(ts, MEMO)
    await place.at_rest()
    assert lead.received == []


async def test_each_button_in_each_state_that_is_not_its_own_does_nothing(place: Office):
    lead = await Conversation.opened(place)
    made = {}
    for name, status in (("delivered", None), ("refused", 400), ("unknown", 502)):
        if status:
            place.thumbtack.faults.add("message", Fault(status=status))
        ts = await lead.say(f"{name}.")
        await place.at_rest()
        made[name] = ((await lead.message(ts)).id, ts, place.mark(ts))
    noted = await lead.say("note: hm")
    await place.at_rest()
    made["noted"] = ((await lead.message(noted)).id, noted, [MEMO])
    received = list(lead.received)
    foreign = {
        "delivered": ["send_now", "keep", "discard", "send", "retry", "arrived", "send_again"],
        "refused": ["send_now", "keep", "discard", "send", "arrived", "send_again"],
        "unknown": ["send_now", "keep", "discard", "send", "retry"],
        "noted": ["send_now", "keep", "discard", "send", "retry", "arrived", "send_again"],
    }
    for name, buttons in foreign.items():
        for button in buttons:
            assert (await _interact(place, f"reply_{button}", str(made[name][0]))).status == 200
    await place.at_rest()
    assert lead.received == received == ["delivered."]
    assert {name: place.mark(ts) for name, (_, ts, _) in made.items()} == {
        "delivered": [CHECK],
        "refused": [CROSS],
        "unknown": [WARNING],
        "noted": [MEMO],
    }
    assert all(call.args["text"].startswith(DECIDED) for call in place.slack.called("response_url"))


async def test_values_that_are_not_ours_are_never_an_error(place: Office):
    await Conversation.opened(place)
    for value in (None, "", "x", "-1", "999999", "9" * 40, "1 OR 1=1", "²", "\x00"):
        for action_id in ("reply_retry", "reply_send", "reply_open", "lead_open", "lead_pages"):
            assert (await _interact(place, action_id, value)).status == 200, (action_id, value)
    await place.at_rest()
    told = {call.args["text"] for call in place.slack.called("response_url")}
    assert {text.partition(".")[0] for text in told} == {DECIDED, "This thread's lead is not known here"}


@pytest.mark.knobs(reply_hold_seconds=15)
async def test_a_button_of_another_workspace_does_nothing(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await lead.offered("reply_send_now")
    message_id = str((await lead.message(ts)).id)
    assert (await _interact(place, "reply_send_now", message_id, team="T0OTHER")).status == 200
    await place.at_rest()
    await place.stop()
    place.slack.faults.add("auth.test", slow(0.3))
    await place.start()  # who we are is not known yet
    assert (await _interact(place, "reply_send_now", message_id, team="T0OTHER")).status == 200
    await place.at_rest()
    assert lead.received == []
    assert place.mark(ts) == [HOURGLASS]


@pytest.mark.knobs(reply_hold_seconds=15)
async def test_a_customers_message_is_not_a_reply_to_be_moved(place: Office):
    lead = await Conversation.opened(place)
    await place.thumbtack.message(lead.lead_id, "Are you there?")
    await place.at_rest()
    for action_id in ("reply_send", "reply_keep", "reply_retry", "reply_send_now"):
        assert (await _interact(place, action_id, "1")).status == 200
    posted = lead.lines[-1]["ts"]
    assert "Are you there?" in str(lead.lines[-1])
    event = {"type": "message", "subtype": "message_deleted", "channel": CHANNEL, "deleted_ts": posted, "ts": "9.9"}
    assert (await place.slack.event(event)).status == 200
    await place.at_rest()
    assert lead.received == []
    (message,) = await place.rows(Message)
    assert (message.text, message.state) == ("Are you there?", None)
    (row,) = await place.rows(Lead)
    assert row.first_answer_at is None


async def test_an_answer_that_slack_does_not_take_is_given_later(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=400))
    ts = await lead.say("We come at 9.")
    await lead.offered("reply_retry")
    place.slack.faults.add("response_url", Fault(status=429, headers={"Retry-After": "5"}))
    await lead.press("reply_retry", by=BEN)
    await lead.marked(ts, CHECK)
    assert lead.is_offered("reply_retry")
    await place.at_rest()
    await place.advance(seconds=6)
    await place.seen(lambda: not lead.is_offered("reply_retry"))
    assert lead.received == ["We come at 9."]


@pytest.mark.parametrize("edited", ["ntoe: he is cheap", "<@U0BEN> look at this", ":thumbsup:"])
@pytest.mark.parametrize(("status", "button"), [(400, "reply_retry"), (502, "reply_send_again")])
async def test_what_was_edited_into_a_doubt_is_sent_by_nobody_but_its_writer(
    place: Office, status: int, button: str, edited: str
):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=status))
    ts = await lead.say("We come at 9.")
    await lead.offered(button)
    await lead.edit(ts, edited)
    await lead.press(button, by=BEN)
    await lead.marked(ts, MEMO)
    await place.at_rest()
    assert lead.received == []
    assert "Kept inside" in [call.args["text"] for call in place.slack.called("response_url")][-1]
    await lead.press("reply_send")
    await lead.marked(ts, CHECK)
    assert len(lead.received) == 1
