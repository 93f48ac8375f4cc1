"""From Thumbtack's request to what stands in Slack: leads, messages, prices, reviews, photos, in whatever order."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bot import jobs
from sandbox.thumbtack import bodies
from storage import inbox
from storage.models import Inbox, LeadCharge, Message, WorkState
from webhooks import writing

PAYLOADS = Path(__file__).parents[1] / "payloads"
CHANNEL = "C0LEADS"
PHOTO = {"fileName": "a.jpg", "mimeType": "image/jpeg", "url": "https://www.thumbtack.com/attachment/00a1/a.jpg"}


def route_of(name: str) -> str:
    if name.startswith("lead_update"):
        return "/v1/lead/update"
    return {"message": "/v1/message", "review": "/v1/review"}.get(name.partition("_")[0], "/v1/lead")


SAMPLES = [
    (route_of(file.stem), json.loads(file.read_bytes()))
    for file in sorted(PAYLOADS.glob("*.json"))
    if not file.stem.startswith("v4_")
]


async def post(place, path: str, body: Any) -> int:
    answer = await place.post(path, body, method="PUT" if path.endswith("/update") else "POST")
    return answer.status_code


async def quiet(place) -> None:
    """Everything that was accepted is in Slack."""
    await place.ingested()
    await place.at_rest()


def texts(place, card: dict[str, Any] | None = None) -> list[str]:
    return [message["text"] for message in place.thread(card)]


def shown(message: dict[str, Any]) -> str:
    return json.dumps(message["blocks"], ensure_ascii=False)


def pictures(message: dict[str, Any]) -> int:
    return sum(block["type"] == "image" for block in message["blocks"])


# All of it


ORDERS = {
    "as listed": lambda sent: sent,
    "reversed": lambda sent: sent[::-1],
    "every other one first": lambda sent: sent[1::2] + sent[::2],
    "mixed": lambda sent: [one for start in (3, 1, 4, 0, 2) for one in sent[start::5][::-1]],
}


def sort_of(text: str) -> str:
    """What kind of line it is, whoever it names."""
    for beginning in ("New review", "The lead's details have come", "Lead cost"):
        if text.startswith(beginning):
            return beginning
    is_message = text.endswith("sent an empty message") or (":" in text and "photo" not in text)
    return "message" if is_message else text.partition(":")[0]


@pytest.mark.parametrize("order", ORDERS)
async def test_every_sample_in_any_order_and_twice_each_is_one_card_and_one_line_each(place, order):
    for path, body in ORDERS[order]([*SAMPLES, *SAMPLES]):
        assert await post(place, path, body) in (200, 202)
    await quiet(place)
    assert {row.state for row in await place.rows(Inbox)} == {WorkState.DONE}
    assert sorted(card["text"] for card in place.cards) == [
        "Handyman · Oakland, CA · More information needed to give an estimate",
        "House Cleaning · San Francisco, CA",
        "House Cleaning · San Francisco, CA · $1,234.56/hour",
        "Interior Painting · Coeur d'Alene, ID · $1,260.50",
        "Interior Painting · Palo Alto, CA",
        "New review: ★★★★★ 5 of 5 · name not given",
    ]
    for card in place.cards:
        lines = sorted(map(sort_of, texts(place, card)))
        lines = [line for line in lines if line not in ("The lead's details have come", "Lead cost")]  # by the order
        if "Palo Alto" in card["text"]:
            assert lines == ["1 photo", "1 photo", "1 photo to open", "New review", "message"]
        if "Coeur d'Alene" in card["text"]:
            assert lines == ["1 file to open", "1 photo", "1 photo to open", "New review", "message"]
    delivered = [str(call.args["metadata"]) for call in place.slack.called("chat.postMessage") if call.ok]
    assert len(set(delivered)) == len(delivered)


# Leads and placeholders


async def test_a_lead_is_a_card_then_its_photos(place):
    assert await post(place, "/v1/lead", bodies.lead()) == 200
    await quiet(place)
    [card] = place.cards
    assert card["text"] == "Interior Painting · Palo Alto, CA · $260/hour"
    assert pictures(card) == 0
    [photos] = place.thread()
    assert pictures(photos) == 1


@pytest.mark.knobs(slack_ring="U0ANA,S0CREW")
async def test_a_message_before_its_lead_opens_a_placeholder_which_the_lead_fills(place):
    lead = bodies.lead()
    assert await post(place, "/v1/message", bodies.message(lead["leadID"], "Do you bring your own ladder?")) == 202
    await quiet(place)
    [card] = place.cards
    assert card["text"] == "Lead details to follow"
    assert "<@U0ANA>" not in shown(card)
    [message] = place.thread()
    assert message["subtype"] == "thread_broadcast"
    assert "<@U0ANA>" in shown(message)
    assert await post(place, "/v1/lead", lead) == 200
    await quiet(place)
    [filled] = place.cards
    assert filled["ts"] == card["ts"]
    assert filled["text"] == "Interior Painting · Palo Alto, CA · $260/hour"
    assert "Maya Alvarez" in shown(filled)
    _, arrived, photos = place.thread()
    assert arrived["subtype"] == "thread_broadcast"
    assert "<@U0ANA>" in shown(arrived)
    assert "<!subteam^S0CREW>" in shown(arrived)
    assert pictures(photos) == 1


async def test_a_review_before_its_lead_opens_a_placeholder_too(place):
    lead = bodies.lead()
    await post(place, "/v1/review", bodies.review(lead["leadID"], "5", "Lovely work"))
    await quiet(place)
    assert [card["text"] for card in place.cards] == ["Lead details to follow"]
    await post(place, "/v1/lead", lead)
    await quiet(place)
    [card] = place.cards
    assert card["text"].startswith("Interior Painting")
    assert [sort_of(text) for text in texts(place)] == ["New review", "The lead's details have come", "1 photo"]


async def test_a_lead_that_comes_before_its_placeholder_was_posted_is_a_card_like_any_other(place):
    """Slack holds the first post back for a while; when it goes out everything is known, so no line says so."""
    await place.slack.archive(CHANNEL)
    lead = bodies.lead()
    await post(place, "/v1/message", bodies.message(lead["leadID"], "Hello?"))
    await place.ingested()
    await post(place, "/v1/lead", lead)
    await place.ingested()
    await place.slack.unarchive(CHANNEL)
    await place.advance(minutes=10)
    await place.seen(lambda: place.cards and len(place.thread()) == 2)
    await quiet(place)
    assert [sort_of(text) for text in texts(place)] == ["message", "1 photo"]


async def test_an_update_before_its_lead_waits_silently_and_shows_on_the_card(place):
    lead = bodies.lead()
    assert await post(place, "/v1/lead/update", bodies.price(lead["leadID"], "$31.50")) == 202
    await quiet(place)
    assert place.slack.messages(CHANNEL) == []
    await post(place, "/v1/lead", lead)
    await quiet(place)
    [card] = place.cards
    assert "$31.50, Charged" in shown(card)
    assert [sort_of(text) for text in texts(place)] == ["1 photo"]


async def test_what_a_lead_lacked_comes_with_its_second_body(place):
    lead = bodies.lead(customer={"phone": None}, request={"attachments": [], "details": []})
    await post(place, "/v1/lead", lead)
    await quiet(place)
    assert "555-0199" not in shown(place.cards[0])
    more = bodies.merged(
        lead,
        {
            "customer": {"phone": "4155550199"},
            "request": {"attachments": [PHOTO], "details": [{"question": "Rooms", "answer": "Four"}]},
        },
    )
    for body in (more, lead, more):
        await post(place, "/v1/lead", body)
    await quiet(place)
    [card] = place.cards
    assert "0199" in shown(card)
    assert "Four" in shown(card)
    assert [pictures(one) for one in place.thread()] == [1]


async def test_staging_is_another_lead_and_marked_as_a_test(place):
    lead = bodies.lead()
    message = bodies.message(lead["leadID"], "Hello?")
    for path, body in [("/v1/lead", lead), ("/staging/v1/lead", lead), ("/staging/v1/message", message)]:
        await post(place, path, body)
    await quiet(place)
    real, test = place.cards
    assert test["text"] == f"TEST · {real['text']}"
    assert [sort_of(text) for text in texts(place, real)] == ["1 photo"]
    assert [sort_of(text) for text in texts(place, test)] == ["1 photo", "message"]


# Messages, prices, reviews


async def test_each_message_is_one_line_in_the_order_of_arrival(place):
    lead = bodies.lead()
    said = [bodies.message(lead["leadID"], f"number {n}") for n in range(5)]
    await post(place, "/v1/lead", lead)
    for body in [*said, *said[::-1]]:
        assert await post(place, "/v1/message", body) == 200
    await quiet(place)
    assert texts(place)[1:] == [f"Maya Alvarez: number {n}" for n in range(5)]


async def test_photos_of_a_message_follow_it_and_a_customers_text_formats_nothing(place):
    lead = bodies.lead()
    body = bodies.message(lead["leadID"], "*Look* <!channel> <@U0ANA>", message={"attachments": [PHOTO, PHOTO]})
    await post(place, "/v1/lead", lead)
    await post(place, "/v1/message", body)
    await quiet(place)
    _, line, photos = place.thread()
    assert line["text"] == "Maya Alvarez: *Look* &lt;!channel&gt; &lt;@U0ANA&gt;"
    assert pictures(photos) == 2


async def test_a_price_changes_the_card_and_leaves_a_line_each_time(place):
    lead = bodies.lead()
    await post(place, "/v1/lead", lead)
    for state in ("Charged", "Charged", "Refunded", "Charged"):
        assert await post(place, "/v1/lead/update", bodies.price(lead["leadID"], "$26.00", state)) == 200
        await quiet(place)
        assert f"$26.00, {state}" in shown(place.cards[0])
    assert texts(place)[1:] == [f"Lead cost: $26.00, {state}" for state in ("Charged", "Refunded", "Charged")]
    assert len(await place.rows(LeadCharge)) == 3


async def test_a_review_is_one_line_for_all_to_see_and_a_later_one_changes_it(place):
    lead = bodies.lead()
    review = bodies.review(lead["leadID"], "3", "It was all right", review={"modifyTime": "1786000000000"})
    await post(place, "/v1/lead", lead)
    await post(place, "/v1/review", review)
    await quiet(place)
    line = place.thread()[-1]
    assert line["subtype"] == "thread_broadcast"
    assert "★★★☆☆" in line["text"]
    for at, rating in (("1785999999999", "1"), ("1786000000000", "2"), ("1786000000001", "5")):
        await post(place, "/v1/review", bodies.merged(review, {"review": {"modifyTime": at, "rating": rating}}))
    await quiet(place)
    assert len(place.thread()) == 2
    changed = place.thread()[-1]
    assert changed["ts"] == line["ts"]
    assert "★★★★★" in changed["text"]
    assert len([call for call in place.slack.called("chat.update") if "★" in str(call.args)]) == 1


async def test_a_review_without_a_lead_is_a_post_of_its_own_with_its_photos(place):
    review = bodies.review(None, "4", "Quick and tidy", review={"photos": [PHOTO]})
    for _ in range(2):
        assert await post(place, "/v1/review", review) == 200
    await quiet(place)
    alone, photos = place.slack.messages(CHANNEL)
    assert "★★★★☆" in alone["text"]
    assert pictures(photos) == 1


# Trouble


async def test_what_waits_when_the_program_stops_is_there_after_it_starts(place):
    leads = [bodies.lead() for _ in range(12)]
    sent = [("/v1/lead", lead) for lead in leads]
    sent += [("/v1/message", bodies.message(lead["leadID"], "Hello?")) for lead in leads]
    for path, body in sent[:15]:
        assert await post(place, path, body) == 200
    await place.stop()
    assert len(await place.rows(Inbox)) == 15
    await place.start()
    for path, body in sent[15:]:
        assert await post(place, path, body) == 200
    await place.stop()
    await place.start()
    await quiet(place)
    assert len(place.cards) == 12
    for card in place.cards:
        assert [sort_of(text) for text in texts(place, card)] == ["1 photo", "message"]
    assert len(await place.rows(Message)) == 12


async def test_requests_under_way_when_it_stops_are_stored_or_refused(place):
    posts = [asyncio.create_task(place.post("/v1/lead", bodies.lead())) for _ in range(20)]
    await asyncio.sleep(0)
    await place.stop()
    statuses = [answer.status_code for answer in await asyncio.gather(*posts)]
    assert set(statuses) <= {200, 503}
    assert len(await place.rows(Inbox)) >= statuses.count(200)


@pytest.mark.parametrize("told", ["keeper", "channel"])
async def test_what_cannot_be_understood_is_shown_to_a_person_and_ingested_after_the_fix(place, told, monkeypatch):
    if told == "keeper":
        await place.stop()
        await place.start(slack_keepers="U0OLGA")
    lead = bodies.lead()
    await post(place, "/v1/lead", lead)
    await quiet(place)
    with monkeypatch.context() as mistake:
        mistake.setattr(writing, "price_changed", None)
        await post(place, "/v1/lead/update", bodies.price(lead["leadID"], "$9"))
        await post(place, "/v1/message", bodies.message(lead["leadID"], "Hello?"))
        await quiet(place)
    notice = (place.slack.direct_messages("U0OLGA") if told == "keeper" else place.cards)[-1]
    assert "corkboard inbox retry 2" in shown(notice)
    assert lead["leadID"] in shown(notice)
    assert "$9" not in shown(notice)
    assert sort_of(texts(place)[-1]) == "message"
    async with place.database.transaction() as tx:
        assert await inbox.retry(tx, 2, now=place.clock()) == 1
    await place.advance(seconds=0)
    await quiet(place)
    assert texts(place)[-1] == "Lead cost: $9, Charged"


@pytest.mark.knobs(inbox_keep_days=2)
async def test_bodies_are_forgotten_after_the_days_that_are_set_and_their_repeats_still_known(place):
    lead = bodies.lead()
    await post(place, "/v1/lead", lead)
    await quiet(place)
    services = place.door.app.state.services
    for days, kept in ((1.9, True), (0.2, False)):
        await place.advance(days=days)
        for job in jobs.JOBS:
            await job.run(services)
        [row] = await place.rows(Inbox)
        assert (row.body is not None) is kept
    await post(place, "/v1/lead", lead)
    assert await post(place, "/v1/message", bodies.message(lead["leadID"], "Hello?")) == 200
    await quiet(place)
    assert len(place.cards) == 1
    assert [row.route for row in await place.rows(Inbox)] == ["/v1/lead", "/v1/message"]
