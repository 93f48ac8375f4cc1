"""What each answer of Thumbtack means for a reply: delivered, later, refused, or nobody knows."""

import pytest
from support.conversation import ANA, BEN, CHECK, CROSS, HOURGLASS, MEMO, WARNING, Conversation, buttons
from support.office import CHANNEL, Office

from sandbox.faults import Fault
from storage.models import Lead, Message

JSON = {"content-type": "application/json"}
HTML = "<html><body>Please wait while we check your browser.</body></html>"


LATER = {
    "429 with Retry-After": Fault(status=429, headers={"Retry-After": "40"}),
    "429": Fault(status=429),
    "500": Fault(status=500),
    "503": Fault(status=503),
    "503 with Retry-After": Fault(status=503, headers={"Retry-After": "40"}),
    "202": Fault(status=202, body=HTML),
    "empty 202": Fault(status=202, body=""),
    "HTML": Fault(status=200, body=HTML),
    "firewall": Fault(status=405, body=HTML, headers={"x-amzn-waf-action": "challenge"}),
}


async def test_what_surely_was_not_taken_waits_and_goes_later_once(place: Office):
    for name, fault in LATER.items():
        lead = await Conversation.opened(place)
        place.thumbtack.faults.add("message", fault)
        ts = await lead.say(f"We come at {name}.")
        await lead.marked(ts, HOURGLASS)
        await place.at_rest()
        assert lead.received == [], name
        if "Retry-After" in fault.headers:
            await place.advance(seconds=30)
            await place.at_rest()
            assert lead.received == [], name
        await place.advance(seconds=12)
        await lead.marked(ts, CHECK)
        await place.at_rest()
        assert lead.received == [f"We come at {name}."]


async def test_an_outage_of_many_tries_ends_with_one_delivery(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=503), times=8)
    ts = await lead.say("We come at 9.")
    for _ in range(9):
        await place.at_rest()
        assert place.mark(ts) in ([HOURGLASS], [CHECK])
        await place.advance(seconds=61)
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9."]


@pytest.mark.knobs(thumbtack_legacy_api_url="http://127.0.0.1:1")
async def test_a_refused_connection_waits(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, HOURGLASS)
    await place.at_rest()
    await place.stop()
    await place.start(thumbtack_legacy_api_url=place.slack.base_url + "/thumbtack/legacy")
    await place.advance(seconds=2)
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9."]


async def test_where_the_client_cannot_be_made_nothing_was_sent(place: Office, monkeypatch: pytest.MonkeyPatch):
    def nowhere() -> None:
        raise FileNotFoundError("/etc/no-such-bundle.pem")

    lead = await Conversation.opened(place)
    with monkeypatch.context() as patched:
        patched.setattr("webhooks.thumbtack.apis._certificates", nowhere)
        ts = await lead.say("We come at 9.")
        await lead.marked(ts, HOURGLASS)
        await place.at_rest()
        assert (place.mark(ts), lead.received) == ([HOURGLASS], [])
    await place.advance(seconds=12)
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9."]


UNKNOWN = {
    "lost answer": Fault(lose_answer=True),
    "cut": Fault(cut=True),
    "502": Fault(status=502),
    "504": Fault(status=504),
    "another status": Fault(status=200, body={"status": "queued"}),
    "empty object": Fault(status=200, body={}),
    "nothing": Fault(status=200, body="", headers=JSON),
    "204": Fault(status=204, body="", headers=JSON),
    "JSON 202": Fault(status=202, body={"status": "accepted"}),
}


async def test_what_may_have_arrived_is_asked_about_and_never_sent_again_by_itself(place: Office):
    lead, said = await Conversation.opened(place), []
    for name, fault in UNKNOWN.items():
        place.thumbtack.faults.add("message", fault)
        said.append(await lead.say(f"We come at {name}."))
        await lead.marked(said[-1], WARNING)
        await place.at_rest()
        told = lead.lines[-1]
        assert buttons(told) == ["reply_arrived", "reply_send_again"], name
        assert f"<@{ANA}>" in str(told["blocks"])
    await place.advance(hours=1)
    await place.at_rest()
    await place.stop()
    await place.start()
    await place.at_rest()
    assert lead.received == ["We come at lost answer."]
    assert [place.mark(ts) for ts in said] == [[WARNING]] * len(UNKNOWN)


async def test_it_arrived(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(lose_answer=True))
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, WARNING)
    await lead.press("reply_arrived", by=BEN)
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert lead.received == ["We come at 9."]
    assert not lead.is_offered("reply_send_again")
    (row,) = await place.rows(Lead)
    assert row.first_answer_by == ANA


async def test_send_again(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=502))
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, WARNING)
    await lead.press("reply_send_again", by=BEN)
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert lead.received == ["We come at 9."]
    assert not lead.is_offered("reply_arrived")


async def test_later_replies_go_on_while_one_is_unknown_or_refused(place: Office):
    lead = await Conversation.opened(place)
    for status, mark in ((502, WARNING), (400, CROSS)):
        place.thumbtack.faults.add("message", Fault(status=status))
        await lead.marked(await lead.say("One."), mark)
        await lead.marked(await lead.say("Two."), CHECK)
    assert lead.received == ["Two.", "Two."]


async def test_what_is_refused_says_why_in_thumbtacks_words_and_can_be_tried_again(place: Office):
    lead, sent = await Conversation.opened(place), []
    for status in (400, 403, 404, 409, 451):
        said = {"title": "Not valid.", "detail": f"This lead is *archived* {status} <!channel>.", "traceID": "t-1"}
        place.thumbtack.faults.add("message", Fault(status=status, body=said))
        ts = await lead.say("We come at 9.")
        await lead.marked(ts, CROSS)
        await place.at_rest()
        line = lead.lines[-1]
        assert f"Thumbtack says: This lead is *archived* {status} <!channel>." in str(line["blocks"])
        assert "<!channel>" not in line["text"]
        assert (await lead.message(ts)).trace_id == "t-1"
        await lead.edit(ts, f"We come at 10 ({status}).")
        await place.at_rest()
        assert place.mark(ts) == [CROSS]
        await lead.press("reply_retry", by=BEN)
        await lead.marked(ts, CHECK)
        await place.at_rest()
        sent.append(f"We come at 10 ({status}).")
        assert lead.received == sent


async def test_a_refused_reply_that_became_a_note_cannot_be_tried_again(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=400))
    ts = await lead.say("He is difficult.")
    await lead.offered("reply_retry")
    await lead.edit(ts, "note: He is difficult.")
    await lead.marked(ts, MEMO)
    await lead.press("reply_retry")
    await place.at_rest()
    assert lead.received == []
    assert place.mark(ts) == [MEMO]


async def test_a_refused_reply_that_was_deleted_cannot_be_tried_again(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=400))
    ts = await lead.say("We come at 9.")
    await lead.offered("reply_retry")
    await lead.delete(ts)
    await lead.press("reply_retry")
    await place.at_rest()
    assert lead.received == []


@pytest.mark.knobs(thumbtack_legacy_password="an old one")
async def test_credentials_that_thumbtack_does_not_take(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.")
    await lead.marked(ts, CROSS)
    await place.seen(lambda: any("no longer accepts our credentials" in str(line) for line in lead.lines))
    await place.stop()
    await place.start(thumbtack_legacy_password="send-it")
    await lead.press("reply_retry")
    await lead.marked(ts, CHECK)
    assert lead.received == ["We come at 9."]


async def test_a_missing_permission_is_said(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=401, body={"detail": "required scope(s) [messages] not found"}))
    await lead.marked(await lead.say("We come at 9."), CROSS)
    await place.seen(lambda: any("does not let us send messages" in str(line) for line in lead.lines))
    await place.at_rest()
    assert sum("does not let us send messages" in str(line) for line in lead.lines) == 1
    assert lead.received == []


async def test_a_reply_that_says_nothing_once_it_is_plain_is_refused(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("send:")
    await place.at_rest()
    assert place.mark(ts) in ([MEMO], [CROSS])
    assert lead.received == []


async def test_a_mistake_of_ours_before_the_call_is_not_taken_for_a_delivery(place: Office):
    lead = await Conversation.opened(place)
    await lead.marked(await lead.say("Hello"), CHECK)  # that she may write is known from here on
    place.slack.faults.stand("users.info", Fault(status=200, body={"ok": True, "user": "nobody"}))
    ts = await lead.say("<@U0BEN> comes at 9")
    await lead.press("reply_send")
    for _ in range(8):
        await place.at_rest()
        await place.advance(minutes=2)
    assert lead.received == ["Hello"]
    await lead.marked(ts, CROSS)
    place.slack.faults.clear("users.info")
    await lead.press("reply_retry")
    await lead.marked(ts, CHECK)
    assert lead.received == ["Hello", "@ben comes at 9"]


async def test_the_bots_lines_do_not_say_what_thumbtack_says_to_the_log(place: Office, capfd):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=400, body={"detail": "the customer 555-0142 has left"}))
    said = await lead.say("call me at 555-0143")
    await lead.press("reply_send")
    await lead.marked(said, CROSS)
    await place.at_rest()
    out, err = capfd.readouterr()
    assert "555-01" not in out + err
    assert "rejected" in out + err


async def test_the_row_knows_what_was_sent(place: Office):
    lead = await Conversation.opened(place)
    await lead.marked(await lead.say("*We* come :wave:"), CHECK)
    (row,) = await place.rows(Message)
    assert (row.sent_text, row.author) == ("We come 👋", ANA)
    assert row.sent_at is not None
    assert place.slack.message(CHANNEL, row.slack_ts)["text"] == "*We* come :wave:"
