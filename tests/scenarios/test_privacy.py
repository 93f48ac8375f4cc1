"""Private leads: what the customer says reaches Slack only in the window of who opens it, and that is on the record."""

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from support.conversation import ANA, BEN, Conversation, buttons
from support.office import ADMIN, CHANNEL, Office

from sandbox.faults import Fault
from sandbox.slack.failures import down, slack_error
from sandbox.thumbtack import bodies
from storage import cards, forgetting, outbox
from storage.models import Audit, Business, Lead, Review, SavedReply, Thread
from storage.outbox import Kind, slack_lane

PAYLOADS = Path(__file__).parents[1] / "payloads"
V4 = "/v4/webhooks"
SECRET = re.compile(r"Hidden\d+x")
PLAIN = ("Sep 26", "Sep 27", "6:00", "0123", "1234567", "94301", "1,025", "2,469", "1234.56", "door.jpg", "attachment/")
"""What is shown of the values that cannot be any words: times, numbers, prices, files."""

DATE = re.compile(r"<!date[^>]*>")

FIXED = re.compile(
    r"ID$|eventType|[aA]t$|Time$|start|end|url|URL|phone|zipCode|accessCode|mimeType|[Tt]otal|rice|status|charge|Link|from|type"
)
"""Fields that are what they are, by name."""

BUSINESSES = frozenset({"business", "contactedBusinesses"})
UNSHOWN = frozenset({"displayName", "fileName"})
"""Words that a fuller name, or a description, stands for."""

WINDOWS = frozenset({"views.open", "views.push", "views.update"})

private = pytest.mark.knobs(privacy="private")


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / name).read_bytes())
    return found


class Secrets:
    """Makes every word of a customer one that can be found again, wherever it turns up."""

    def __init__(self) -> None:
        self.count = itertools.count(1)
        self.shown: set[str] = set()

    def hide(self, value: Any, name: str = "") -> Any:
        """The same body with marked words in it; the businesses' own data stay."""
        if isinstance(value, dict):
            return {key: one if key in BUSINESSES else self.hide(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [self.hide(one, name) for one in value]
        return self.word(value, name) if isinstance(value, str) and not FIXED.search(name) else value

    def word(self, text: str = "", name: str = "") -> str:
        """The text with a word of its own at its end."""
        made = f"Hidden{next(self.count)}x"
        self.shown |= set() if name in UNSHOWN else {made}
        return f"{text} {made}".strip()


def leaks(place: Office) -> list[str]:
    """What the bot told Slack of a customer anywhere but in windows."""
    found = []
    for call in place.slack.calls:
        if call.method not in WINDOWS:
            found += [f"{call.method}: {word}" for word in SECRET.findall(json.dumps(call.args))]
            told = DATE.sub("", " ".join(texts(call.args)))
            found += [f"{call.method}: {word}" for word in PLAIN if word in told]
    return found


def texts(value: Any, key: str = "") -> Iterator[str]:
    """All that people can read or follow; our own ids and times may look like anything."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from texts(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one, key)
    elif key in {"text", "url", "image_url", "alt_text"}:
        yield str(value)


def window_text(place: Office, user: str = ANA) -> str:
    window = place.window(user)
    assert window is not None, place.slack.transcript()
    return place.read({"blocks": window["blocks"]})


async def big_lead(place: Office, secrets: Secrets) -> str:
    """A v4 lead with every field, and all that may follow it; Thumbtack's id of it."""
    lead = secrets.hide(load("v4_negotiation_created.json")["data"])
    lead["request"]["details"] += [
        {"question": secrets.word(f"Question {n}?"), "answer": secrets.word("An answer of some length. " * 8)}
        for n in range(60)
    ]
    negotiation = str(lead["negotiationID"])
    assert (await place.post(V4, {"event": {"eventType": "NegotiationCreatedV4"}, "data": lead})).status_code == 200
    await place.at_rest()
    for name in FOLLOWS:
        body = load(f"{name}.json")
        body["data"] = secrets.hide(body["data"]) | {"negotiationID": negotiation}
        if "from" in body["data"]:
            body["data"] |= {"sentAt": "2026-09-30T09:49:51Z"}
        assert (await place.post(V4, body)).status_code == 200, name
    price = bodies.price(negotiation, "$1,025.01", secrets.word("Charged"))
    assert (await place.post("/v1/lead/update", price, method="PUT")).status_code == 200
    await place.at_rest()
    return negotiation


FOLLOWS = ("v4_message_from_customer", "v4_message_attachment_only", "v4_message_from_business", "v4_review_created")


async def status_changes(place: Office, status: str) -> None:
    """Thumbtack shows the one lead otherwise, as it tells where it is asked."""
    async with place.database.transaction() as tx:
        (lead,) = (await tx.execute(select(Lead))).scalars()
        lead.status = status
        lane, payload = slack_lane(lead.id or 0), {"status": status}
        await outbox.enqueue(tx, Kind.POST_STATUS, now=place.clock(), lane=lane, lead_id=lead.id, payload=payload)
        await cards.update(tx, lead.id or 0, now=place.clock())
    await place.advance(seconds=1)
    await place.at_rest()


async def next_pages(place: Office, *, user: str = ANA) -> list[str]:
    """The pages behind the one that somebody reads."""
    pages: list[str] = []
    while "reveal_next" in str(place.window(user)):
        await place.press("reveal_next", user=user)
        pages.append(window_text(place, user))
        assert len(pages) < 50
    return pages


async def open_lead(place: Office, *, user: str = ANA) -> str:
    """What somebody reads in the window behind the newest Open button; "" where none opened."""
    place.slack.workspace.views.clear()
    await place.press("lead_reveal", user=user)
    await place.at_rest()
    return window_text(place, user) if place.window(user) else ""


@private
async def test_nothing_that_a_customer_is_or_says_is_in_any_call_but_that_of_the_window(place: Office):
    secrets = Secrets()
    business_id = load("v4_negotiation_created.json")["data"]["business"]["businessID"]
    place.thumbtack.grants.add_business(business_id, "Tim's Painting Business")
    await place.connect("v4", [business_id])
    negotiation = await big_lead(place, secrets)
    (card,) = [one for one in place.cards if "lead_claim" in buttons(one)]
    _connected, *news = [call.args["text"] for call in place.slack.called("chat.postMessage")]
    assert news[0] == "New lead"
    assert set(news) == {"New lead", "New message", "New review", "What this lead costs has changed."}
    assert "Tim's Painting Business" in place.read(card)
    assert all(re.search("(lead|review)_reveal", str(one["blocks"])) for one in place.thread(card))
    # the team works it
    for action in ("lead_claim", "lead_release", "lead_lost", "lead_reopen"):
        await place.press(action, user=ANA)
        await place.at_rest()
    async with place.database.transaction() as tx:
        greeting = "Hi {first_name}, thanks for asking {business} about {category} in {city}."
        team = {"team_id": "T0CORKBOARD", "changed_by": ANA, "changed_at": place.clock()}
        tx.add(SavedReply(name="Hello", text=greeting, **team))
    await place.press("lead_saved", user=ANA)
    assert "thanks for asking Tim's Painting Business" in str(place.window(ANA))
    assert SECRET.search(str(place.window(ANA))) is None
    place.slack.workspace.views.clear()
    await place.press("reply_open", user=ANA)
    assert SECRET.search(window_text(place)) is None
    await place.submit({"text": secrets.word("Our answer")}, user=ANA)
    await place.at_rest()
    place.thumbtack.faults.add("message", Fault(status=400, body={"title": "Not valid: Hidden90001x"}))
    await place.press("reply_open", user=ANA)
    await place.submit({"text": secrets.word("Another answer")}, user=ANA)
    await place.at_rest()
    await status_changes(place, "Hidden90002x")
    await place.command("leads", user=ANA)
    await place.slack.open_home(ANA)
    await place.at_rest()
    assert leaks(place) == []
    assert "Our answer" in place.thumbtack.received(negotiation)[0]
    # whoever opens it sees everything
    pages = [await open_lead(place), *await next_pages(place)]
    assert len(pages) > 1
    assert secrets.shown - set(SECRET.findall("\n".join(pages))) == set()
    assert leaks(place) == []


@pytest.mark.knobs(privacy="private", remind_after_minutes="5,15,60", surface_after_hours=24)
async def test_reminders_the_automatic_reply_and_questions_to_writers_say_nothing_either(place: Office):
    secrets = Secrets()
    await Conversation.opened(place)  # the business is known from here
    async with place.database.transaction() as tx:
        answer = "Hi {first_name}, thanks for asking about {category} in {city}."
        await tx.execute(update(Business).values(first_reply=answer, first_reply_when="always", on_duty=[BEN]))
    words = {key: secrets.word() for key in ("category", "title", "description")} | {
        "location": {"city": secrets.word()}
    }
    conversation = await Conversation.opened(place, request=words, customer={"customerID": "7", "name": secrets.word()})
    for minutes in (2, 4, 10, 45):
        await place.advance(minutes=minutes)
        await place.at_rest()
    assert SECRET.search(conversation.received[0])  # the customer is called by their name
    await place.post("/v1/message", bodies.message(conversation.lead_id, secrets.word()))
    await conversation.press("lead_claim", by=BEN)
    await conversation.say("I can come, if you like.", by=ANA)  # it is Ben's lead
    await place.at_rest()
    await place.advance(hours=30)
    await place.at_rest()
    await place.post("/v1/message", bodies.message(conversation.lead_id, secrets.word()))
    await place.at_rest()
    assert len(place.told(ANA)) == 1  # the question came to her directly
    assert [word for word in leaks(place) if SECRET.search(word)] == []
    assert BEN in str([line["blocks"] for line in conversation.lines])


@private
async def test_who_opens_it_is_on_the_record_and_pages_turn_both_ways(place: Office):
    secrets = Secrets()
    await big_lead(place, secrets)
    first = await open_lead(place)
    assert "Messages, the newest first" in first
    await place.press("reveal_next", user=ANA)
    second = window_text(place)
    assert second != first
    await place.press("reveal_back", user=ANA)
    assert window_text(place) == first
    await place.press("lead_number", user=ANA)  # beside the number in the window
    assert "third party" in window_text(place)
    await open_lead(place, user=BEN)
    rows = await place.rows(Audit)
    assert [(row.action, row.actor, row.subject) for row in rows] == [
        ("lead_opened", ANA, "1"),
        ("lead_opened", BEN, "1"),
    ]
    assert "Hidden" not in str([row.model_dump() for row in rows])
    assert "opened" not in await place.command("status", user=ADMIN)  # nothing was changed


@private
async def test_who_may_not_sees_no_window_and_a_sentence(place: Office):
    conversation = await Conversation.opened(place)
    slack = place.slack
    slack.add_person("U0GUEST", "Gus", is_restricted=True, channels=(CHANNEL,))
    slack.add_person("U0OTHER", "Oda", team_id="T0OTHER", channels=(CHANNEL,))
    slack.add_person("U0PASSER", "Pat")
    slack.add_person("U0LATE", "Lea", channels=(CHANNEL,))

    async def told(user: str) -> str:
        """What they are told who press; Slack lets people look into a channel that they are not in."""
        assert (await slack.press(user, CHANNEL, conversation.ts, "lead_reveal")).status == 200
        await place.at_rest()
        assert place.window(user) is None
        return place.whispers(user)[-1]

    assert "Guests" in await told("U0GUEST")
    assert "other companies" in await told("U0OTHER")
    assert "Only people who are in this channel" in await told("U0PASSER")
    slack.faults.stand("users.conversations", down())
    assert "Slack did not answer" in await told("U0LATE")
    slack.faults.clear("users.conversations")
    slack.faults.stand("views.open", slack_error("expired_trigger_id"))
    assert "Press the button again" in await told("U0LATE")
    tried = [row.actor for row in await place.rows(Audit)]
    assert tried == ["U0LATE"]  # on the record before Slack is asked to show it
    async with place.database.transaction() as tx:
        await tx.execute(update(Thread).values(channel="C0ELSEWHERE"))
    assert "another channel" in await told("U0LATE")


@pytest.mark.knobs(privacy="private", slack_keepers=("U0GUEST",))
async def test_a_guest_whom_the_team_relies_on_may(place: Office):
    place.slack.add_person("U0GUEST", "Gus", is_restricted=True, channels=(CHANNEL,))
    await Conversation.opened(place)
    assert "Maya Alvarez" in await open_lead(place, user="U0GUEST")


@private
async def test_a_lead_that_was_erased_leaves_a_sentence_also_where_its_window_is_open(place: Office):
    conversation = await Conversation.opened(
        place, request={"details": [{"question": f"Q{n}", "answer": "long " * 99} for n in range(60)]}
    )
    await open_lead(place)
    async with place.database.transaction() as tx:
        await forgetting.leads(tx, [1], now=place.clock())
    await place.press("reveal_next", user=ANA)
    assert "not known here" in window_text(place)
    assert (await place.slack.press(BEN, CHANNEL, conversation.ts, "lead_reveal")).status == 200
    await place.at_rest()
    assert "not known here" in place.whispers(BEN)[-1]
    assert place.window(BEN) is None


async def test_each_business_decides_for_itself_and_a_lead_of_nobody_yet_is_private_where_any_is(place: Office):
    await Conversation.opened(place)
    async with place.database.transaction() as tx:
        await tx.execute(update(Business).values(privacy="private"))
    hidden = await Conversation.opened(place)
    shown = await Conversation.opened(place, business={"businessID": "510000000000000909", "name": "Elm Street Paints"})
    texts = {card["ts"]: card["text"] for card in place.cards}
    assert texts[hidden.ts] == "New lead"
    assert "Interior Painting" in texts[shown.ts]
    nameless = bodies.message(bodies.new_id(), "Hello, this is Maya", businessID=bodies.MISSING)
    assert (await place.post("/v1/message", nameless)).status_code == 202
    await place.at_rest()
    card = place.cards[-1]
    assert card["text"] == "New lead"
    assert "Maya" not in str(place.thread(card))


@private
async def test_a_review_that_belongs_to_no_lead_opens_by_itself(place: Office):
    body = bodies.review(None, "5", "They saw us through the divorce.")
    body["review"]["photos"] = [{"fileName": "door.jpg", "url": "https://www.thumbtack.com/attachment/a/door.jpg"}]
    assert (await place.post("/v1/review", body)).status_code == 200
    await place.at_rest()
    (post,) = place.slack.messages(CHANNEL)
    assert post["text"] == "New review"
    assert "divorce" not in str(place.slack.calls)
    await place.press("review_reveal", user=ANA)
    assert "They saw us through the divorce." in window_text(place)
    (row,) = await place.rows(Audit)
    (review,) = await place.rows(Review)
    assert (row.action, row.subject) == ("review_opened", str(review.id))


@private
async def test_who_opened_it_answers_from_there(place: Office):
    conversation = await Conversation.opened(place)
    assert "[ Reply ]" in await open_lead(place)
    await place.press("reply_open", user=ANA)
    assert await place.submit({"text": "We come at nine."}, user=ANA) == {}
    await place.thumbtack.wait_until(lambda: conversation.received == ["We come at nine."])
    await place.at_rest()
    assert "nine" not in str(place.slack.messages(CHANNEL))
    assert "[ Reply ]" in window_text(place, ANA)  # the lead is still open below
    place.slack.faults.stand("views.push", slack_error("expired_trigger_id"))
    await place.press("reply_open", user=ANA)
    await place.at_rest()
    assert "Press Reply again" in place.told(ANA)[-1]
