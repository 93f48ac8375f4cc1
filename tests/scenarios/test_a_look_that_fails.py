"""After a lost answer the post is looked for; when looking fails too, it is looked for again before it is posted again."""

import pytest

from sandbox.faults import Fault
from sandbox.thumbtack import bodies

RATE_LIMITED = Fault(status=429, body={"ok": False, "error": "ratelimited"}, headers={"Retry-After": "1"})
SCOPE_MISSING = Fault(status=200, body={"ok": False, "error": "missing_scope"})


@pytest.mark.parametrize("failure", [RATE_LIMITED, SCOPE_MISSING], ids=["rate limited", "scope missing"])
async def test_a_lead_has_one_card_when_the_look_for_it_fails(place, failure):
    place.slack.api.faults.add("chat.postMessage", Fault(lose_answer=True))
    place.slack.api.faults.add("conversations.history", failure)
    await place.post("/v1/lead", bodies.lead())
    for _ in range(2):
        looked = len(place.slack.called("conversations.history"))
        await place.advance(minutes=10)
        await place.seen(lambda before=looked: len(place.slack.called("conversations.history")) > before)
    said = await place.slack.say("U0ANA", "C0LEADS", "On my way", thread_ts=place.cards[0]["ts"])
    await place.seen(lambda: place.mark(said.ts) == ["white_check_mark"])  # so the card that stands is the lead's
    assert len(place.cards) == 1
