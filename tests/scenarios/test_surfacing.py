"""A customer who writes in a thread that everybody forgot comes back into the channel; and whom their message calls."""

from typing import Any

import pytest
from support.conversation import ANA, BEN, Conversation
from support.office import CHANNEL, Office

from sandbox.thumbtack import bodies

HOURS = 24
surfacing = pytest.mark.knobs(surface_after_hours=HOURS, slack_ring=("S0CREW",))


async def wrote(conversation: Conversation, text: str) -> dict[str, Any]:
    """The customer writes; what stands in the thread then."""
    place = conversation.place
    await place.post("/v1/message", bodies.message(conversation.lead_id, text))
    await place.at_rest()
    posts: list[dict[str, Any]] = [one for one in conversation.lines if text in place.read(one)]
    (post,) = posts
    return post


def is_in_channel(place: Office, post: dict[str, Any]) -> bool:
    """Whether the channel shows it too, not the thread alone."""
    return any(one["ts"] == post["ts"] for one in place.slack.messages(CHANNEL))


def rings(post: dict[str, Any]) -> list[str]:
    """Who of these is mentioned."""
    return [who for who in (ANA, BEN, "S0CREW") if who in str(post["blocks"])]


@surfacing
async def test_it_comes_back_where_nobody_wrote_for_so_long_and_then_no_more(place: Office):
    conversation = await Conversation.opened(place)
    await conversation.say("We can come on Tuesday.")
    await place.at_rest()
    await place.advance(hours=HOURS, minutes=-5)
    early = await wrote(conversation, "Tuesday is fine.")
    assert not is_in_channel(place, early)
    await place.advance(hours=HOURS, minutes=5)
    late = await wrote(conversation, "Are you on your way?")
    assert is_in_channel(place, late)
    assert rings(early) == rings(late) == [ANA]
    assert not is_in_channel(place, await wrote(conversation, "Hello?"))


@surfacing
async def test_a_note_is_somebody_writing_and_a_lead_that_is_somebodys_counts_from_its_card(place: Office):
    noted, claimed = await Conversation.opened(place), await Conversation.opened(place)
    await claimed.press("lead_claim", by=BEN)
    await place.advance(hours=HOURS - 1)
    await noted.say("note: I call her at noon")
    await place.advance(hours=2)
    assert not is_in_channel(place, await wrote(noted, "I am at home until three."))
    surfaced = await wrote(claimed, "Is anybody there?")
    assert is_in_channel(place, surfaced)
    assert rings(surfaced) == [BEN]


@surfacing
async def test_what_somebody_answered_in_thumbtacks_app_neither_rings_nor_comes_back(place: Office):
    conversation = await Conversation.opened(place)
    await conversation.say("We can come on Tuesday.")
    await place.at_rest()
    await place.advance(hours=HOURS + 1)
    body = bodies.message(conversation.lead_id, "Sorry for the wait.")
    answer = {"event": {"eventType": "MessageCreatedV4"}, "data": in_v4(body) | {"from": "Business"}}
    assert (await place.post("/v4/webhooks", answer)).status_code == 200
    await place.at_rest()
    (post,) = [one for one in conversation.lines if "Sorry for the wait." in place.read(one)]
    assert not is_in_channel(place, post)
    assert rings(post) == []


def in_v4(body: dict[str, Any]) -> dict[str, Any]:
    """A message of the Pro API as v4 tells it."""
    message = body["message"]
    return {
        "messageID": message["messageID"],
        "negotiationID": body["leadID"],
        "customer": {"customerID": body["customerID"], "displayName": "Maya A."},
        "business": {"businessID": body["businessID"], "displayName": bodies.BUSINESS_NAME},
        "text": message["text"],
    }


@pytest.mark.knobs(surface_after_hours=0)
async def test_zero_is_never(place: Office):
    conversation = await Conversation.opened(place)
    await conversation.say("We can come on Tuesday.")
    await place.at_rest()
    await place.advance(days=30)
    assert not is_in_channel(place, await wrote(conversation, "Are you on your way?"))


@surfacing
async def test_who_is_called_is_who_has_the_lead_then_who_wrote_last_then_everybody(place: Office):
    conversation = await Conversation.opened(place)
    first = await wrote(conversation, "Hello, are you there?")
    assert rings(first) == ["S0CREW"]
    assert is_in_channel(place, first)
    await conversation.say("We are.", by=ANA)  # who answers has it
    await place.at_rest()
    assert rings(await wrote(conversation, "Good.")) == [ANA]
    await conversation.say("note: I know her", by=BEN)
    assert rings(await wrote(conversation, "What does it cost?")) == [ANA]
    await conversation.press("lead_release", by=ANA)
    await place.at_rest()
    assert rings(await wrote(conversation, "And when?")) == [BEN]
