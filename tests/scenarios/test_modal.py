"""The Reply button and its window."""

import pytest
from support.conversation import ANA, BEN, CHECK, CROSS, HOURGLASS, WARNING, Conversation, said
from support.office import CHANNEL, Office

from sandbox.faults import Fault
from sandbox.slack.delivery import interaction_delivery
from sandbox.slack.failures import slack_error, slow
from storage.models import Message, Outbox


async def _opened(lead: Conversation, *, by: str = ANA) -> dict:
    await lead.press("reply_open", by=by)
    (view,) = lead.place.slack.views(by)
    return view


async def _submitted(lead: Conversation, text: str, *, by: str = ANA):
    await _opened(lead, by=by)
    return await lead.place.slack.submit(by, {"text": text})


def _line(lead: Conversation) -> dict:
    """The bot's line that shows what was written in a window."""
    return [line for line in lead.lines if "replied with the button" in str(line["blocks"])][-1]


@pytest.mark.knobs(reply_hold_seconds=15)
async def test_what_is_written_in_the_window_goes_at_once_and_the_bots_line_carries_the_mark(place: Office):
    lead = await Conversation.opened(place)
    view = await _opened(lead)
    assert "Message to Maya Alvarez" in str(view)
    answer = await place.slack.submit(ANA, {"text": " Yes, we do. "})
    assert (answer.status, answer.body) == (200, "")
    assert place.slack.views(ANA) == []
    await place.seen(lambda: place.mark(_line(lead)["ts"]) == [CHECK])
    assert lead.received == ["Yes, we do."]
    assert f"<@{ANA}>" in str(_line(lead)["blocks"])
    assert lead.prompts() == []


async def test_the_customer_gets_exactly_the_text(place: Office):
    lead = await Conversation.opened(place)
    exactly = "*5 < 6* & `code` <https://example.com|not a link> &amp; send: _this_\n<!channel>"
    await _submitted(lead, exactly)
    await place.seen(lambda: lead.received)
    assert lead.received == [exactly]
    line = await place.seen(lambda: _line(lead))
    assert "<!channel>" not in line["text"]
    assert exactly in said(line)


async def test_submitted_twice_it_goes_once(place: Office):
    lead = await Conversation.opened(place)
    answer = await _submitted(lead, "Once.")
    for number in (1, 2):
        assert (await place.slack.redeliver(answer, number=number)).status == 200
    await place.seen(lambda: place.mark(_line(lead)["ts"]) == [CHECK])
    await place.at_rest()
    assert lead.received == ["Once."]
    assert len([line for line in lead.lines if "replied with the button" in str(line)]) == 1


async def test_two_people_may_answer(place: Office):
    lead = await Conversation.opened(place)
    await _opened(lead, by=ANA)
    await _opened(lead, by=BEN)
    await place.slack.submit(ANA, {"text": "From Ana."})
    await place.slack.submit(BEN, {"text": "From Ben."})
    await place.at_rest()
    assert lead.received == ["From Ana."]  # who has the lead by now is shown first
    await place.slack.submit(BEN, {"text": "From Ben."})
    await place.at_rest()
    assert lead.received == ["From Ana.", "From Ben."]


async def test_what_cannot_go_keeps_the_window_open_and_says_why(place: Office):
    lead = await Conversation.opened(place)
    await _opened(lead)
    odd = {"": "Write something first", "  \n": "Write something first", "note: hm": "like a note"}
    odd |= {"a" * 16_385: "16,384 characters at most"}  # Slack stops at 3,000, if it is Slack
    for text, wrong in odd.items():
        answer = await place.slack.submit(ANA, {"text": text})
        assert answer.status == 200
        assert wrong in answer.json()["errors"]["reply"]
        assert len(place.slack.views(ANA)) == 1
    await place.at_rest()
    assert lead.received == []
    assert await place.rows(Message) == []


@pytest.mark.knobs(reply_mode="quiet")
async def test_in_quiet_mode_the_window_sends(place: Office):
    lead = await Conversation.opened(place)
    await _submitted(lead, "Yes, we do.")
    await place.seen(lambda: place.mark(_line(lead)["ts"]) == [CHECK])
    assert lead.received == ["Yes, we do."]


async def test_failures_show_on_the_line(place: Office):
    lead = await Conversation.opened(place)
    for fault, mark, button in ((400, CROSS, "reply_retry"), (502, WARNING, "reply_send_again")):
        place.thumbtack.faults.add("message", Fault(status=fault))
        await _submitted(lead, f"Try {fault}.")
        await place.seen(lambda mark=mark: place.mark(_line(lead)["ts"]) == [mark])
        line = _line(lead)["ts"]
        await lead.press(button)
        await place.seen(lambda line=line: place.mark(line) == [CHECK])
    assert lead.received == ["Try 400.", "Try 502."]


async def test_a_slow_line_gets_its_mark_when_it_stands(place: Office):
    lead = await Conversation.opened(place)
    place.slack.faults.add("chat.postMessage", slow(0.5))
    await _submitted(lead, "Yes, we do.")
    await place.seen(lambda: lead.received)
    await place.seen(lambda: place.mark(_line(lead)["ts"]) == [CHECK])
    await place.at_rest()
    assert lead.received == ["Yes, we do."]
    assert len([one for one in lead.lines if "Yes, we do." in said(one)]) == 1


async def test_an_outage_shows_on_the_line_and_ends(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.stand("message", Fault(status=503))
    await _submitted(lead, "On my way.")
    await place.seen(lambda: place.mark(_line(lead)["ts"]) == [HOURGLASS])
    await place.at_rest()  # nothing is under way: time that jumps in the middle of a call makes its outcome unknown
    await place.advance(minutes=31)
    await place.seen(lambda: place.mark(_line(lead)["ts"]) == [CROSS])
    line = _line(lead)["ts"]
    place.thumbtack.faults.clear()
    await lead.press("reply_send_now")
    await place.seen(lambda: place.mark(line) == [CHECK])
    assert lead.received == ["On my way."]


async def test_a_window_that_slack_does_not_open_is_said(place: Office):
    lead = await Conversation.opened(place)
    place.slack.faults.add("views.open", slack_error("expired_trigger_id"))
    await lead.press("reply_open")
    await place.seen(lambda: any("Press Reply again" in told for told in lead.prompts()))
    assert place.slack.views(ANA) == []


async def test_an_old_button_says_that_nothing_can_be_sent(place: Office):
    lead = await Conversation.opened(place)
    await place.stop()
    await place.start(thumbtack_legacy_password=None)
    view = await _opened(lead)
    assert "no Thumbtack credentials" in str(view)
    assert "submit" not in view or view["submit"] is None


async def test_an_old_window_cannot_send_what_can_no_longer_be_sent(place: Office):
    lead = await Conversation.opened(place)
    await _opened(lead)
    await place.stop()
    await place.start(thumbtack_legacy_password=None)
    answer = await place.slack.submit(ANA, {"text": "Yes, we do."})
    assert "no Thumbtack credentials" in answer.json()["errors"]["reply"]
    assert await place.rows(Message) == []


async def test_odd_values_are_never_an_error(place: Office):
    lead = await Conversation.opened(place)
    await _opened(lead)
    view = place.slack.views(ANA)[0]
    states = [None, {}, {"values": None}, {"values": {}}]
    shapeless = [{"values": {"reply": None}}, {"values": {"reply": {"text": {"value": 7}}}}, 7]
    good = {"values": {"reply": {"text": {"value": "Hi"}}}}
    metadata = ["", "x", "-1", "9" * 30, "0", "²", None]
    odd = [{**view, "state": state} for state in states]
    odd += [{**view, "id": f"V{number}", "state": good, "private_metadata": one} for number, one in enumerate(metadata)]
    for one in odd:
        answer = await _interact(place, {"type": "view_submission", "view": one})
        assert answer.status == 200, one
        assert answer.json()["response_action"] == "errors"
    for state in shapeless:  # what Slack never sends is refused at the door
        one = {**view, "state": state}
        assert (await _interact(place, {"type": "view_submission", "view": one})).status == 400, one
    assert await place.rows(Message) == []
    for value in metadata:
        action = {"type": "button", "action_id": "reply_open", "block_id": "b", "value": value}
        assert (await _interact(place, {"type": "block_actions", "actions": [action]})).status == 200
    await place.at_rest()
    assert await place.rows(Outbox) == [entry for entry in await place.rows(Outbox) if entry.settled_at is not None]


async def _interact(place: Office, payload: dict):
    team = place.slack.workspace.team_id
    source = {
        "user": {"id": ANA, "team_id": team},
        "team": {"id": team},
        "channel": {"id": CHANNEL},
        "trigger_id": "1.1",
    }
    return await place.slack.courier.once(interaction_delivery(source | payload))
