"""Every answer that Slack or Thumbtack may give once, for a card, its line and a reply: all of it stands once afterwards."""

from collections import Counter
from datetime import timedelta

import aiohttp
import pytest
from support.conversation import CHECK, CROSS, WARNING, Conversation
from support.deliveries import all_said, unsettled
from support.office import Office

import bot.slack
from bot import jobs
from sandbox.faults import Fault
from sandbox.slack.failures import cut, down, lost_answer, rate_limited, slack_error, slow
from sandbox.thumbtack import bodies
from storage.models import Outbox, WorkState

JSON = {"content-type": "application/json"}
HTML = "<html><body>Please wait while we check your browser.</body></html>"
POST = "chat.postMessage"

SLACK: dict[str, Fault] = {
    "429": rate_limited(3),
    "429 without a number": Fault(status=429, body={"ok": False, "error": "ratelimited"}),
    "500": down(500),
    "503": down(503),
    "slower than we wait": slow(2.0),
    "slow": slow(0.3),
    "cut before": cut(),
    "cut after accept": lost_answer(),
    "null": Fault(status=200, body=b"null", headers=JSON),
    "a list": Fault(status=200, body=[], headers=JSON),
    "nothing": Fault(status=200, body=b"", headers=JSON),
    "HTML with 200": Fault(status=200, body=HTML),
    "ok without a message": Fault(status=200, body={"ok": True}),
    "channel_not_found": slack_error("channel_not_found"),
    "is_archived": slack_error("is_archived"),
    "not_in_channel": slack_error("not_in_channel"),
    "token_revoked": slack_error("token_revoked"),
    "invalid_auth": slack_error("invalid_auth"),
    "msg_too_long": slack_error("msg_too_long"),
    "msg_blocks_too_long": slack_error("msg_blocks_too_long"),
    "invalid_blocks": slack_error("invalid_blocks"),
}


@pytest.mark.parametrize("fault", SLACK.values(), ids=SLACK)
async def test_whatever_slack_answers_once_all_stands_once_and_in_order(
    place: Office, fault: Fault, monkeypatch: pytest.MonkeyPatch
):
    await place.stop()
    monkeypatch.setattr(bot.slack, "TIMEOUT", aiohttp.ClientTimeout(total=0.8))
    await place.start()
    lead = bodies.lead(bodies.SCENES[2])
    place.slack.faults.add(POST, fault)
    assert (await place.post("/v1/lead", lead)).status_code == 200
    await all_said(place)
    place.slack.faults.add(POST, fault)
    for number in range(2):
        told = bodies.message(lead["leadID"], f"number {number}")
        assert (await place.post("/v1/message", told)).status_code == 200
    await all_said(place)
    assert place.slack.faults.happened[POST] == 2
    [card] = place.cards
    assert [line["text"].partition(": ")[2] for line in place.thread(card)] == ["number 0", "number 1"]
    assert {entry.state for entry in await place.rows(Outbox)} == {WorkState.DONE}


ONCE, REFUSED, ASKED = CHECK, CROSS, WARNING
THUMBTACK: dict[str, tuple[Fault, str, int]] = {
    "400": (Fault(status=400), REFUSED, 0),
    "401": (Fault(status=401), REFUSED, 0),
    "403": (Fault(status=403), REFUSED, 0),
    "404": (Fault(status=404), REFUSED, 0),
    "409": (Fault(status=409), REFUSED, 0),
    "429": (Fault(status=429), ONCE, 1),
    "451": (Fault(status=451), REFUSED, 0),
    "500": (Fault(status=500), ONCE, 1),
    "503": (Fault(status=503), ONCE, 1),
    "202 of its firewall": (Fault(status=202, body=""), ONCE, 1),
    "HTML": (Fault(status=200, body=HTML), ONCE, 1),
    "null": (Fault(status=200, body=b"null", headers=JSON), ASKED, 0),
    "cut after accept": (Fault(lose_answer=True), ASKED, 1),
}
"""What it answers once, the mark on the person's message in the end, and how often the customer got it."""


@pytest.mark.parametrize(("fault", "mark", "times"), THUMBTACK.values(), ids=THUMBTACK)
async def test_whatever_thumbtack_answers_once_a_reply_has_one_true_mark_and_later_ones_go(
    place: Office, fault: Fault, mark: str, times: int
):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", fault)
    first, second = await lead.say("We come at 9."), await lead.say("Bring the keys.")
    await all_said(place, minutes=1)
    assert [place.mark(first), place.mark(second)] == [[mark], [CHECK]]
    assert lead.received == ["We come at 9."] * times + ["Bring the keys."]
    await place.advance(hours=2)
    await place.at_rest()
    assert len(lead.received) == times + 1, "nothing goes by itself that nobody knows of"


# Slack's own deliveries


async def test_three_times_late_and_out_of_order_a_reply_goes_once_and_in_its_place(place: Office):
    lead = await Conversation.opened(place)
    told = await lead.unheard(*(lambda n=n: lead.said(f"number {n}") for n in range(3)))
    await place.advance(minutes=4)
    for number in (1, 2, 3):
        for answer in reversed(told):
            assert (await place.slack.redeliver(answer, number=number)).status == 200
    await all_said(place)
    assert Counter(lead.received) == Counter(f"number {n}" for n in range(3))
    assert [place.mark(str(answer.ts)) for answer in told] == [[CHECK]] * 3


# Clocks


@pytest.mark.parametrize("jump", [timedelta(days=3), timedelta(hours=-3), timedelta(seconds=-40)], ids=str)
async def test_a_clock_that_jumps_delays_nothing_for_long_and_repeats_nothing(place: Office, jump: timedelta):
    lead = await Conversation.opened(place)
    place.slack.faults.add(POST, rate_limited(2))
    told = bodies.message(lead.lead_id, "Is Tuesday possible?")
    assert (await place.post("/v1/message", told)).status_code == 200
    await place.seen(lambda: place.slack.faults.happened[POST])
    place.clock.ahead += jump
    await place.advance(seconds=0)
    ts = await lead.say("Yes.")
    assert place.door.app is not None
    for _ in range(5):
        await place.at_rest()
        await jobs.mend_times(place.door.app.state.services)  # each minute
        await place.at_rest()
        await place.advance(minutes=1)
    assert await unsettled(place) == []
    assert [line["text"] for line in lead.lines].count("Maya Alvarez: Is Tuesday possible?") == 1
    assert (place.mark(ts), lead.received) == ([CHECK], ["Yes."])
