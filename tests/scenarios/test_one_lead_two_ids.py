"""One lead that both of Thumbtack's APIs tell of, each by its own id: one card, one thread, whatever comes first."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col
from support.conversation import ANA, CHECK, HOURGLASS, calling, said
from support.office import CHANNEL, Office
from support.two_ids import one_request

from sandbox.faults import Fault
from sandbox.thumbtack import bodies, v4_bodies
from storage.models import Connection, ConnectionState, Lead, Thread

pytestmark = pytest.mark.knobs(reply_hold_seconds=0)

LEGACY_SAYS, V4_SAYS = "Is Tuesday fine?", "I could also send a photo of the door."


class Twice:
    """One request, as both APIs tell of it."""

    def __init__(self, place: Office) -> None:
        self.place = place
        now = datetime.now(UTC)
        self.legacy, self.v4 = one_request(now)
        self.legacy_id, self.v4_id = str(self.legacy["leadID"]), str(self.v4["negotiationID"])
        self.legacy_message = bodies.message(self.legacy_id, LEGACY_SAYS)
        self.v4_message = v4_bodies.message(self.v4, self.v4_id, V4_SAYS, sender="Customer", at=now)

    async def tell(self, what: str) -> None:
        """Thumbtack tells of the lead or a message, by one of its APIs; the same again is another body."""
        again = {"again": bodies.new_id()}
        match what:
            case "legacy lead":
                answer = await self.place.post("/v1/lead", self.legacy | again)
            case "legacy message":
                answer = await self.place.post("/v1/message", self.legacy_message | again)
            case "v4 lead":
                answer = await self.event("NegotiationCreatedV4", self.v4 | again)
            case _:
                answer = await self.event("MessageCreatedV4", self.v4_message | again)
        assert answer.status_code in (200, 202)
        await self.place.ingested()

    async def event(self, kind: str, data: dict[str, Any]) -> Any:
        body = v4_bodies.event(kind, data, webhook_id="1", at=datetime.now(UTC))
        return await self.place.post("/v4/webhooks", body)

    async def settled(self) -> dict[str, Any]:
        """The one card, once everything was said and taken away."""
        await self.place.at_rest()
        await self.place.advance(seconds=5)  # a pointer waits for the card that it points to
        await self.place.at_rest()
        [card] = self.place.cards
        return card

    def words(self, card: dict[str, Any]) -> list[str]:
        return [said(one) for one in self.place.thread(card)]


EVENTS = ("legacy lead", "legacy message", "v4 lead", "v4 message")
ORDERS = [
    ("legacy lead", "v4 message", "v4 lead", "legacy message"),
    ("v4 message", "legacy message", "v4 lead", "legacy lead"),
    ("legacy message", "v4 lead", "legacy lead", "v4 message"),
]


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
@pytest.mark.parametrize("at_leisure", [True, False], ids=["at leisure", "at once"])
async def test_in_any_order_and_twice_it_is_one_thread(place, order, at_leisure):
    twice = Twice(place)
    for what in (*order, *order):
        await twice.tell(what)
        if at_leisure:
            await place.at_rest()
    told = "\n".join(twice.words(await twice.settled()))
    assert (told.count(LEGACY_SAYS), told.count(V4_SAYS)) == (1, 1)


async def test_the_later_api_fills_what_the_earlier_did_not_tell(place):
    twice = Twice(place)
    await twice.tell("legacy lead")
    await place.at_rest()
    before = said(place.cards[0])
    await twice.tell("v4 lead")
    after = said(await twice.settled())
    assert "Proposed:" not in before
    assert "Proposed:" in after
    assert [lead.status for lead in await place.rows(Lead)] == ["Open"]


async def joined_where_ana_wrote(twice: Twice, place: Office, words: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """A placeholder under which a person wrote joins the lead: the lead's card, the pointer, the person's message."""
    await twice.tell("v4 lead")
    await place.at_rest()
    [card] = place.cards
    await twice.tell("legacy message")
    await place.at_rest()
    pointer = place.cards[1]
    answer = await place.slack.say(ANA, CHANNEL, words, thread_ts=pointer["ts"])
    assert answer.ts is not None
    await twice.tell("legacy lead")
    return card, pointer, answer.ts


async def test_where_people_wrote_the_other_card_becomes_a_pointer_that_still_works(place):
    twice = Twice(place)
    card, other, ts = await joined_where_ana_wrote(twice, place, "We come at nine.")
    await place.at_rest()
    pointer = place.slack.message(CHANNEL, other["ts"])
    assert "told of this lead twice" in said(pointer)
    assert card["ts"].replace(".", "") in str(pointer["blocks"])
    assert "\n".join(twice.words(card)).count(LEGACY_SAYS) == 1
    assert (place.thumbtack.received(twice.legacy_id), place.mark(ts)) == (["We come at nine."], [CHECK])
    later = await place.slack.say(ANA, CHANNEL, "Or at ten.", thread_ts=other["ts"])
    await place.seen(lambda: place.mark(later.ts) == [CHECK])
    assert place.thumbtack.received(twice.legacy_id) == ["We come at nine.", "Or at ten."]
    there = await place.slack.say(ANA, CHANNEL, "See you.", thread_ts=card["ts"])
    await place.seen(lambda: place.mark(there.ts) == [CHECK])
    assert place.thumbtack.received(twice.legacy_id)[-1] == "See you."


@pytest.mark.knobs(reply_hold_seconds=60)
async def test_a_reply_that_waits_under_the_other_card_goes_to_the_customer(place):
    twice = Twice(place)
    *_, ts = await joined_where_ana_wrote(twice, place, "We come at nine.")
    await place.at_rest()
    assert (place.thumbtack.received(twice.legacy_id), place.mark(ts)) == ([], [HOURGLASS])
    await place.advance(seconds=61)
    await place.seen(lambda: place.mark(ts) == [CHECK])
    assert place.thumbtack.received(twice.legacy_id) == ["We come at nine."]


async def test_a_reply_that_is_being_sent_while_the_leads_join_is_delivered_once(place):
    twice = Twice(place)
    await twice.tell("v4 lead")
    await twice.tell("legacy message")
    await place.at_rest()
    asked = calling(place.thumbtack.faults, "message")
    place.thumbtack.faults.add("message", Fault(delay=0.5))
    answer = await place.slack.say(ANA, CHANNEL, "On my way.", thread_ts=place.cards[1]["ts"])
    await asked.wait()
    await twice.tell("legacy lead")
    await place.seen(lambda: place.mark(answer.ts) == [CHECK])
    assert place.thumbtack.received(twice.legacy_id) == ["On my way."]
    [stays] = [one for one in await place.rows(Lead) if one.joined_id is None]
    assert (stays.first_answer_by, stays.first_answer_via) == (ANA, "slack")


@pytest.mark.parametrize("fault", [Fault(delay=0.5), Fault(lose_answer=True)], ids=["slow", "lost"])
async def test_a_card_that_is_being_posted_while_the_leads_join_is_taken_away(place, fault):
    twice = Twice(place)
    await twice.tell("v4 lead")
    await place.at_rest()
    asked = calling(place.slack.faults, "chat.postMessage")
    place.slack.faults.add("chat.postMessage", fault)
    await twice.tell("legacy message")
    await asked.wait()
    await twice.tell("legacy lead")
    card = await twice.settled()
    assert "\n".join(twice.words(card)).count(LEGACY_SAYS) == 1
    assert {one.lead_id for one in await place.rows(Thread)} == {1, 2}


async def test_a_window_that_was_opened_before_the_leads_joined_still_reaches_the_customer(place):
    twice = Twice(place)
    await twice.tell("v4 lead")
    await twice.tell("legacy message")
    await place.at_rest()
    await place.slack.press(ANA, CHANNEL, place.cards[1]["ts"], "reply_open")
    await twice.tell("legacy lead")
    card = await twice.settled()
    assert (await place.slack.submit(ANA, {"text": "By the window."})).body == ""
    await place.seen(lambda: place.thumbtack.received(twice.legacy_id) == ["By the window."])
    await place.seen(lambda: "By the window." in "\n".join(twice.words(card)))


async def test_reviews_and_charges_of_the_placeholder_are_told_in_the_leads_thread(place):
    twice = Twice(place)
    await twice.tell("v4 lead")
    await place.at_rest()
    await place.post("/v1/review", bodies.review(twice.legacy_id, "5", "Splendid work."))
    await place.post("/v1/lead/update", bodies.price(twice.legacy_id, "$77.00"), method="PUT")
    await place.at_rest()
    await twice.tell("legacy lead")
    told = "\n".join(twice.words(await twice.settled()))
    assert (told.count("Splendid work."), told.count("$77.00")) == (1, 1)
    assert "$77.00" in said(place.cards[0])


@pytest.mark.parametrize(
    ("connected", "via", "by_v4_id"),
    [((), "v1", False), (("legacy",), "v2", False), (("v4",), "v4", True), (("legacy", "v4"), "v4", True)],
    ids=str,
)
async def test_a_reply_goes_by_the_api_that_can_with_its_own_id(place, connected, via, by_v4_id):
    twice = Twice(place)
    for generation in connected:
        await place.connect(generation, businesses=[bodies.BUSINESS_ID])
    await twice.tell("legacy lead")
    await twice.tell("v4 lead")
    await place.at_rest()
    card = next(one for one in place.cards if "Interior Painting" in one["text"])
    await written(place, "Gladly.", under=card)
    [sent] = place.thumbtack.sent
    assert (sent.via, sent.lead_id) == (via, twice.v4_id if by_v4_id else twice.legacy_id)


@pytest.mark.parametrize(
    "trouble",
    [{"scopes": ["supply::negotiations.read"]}, {"state": ConnectionState.BROKEN}],
    ids=["without the scope", "broken"],
)
async def test_a_reply_goes_by_the_pro_api_where_v4_cannot(place, trouble):
    twice = Twice(place)
    for generation in ("legacy", "v4"):
        await place.connect(generation, businesses=[bodies.BUSINESS_ID])
    async with place.database.transaction() as tx:
        await tx.execute(update(Connection).where(col(Connection.generation) == "v4").values(**trouble))
    await twice.tell("v4 lead")
    await twice.tell("legacy lead")
    await place.at_rest()
    card = next(one for one in place.cards if "Gutter Cleaning" in one["text"])
    await written(place, "Gladly.", under=card)
    [sent] = place.thumbtack.sent
    assert (sent.via, sent.lead_id) == ("v2", twice.legacy_id)


async def stays(place: Office) -> Lead:
    """The lead that the other joined."""
    [lead] = [one for one in await place.rows(Lead) if one.joined_id is None]
    return lead


async def written(place: Office, words: str, *, under: dict[str, Any]) -> None:
    """Ana answers, and the customer has it."""
    answer = await place.slack.say(ANA, CHANNEL, words, thread_ts=under["ts"])
    await place.seen(lambda: place.mark(answer.ts) == [CHECK])
    await place.at_rest()


async def test_an_answer_under_the_card_that_goes_answers_the_lead_that_stays(place):
    twice = Twice(place)
    for what in ("v4 lead", "legacy message"):
        await twice.tell(what)
        await place.at_rest()
    await written(place, "We come at nine.", under=place.cards[1])
    await twice.tell("legacy lead")
    await place.at_rest()
    lead = await stays(place)
    assert (lead.owner, lead.waiting_since) == (ANA, None)


async def test_a_question_under_the_card_that_goes_waits_with_the_lead_that_stays(place):
    twice = Twice(place)
    await twice.tell("legacy lead")
    await place.at_rest()
    await written(place, "We come at nine.", under=place.cards[0])
    assert (await stays(place)).waiting_since is None
    for what in ("v4 message", "v4 lead"):
        await twice.tell(what)
        await place.at_rest()
    assert (await stays(place)).waiting_since
