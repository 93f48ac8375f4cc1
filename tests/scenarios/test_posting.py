"""Corners of posting to Slack: odd answers, deleted posts, what cannot be shown or said, and who waits for a 429."""

import json
from typing import Any

import pytest
from support.conversation import CHECK, MEMO, OLGA, Conversation
from support.deliveries import all_said
from support.office import CHANNEL, Office

from sandbox.faults import Fault
from sandbox.slack.failures import cut, down, lost_answer, rate_limited, slack_error
from sandbox.slack.web_api import Call
from sandbox.thumbtack import bodies
from storage import outbox
from storage.models import Outbox, WorkState
from storage.outbox import Kind

POST = "chat.postMessage"
BAD = "https://www.thumbtack.com/attachment/00b1/bad.jpg"
GOOD = tuple(f"https://www.thumbtack.com/attachment/00b2/good{number}.jpg" for number in range(6))


def picture(url: str) -> dict[str, str]:
    return {"fileName": url.rpartition("/")[2], "mimeType": "image/jpeg", "url": url}


def job(name: str, *pictures: str) -> dict[str, Any]:
    """A lead that can be told from others by its name."""
    return bodies.lead(request={"category": name, "title": name, "attachments": [picture(url) for url in pictures]})


async def tell(place: Office, path: str, *posted: dict[str, Any]) -> None:
    """Thumbtack says these things, and they are read."""
    for body in posted:
        answer = await place.post(path, body, method="PUT" if path.endswith("/update") else "POST")
        assert answer.status_code == 200
    await place.ingested()


async def said(place: Office, lead_id: str, *texts: str) -> None:
    """The customer writes."""
    await tell(place, "/v1/message", *(bodies.message(lead_id, text) for text in texts))


async def failed(place: Office, method: str, *, times: int = 1) -> None:
    """Wait until Slack failed, and that was written down."""
    await place.seen(lambda: place.slack.faults.happened[method] >= times)


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in messages]


def shown(message: dict[str, Any]) -> str:
    return json.dumps(message["blocks"], ensure_ascii=False)


def delivery_id(message: dict[str, Any]) -> str:
    return str(message["metadata"]["event_payload"]["delivery_id"])


def posts(place: Office) -> list[Call]:
    """Every attempt to post into the channel."""
    return [call for call in place.slack.called(POST) if call.args["channel"] == CHANNEL]


def names(place: Office) -> list[str]:
    """The jobs whose cards stand, oldest first."""
    return [card["text"].partition(" · ")[0] for card in place.cards]


async def dead(place: Office) -> list[Outbox]:
    return [entry for entry in await place.rows(Outbox) if entry.state == WorkState.DEAD]


# The delivery id


async def test_every_post_carries_its_delivery_id_and_the_card_keeps_its_own(place: Office):
    lead = bodies.lead(request={"description": "A very long story. " * 400})
    await tell(place, "/v1/lead", lead)
    await said(place, lead["leadID"], "Hello?")
    await tell(place, "/v1/review", bodies.review(lead["leadID"], "5", "Quick and tidy"))
    await all_said(place)
    before = delivery_id(place.cards[0])
    await tell(place, "/v1/lead/update", bodies.price(lead["leadID"], "$31.50"))
    await all_said(place)
    assert "$31.50" in shown(place.cards[0])
    assert delivery_id(place.cards[0]) == before
    standing = [place.cards[0], *place.thread()]
    assert len(standing) >= 6  # the card, more about it, a photo, the message, the review, the price
    ids = [delivery_id(message) for message in standing]
    assert ids == [message["blocks"][0]["block_id"] for message in standing]
    assert len(set(ids)) == len(ids)


# What may have been posted already

UNKNOWN = {
    "the answer is lost": lost_answer(),
    "a page instead of JSON": Fault(status=200, body="<html>ok</html>"),
    "an answer nobody foresaw": Fault(status=200, body={"ok": True}),
}


@pytest.mark.parametrize("fault", UNKNOWN.values(), ids=UNKNOWN)
async def test_a_card_whose_outcome_is_not_known_stands_once_and_is_the_leads(place: Office, fault: Fault):
    place.slack.faults.add(POST, fault)
    lead = job("Gate")
    await tell(place, "/v1/lead", lead)
    await failed(place, POST)
    await all_said(place)
    await said(place, lead["leadID"], "Hello?")
    await all_said(place)
    assert names(place) == ["Gate"]
    assert texts(place.thread()) == ["Maya Alvarez: Hello?"]


@pytest.mark.parametrize("fault", UNKNOWN.values(), ids=UNKNOWN)
async def test_a_line_whose_outcome_is_not_known_stands_once_and_in_its_place(place: Office, fault: Fault):
    lead = await Conversation.opened(place, request={"attachments": []})
    place.slack.faults.add(POST, fault)
    await said(place, lead.lead_id, "First", "Second")
    await failed(place, POST)
    await all_said(place)
    assert texts(place.thread()) == ["Maya Alvarez: First", "Maya Alvarez: Second"]
    assert await dead(place) == []


async def test_a_post_whose_answer_is_lost_again_and_again_stands_once(place: Office):
    place.slack.faults.add(POST, cut(), times=2)
    place.slack.faults.add(POST, lost_answer())
    place.slack.faults.add("conversations.history", down(), times=2)
    await tell(place, "/v1/lead", job("Gate"))
    await failed(place, POST)
    await all_said(place)
    assert place.slack.faults.happened[POST] == 3
    assert names(place) == ["Gate"]
    assert len({call.args["metadata"]["event_payload"]["delivery_id"] for call in posts(place)}) == 1


# Changes of what stands


async def test_a_card_that_was_deleted_does_not_block_its_thread(place: Office):
    lead = await Conversation.opened(place, request={"attachments": []})
    await said(place, lead.lead_id, "Before")
    await all_said(place)
    await lead.delete(lead.ts)  # Slack leaves a tombstone, and the thread under it
    await tell(place, "/v1/lead/update", bodies.price(lead.lead_id, "$31.50"))
    await said(place, lead.lead_id, "After")
    await all_said(place)
    under = texts(place.slack.thread(CHANNEL, lead.ts))[1:]
    assert under == ["Maya Alvarez: Before", "Lead cost: $31.50, Charged", "Maya Alvarez: After"]
    assert await dead(place) == []


async def test_a_line_that_was_deleted_is_not_changed_and_blocks_nothing(place: Office):
    lead = await Conversation.opened(place, request={"attachments": []})
    review = bodies.review(lead.lead_id, "3", "It was all right", review={"modifyTime": "1786000000000"})
    await tell(place, "/v1/review", review)
    await all_said(place)
    [line] = place.thread()
    await lead.delete(line["ts"])
    later = bodies.merged(review, {"review": {"modifyTime": "1786000000001", "rating": "5"}})
    await tell(place, "/v1/review", later)
    await said(place, lead.lead_id, "After")
    await all_said(place)
    assert texts(place.thread()) == ["Maya Alvarez: After"]
    assert await dead(place) == []


# What Slack cannot show


async def test_a_lead_that_slack_takes_in_no_shape_is_told_of_and_holds_up_no_other(place: Office):
    place.slack.faults.add(POST, slack_error("invalid_blocks"), times=2)
    await tell(place, "/v1/lead", job("Gate"))
    await failed(place, POST, times=2)
    await tell(place, "/v1/lead", job("Roof"))
    await place.seen(lambda: any("Roof" in card["text"] for card in place.cards))
    await place.at_rest()
    [given_up] = await dead(place)
    assert (given_up.kind, given_up.reason) == (Kind.POST_LEAD, "invalid_blocks")
    assert any(f"corkboard outbox retry {given_up.id}" in shown(card) for card in place.cards)


async def test_pictures_that_cannot_be_fetched_are_links_in_their_own_post_alone(place: Office):
    place.slack.unfetchable.add(BAD)
    lead = job("Gate", BAD, *GOOD[:5])  # five to a post
    await tell(place, "/v1/lead", lead)
    await tell(
        place, "/v1/message", bodies.message(lead["leadID"], "And?", message={"attachments": [picture(GOOD[5])]})
    )
    await all_said(place)
    links, rest, line, photo = place.thread()
    assert BAD in shown(links)
    assert [url in shown(links) for url in GOOD] == [True] * 4 + [False] * 2
    assert "image" not in {block["type"] for block in links["blocks"]}
    assert line["text"] == "Maya Alvarez: And?"
    for post, url in ((rest, GOOD[4]), (photo, GOOD[5])):
        assert [block.get("image_url") for block in post["blocks"]] == [url]
    assert await dead(place) == []


# The pace


async def test_where_slack_asks_for_time_nobody_posts_and_elsewhere_all_goes_on(place: Office):
    first = await Conversation.opened(place, request={"attachments": []})
    second = await Conversation.opened(place, request={"attachments": []})
    place.slack.add_channel("C0OTHER", "other")
    await place.stop()
    await place.start(slack_leads_channel="C0OTHER", slack_keepers=OLGA)
    place.slack.faults.add(POST, rate_limited(30))
    await said(place, first.lead_id, "Hello?")
    await failed(place, POST)
    limited = posts(place)[-1]
    assert limited.status == 429
    await place.at_rest()  # until it is written down: what is under way by then goes
    await said(place, second.lead_id, "Hello?")
    await tell(place, "/v1/lead", job("Gate"))
    async with place.database.transaction() as tx:
        payload = {"notice": "dead", "outbox_id": 1, "kind": Kind.POST_LEAD, "reason": "any"}
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=place.clock(), payload=payload)
    note = await first.say("note: hm")
    await place.advance(seconds=20)
    await place.seen(lambda: place.slack.messages("C0OTHER") and place.slack.direct_messages(OLGA))
    await first.marked(note, MEMO)
    assert posts(place)[-1] is limited
    await place.advance(seconds=11)
    for lead in (first, second):
        await place.seen(lambda lead=lead: "Maya Alvarez: Hello?" in texts(place.slack.thread(CHANNEL, lead.ts)))
    after = posts(place)[posts(place).index(limited) + 1 :]
    assert [call.ok for call in after] == [True, True]
    assert min(call.at for call in after) >= limited.at + 30


async def test_a_retry_after_of_no_seconds_is_not_a_storm(place: Office):
    place.slack.faults.add(POST, rate_limited(0), times=4)
    await tell(place, "/v1/lead", job("Gate"))
    await failed(place, POST)
    await all_said(place)
    assert names(place) == ["Gate"]
    pauses = [later.at - earlier.at for earlier, later in zip(posts(place), posts(place)[1:], strict=False)]
    assert min(pauses) >= 0.5


# What nobody can say


POISON: dict[str, dict[str, Any]] = {
    "its lead is gone": {"kind": Kind.POST_LEAD},
    "a payload of nonsense": {"kind": Kind.POST_REVIEW, "payload": {"review": ["?"]}},
    "a number that is none": {"kind": Kind.POST_PHOTOS, "payload": {"part": "?"}},
    "nobody knows its kind": {"kind": "sing_a_song"},
}


@pytest.mark.knobs(slack_posts_per_second=50)
@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
async def test_what_cannot_be_said_dies_in_its_time_with_a_notice_and_blocks_nothing(place: Office, poison: dict):
    lead = await Conversation.opened(place, request={"attachments": []})
    async with place.database.transaction() as tx:
        entry = await outbox.enqueue(
            tx, Kind.POST_LEAD, now=place.clock(), channel=CHANNEL, priority=outbox.FIRST, payload=poison.get("payload")
        )
        (await tx.get_one(Outbox, entry.id)).kind = poison["kind"]
    await place.advance(seconds=0)
    await said(place, lead.lead_id, "Hello?")
    await place.seen(lambda: texts(place.thread()) == ["Maya Alvarez: Hello?"])
    assert await dead(place) == []  # it is only the first of several mistakes
    await all_said(place)
    [given_up] = await dead(place)
    assert given_up.id == entry.id
    assert given_up.settled_at is not None
    assert (given_up.settled_at - given_up.created_at).total_seconds() >= 37.5
    [notice] = place.cards[1:]
    assert f"corkboard outbox retry {entry.id}" in shown(notice)
    said_then = await lead.say("On my way")
    await lead.marked(said_then, CHECK)
