"""What happened at Thumbtack becomes rows, and in each lead's lane what Slack is to be told, in order."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from support.gate import Gate

from sandbox.thumbtack import bodies
from sandbox.thumbtack.bodies import MISSING
from storage import inbound
from storage.inbound import Told
from storage.models import (
    Business,
    Customer,
    Environment,
    Lead,
    LeadCharge,
    LeadEvent,
    Message,
    Outbox,
    Review,
    Row,
    WorkState,
)
from webhooks.thumbtack.facts import Generation, Sender

PHOTO = {"fileName": "a.jpg", "mimeType": "image/jpeg", "url": "https://www.thumbtack.com/attachment/00a1/a.jpg"}
CARD = ["post_lead", "post_details", "post_photos"]
CARD_ALONE = ["post_lead"]


async def said(door: Gate) -> list[str]:
    """What Slack is to be told, in order; told of once."""
    kinds = [row.kind for row in await door.rows(Outbox) if row.settled_at is None]
    async with door.database.transaction() as tx:
        await tx.execute(update(Outbox).values(state=WorkState.DONE, settled_at=datetime.now(UTC)))
    return kinds


async def the_lead(door: Gate) -> Lead:
    [lead] = await door.rows(Lead)
    return lead


def columns(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in type(row).model_fields}


def without(body: dict[str, Any], **overrides: Any) -> dict[str, Any]:
    return bodies.merged(body, overrides)


# Leads


async def test_a_lead_becomes_a_row_with_its_business_and_customer_and_a_card(door):
    body = bodies.lead(leadPrice="$26.00", chargeState="Charged")
    await door.ingested(("/v1/lead", body))
    lead = await the_lead(door)
    [business], [customer] = await door.rows(Business), await door.rows(Customer)
    assert (lead.business_id, lead.customer_id, customer.business_id) == (business.id, customer.id, business.id)
    assert (business.name, customer.name, customer.phone) == (bodies.BUSINESS_NAME, "Maya Alvarez", "4155550134")
    assert (lead.city, lead.state, lead.zip_code, lead.category) == ("Palo Alto", "CA", "94301", "Interior Painting")
    assert (lead.price_text, lead.price_cents) == ("$260/hour", 26_000)
    assert (lead.charge_text, lead.charge_cents, lead.charge_state) == ("$26.00", 2_600, "Charged")
    assert lead.details[2] == {"question": "Who provides the paint?", "answer": "I'm not sure"}
    assert lead.created_at == datetime.fromtimestamp(int(body["createTimestamp"]), UTC)
    assert lead.received_at is not None
    assert await said(door) == CARD
    [charge], [happened] = await door.rows(LeadCharge), await door.rows(LeadEvent)
    assert (charge.raw, charge.cents, charge.state, charge.source) == ("$26.00", 2_600, "Charged", "lead")
    assert (happened.kind, happened.via) == ("received", "thumbtack")
    assert {row.lane for row in await door.rows(Outbox)} == {f"slack:{lead.id}"}


async def test_the_same_lead_in_another_body_says_nothing_where_nothing_is_new(door):
    body = bodies.lead()
    await door.ingested(("/v1/lead", body))
    assert await said(door) == CARD
    await door.ingested(("/v1/lead", without(body, somethingNew=1)), ("/v1/lead", without(body, price=None)))
    assert await said(door) == []
    assert len(await door.rows(LeadEvent)) == 1


async def test_a_later_body_fills_what_is_empty_and_never_empties(door):
    full = bodies.lead(leadPrice="$26.00", chargeState="Charged")
    bare = without(
        full,
        createTimestamp=None,
        price=None,
        leadPrice=None,
        chargeState=None,
        leadType="",
        request={
            "category": MISSING, "title": " ", "description": None, "schedule": None, "location": None,
            "travelPreferences": None, "details": [], "attachments": [],
        },
        customer={"name": None, "phone": None},
        business={"name": ""},
    )  # fmt: skip
    await door.ingested(("/v1/lead", bare))
    assert await said(door) == ["post_lead", "post_details"]
    await door.ingested(("/v1/lead", full))
    assert await said(door) == ["update_card", "post_details", "post_photos", "post_charge"]
    filled = columns(await the_lead(door))
    [business], [customer] = await door.rows(Business), await door.rows(Customer)
    assert (business.name, customer.name, customer.phone) == (bodies.BUSINESS_NAME, "Maya Alvarez", "4155550134")
    assert (filled["city"], filled["price_cents"], filled["lead_type"]) == ("Palo Alto", 26_000, "INSTANT_BOOK")
    await door.ingested(("/v1/lead", without(bare, again=True)))
    assert await said(door) == []
    assert columns(await the_lead(door)) == {**filled, "extra": {"again": True}}


async def test_what_is_filled_stays_whatever_a_later_body_says(door):
    body = bodies.lead()
    await door.ingested(("/v1/lead", body))
    await said(door)
    before = columns(await the_lead(door))
    other = without(
        body, price="$1", leadType="CALL", request={"title": "Other", "details": [], "location": {"city": "Oakland"}}
    )
    await door.ingested(("/v1/lead", other))
    assert columns(await the_lead(door)) == before
    assert await said(door) == []


async def test_photos_that_come_with_a_later_body_are_posted_once(door):
    body = bodies.lead(request={"attachments": MISSING})
    with_photos = without(body, request={"attachments": [PHOTO]})
    await door.ingested(("/v1/lead", body), ("/v1/lead", with_photos))
    assert await said(door) == ["post_lead", "post_details", "update_card", "post_photos"]
    await door.ingested(("/v1/lead", without(with_photos, again=1)))
    assert await said(door) == []


async def test_a_customers_number_that_comes_later_changes_the_card(door):
    body = bodies.lead(customer={"phone": MISSING})
    await door.ingested(("/v1/lead", body))
    await said(door)
    await door.ingested(("/v1/lead", without(body, customer={"phone": "4155550199"})))
    assert await said(door) == ["update_card"]


async def test_a_price_text_that_says_nothing_in_cents_keeps_none(door):
    body = bodies.lead(price="N/A")
    await door.ingested(("/v1/lead", body), ("/v1/lead", without(body, price="$99")))
    lead = await the_lead(door)
    assert (lead.price_text, lead.price_cents) == ("N/A", None)


async def test_a_price_of_nothing_is_a_price(door):
    await door.ingested(("/v1/lead", bodies.lead(price="$0.00", leadPrice="$0")))
    lead = await the_lead(door)
    assert (lead.price_cents, lead.charge_cents) == (0, 0)


async def test_what_thumbtacks_test_button_sends_is_a_test_also_when_that_shows_later(door):
    body = bodies.lead(business={"name": None})
    await door.ingested(("/v1/lead", body))
    assert not (await the_lead(door)).is_test
    await said(door)
    await door.ingested(("/v1/lead", without(body, business={"name": "Test Business for Webhooks"})))
    assert (await the_lead(door)).is_test
    assert await said(door) == ["update_card"]


async def test_unknown_fields_are_kept_at_every_depth_from_every_body(door):
    body = bodies.lead(color="blue", request={"mood": "fine"})
    await door.ingested(("/v1/lead", body), ("/v1/lead", without(body, color="red", request={"size": "large"}, n=1)))
    assert (await the_lead(door)).extra == {"color": "blue", "n": 1, "request": {"mood": "fine", "size": "large"}}


async def test_what_an_update_has_beyond_a_price_is_kept_too(door):
    await door.ingested(("/v1/lead/update", bodies.price("9001", "$5", reason="goodwill")))
    assert (await the_lead(door)).extra == {"reason": "goodwill"}


async def test_a_lead_that_names_no_business_keeps_its_customer(door):
    for business in (None, MISSING, "text", []):
        await door.ingested(("/v1/lead", bodies.lead(business=business)))
        assert await said(door) == CARD
    [customer] = await door.rows(Customer)
    assert customer.name == "Maya Alvarez"
    assert {(lead.business_id, lead.customer_id) for lead in await door.rows(Lead)} == {(None, customer.id)}


async def test_one_customer_id_at_two_businesses_is_two_customers(door):
    await door.ingested(
        ("/v1/lead", bodies.lead()), ("/v1/lead", bodies.lead(business={"businessID": "1"}, customer={"name": "M."}))
    )
    assert [customer.name for customer in await door.rows(Customer)] == ["Maya Alvarez", "M."]
    assert len(await door.rows(Business)) == 2


async def test_the_same_id_in_the_other_environment_is_another_lead(door):
    body = bodies.lead()
    message = bodies.message(body["leadID"], "hello")
    await door.ingested(
        ("/v1/lead", body), ("/staging/v1/lead", body), ("/staging/v1/message", message), ("/v1/message", message)
    )
    leads = await door.rows(Lead)
    assert [lead.environment for lead in leads] == ["production", "staging"]
    assert [(one.lead_id, one.environment) for one in await door.rows(Message)] == [
        (leads[1].id, "staging"),
        (leads[0].id, "production"),
    ]
    assert len(await door.rows(Business)) == 2


# Messages


async def test_messages_go_behind_the_card_each_once(door):
    body = bodies.lead()
    first, second = bodies.message(body["leadID"], "one"), bodies.message(body["leadID"], "one")
    await door.ingested(("/v1/lead", body), ("/v1/message", first), ("/v1/message", second), ("/v1/message", first))
    assert await said(door) == [*CARD, "post_message", "post_message"]
    assert [one.text for one in await door.rows(Message)] == ["one", "one"]


async def test_a_message_told_again_says_nothing_but_the_photos_it_lacked(door):
    message = bodies.message("9101", "look")
    with_photo = without(message, message={"attachments": [PHOTO]})
    await door.ingested(("/v1/lead", bodies.lead(leadID="9101")), ("/v1/message", message))
    assert await said(door) == [*CARD, "post_message"]
    await door.ingested(("/v1/message", with_photo), ("/v1/message", without(with_photo, message={"text": "other"})))
    assert await said(door) == ["post_photos"]
    [kept] = await door.rows(Message)
    assert (kept.text, len(kept.attachments)) == ("look", 1)


async def test_one_message_told_of_two_leads_stands_where_it_was_told_first(door):
    message = bodies.message("9103", "hello")
    other = without(message, leadID="9104", message={"attachments": [PHOTO]})
    await door.ingested(("/v1/message", message))
    assert await said(door) == ["post_lead", "post_message"]
    await door.ingested(("/v1/message", other))
    assert await said(door) == []


@pytest.mark.parametrize("minutes", [0, 1, 10])
async def test_messages_that_wait_take_the_order_in_which_they_were_written_however_long_they_waited(door, minutes):
    begun = int(time.time()) - 3600
    later, earlier = (
        bodies.message("9105", text, message={"createTimestamp": str(begun + minute * 60)})
        for text, minute in (("written later", 5), ("written earlier", 0))
    )
    await door.ingested(("/v1/message", later))
    door.ahead += timedelta(minutes=minutes)
    await door.ingested(("/v1/message", earlier))
    texts = {one.id: one.text for one in await door.rows(Message)}
    waiting = [row.message_id for row in await door.rows(Outbox) if row.kind == "post_message"]
    assert [texts[one] for one in waiting] == ["written earlier", "written later"]


def told(lead_id: int | None, generation: Generation, at: datetime | None, *, text: str | None = "On my way?") -> Told:
    return Told(
        lead_id=lead_id or 0,
        environment=Environment.PRODUCTION,
        generation=generation,
        thumbtack_id=bodies.new_id(),
        author=Sender.CUSTOMER,
        text=text,
        attachments=[],
        sent_at=at,
        stored_at=datetime.now(UTC),
        extra={},
    )


NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)


SECOND_TELLINGS = [
    (Generation.V4, NOON, {}, True),
    (Generation.V4, NOON + timedelta(seconds=120), {}, True),
    (Generation.V4, NOON - timedelta(seconds=120), {}, True),
    (Generation.V4, NOON + timedelta(seconds=121), {}, False),
    (Generation.V4, NOON - timedelta(seconds=121), {}, False),
    (Generation.V4, NOON, {"text": "Other"}, False),
    (Generation.V4, NOON, {"text": None}, False),
    (Generation.V4, None, {}, False),
    (Generation.V4, LAST, {}, False),
    (Generation.LEGACY, NOON, {}, False),
]


async def test_another_generation_tells_the_same_message_by_its_text_and_time(door):
    await door.ingested(*(("/v1/lead", bodies.lead()) for _ in SECOND_TELLINGS))
    for lead, (generation, at, fields, same) in zip(await door.rows(Lead), SECOND_TELLINGS, strict=True):
        async with door.database.transaction() as tx:
            first = await inbound.record(tx, told(lead.id, Generation.LEGACY, NOON))
            again = await inbound.record(tx, told(lead.id, generation, at, **fields))
        assert first.is_new
        assert (generation, at, again.is_new) == (generation, at, not same)
    assert len(await door.rows(Message)) == 2 * len(SECOND_TELLINGS) - 3


async def test_two_messages_of_photos_alone_are_never_the_same(door):
    await door.ingested(("/v1/lead", bodies.lead()))
    lead = await the_lead(door)
    async with door.database.transaction() as tx:
        for generation in (Generation.LEGACY, Generation.V4):
            assert (await inbound.record(tx, told(lead.id, generation, NOON, text=None))).is_new


async def test_the_last_second_there_is_breaks_nothing(door):
    body = bodies.message("9102", "far ahead", message={"createTimestamp": "253402300799999"})
    await door.ingested(("/v1/message", body))
    [message] = await door.rows(Message)
    assert message.sent_at == LAST


# Placeholders


async def test_a_message_before_its_lead_opens_a_placeholder_that_the_lead_fills(door):
    body = bodies.lead()
    await door.ingested(("/v1/message", bodies.message(body["leadID"], "hello")))
    lead = await the_lead(door)
    assert lead.is_placeholder
    assert await said(door) == ["post_lead", "post_message"]
    await door.ingested(("/v1/lead", body))
    assert await said(door) == ["update_card", "post_arrived", "post_details", "post_photos"]
    assert not (await the_lead(door)).is_placeholder
    assert [one.kind for one in await door.rows(LeadEvent)] == ["named", "received"]


async def test_a_review_before_its_lead_opens_a_placeholder_too(door):
    body = bodies.lead()
    await door.ingested(("/v1/review", bodies.review(body["leadID"], "5", "fine")))
    assert await said(door) == ["post_lead", "post_review"]
    await door.ingested(("/v1/lead", body))
    assert await said(door) == ["update_card", "post_arrived", "post_details", "post_photos"]


async def test_an_update_before_its_lead_waits_silently_and_is_on_its_card(door):
    body = bodies.lead()
    await door.ingested(("/v1/lead/update", bodies.price(body["leadID"], "$31.50")))
    assert await said(door) == []
    await door.ingested(("/v1/lead", body))
    assert await said(door) == CARD
    lead = await the_lead(door)
    assert (lead.charge_text, lead.charge_cents, lead.charge_state) == ("$31.50", 3_150, "Charged")


async def test_an_update_then_a_message_before_the_lead_open_one_placeholder(door):
    await door.ingested(
        ("/v1/lead/update", bodies.price("9201", "$31.50")), ("/v1/message", bodies.message("9201", "hello"))
    )
    assert await said(door) == ["post_lead", "post_message"]
    assert (await the_lead(door)).charge_text == "$31.50"


async def test_a_placeholder_that_learns_its_business_shows_it(door):
    await door.ingested(("/v1/review", bodies.review("9202", "5", "fine", review={"businessID": None})))
    await said(door)
    await door.ingested(("/v1/message", bodies.message("9202", "hello")))
    assert await said(door) == ["update_card", "post_message"]


# Prices


async def test_each_change_of_the_price_is_told_once_and_kept(door):
    body = bodies.lead()
    changes = [
        ("$26.00", "Charged"),
        ("$26.00", "Charged"),
        ("$26.00", "Refunded"),
        ("$26.00", "Charged"),
        ("$5", None),
    ]
    await door.ingested(("/v1/lead", body))
    await said(door)
    heard = []
    for price, state in changes:
        await door.ingested(("/v1/lead/update", bodies.price(body["leadID"], price, state)))
        heard.append(await said(door))
    changed = ["update_card", "post_charge"]
    assert heard == [changed, [], changed, changed, changed]
    assert [(one.raw, one.state) for one in await door.rows(LeadCharge)] == [
        ("$26.00", "Charged"),
        ("$26.00", "Refunded"),
        ("$26.00", "Charged"),
        ("$5", None),
    ]


async def test_a_price_that_is_taken_back_is_a_change(door):
    body = bodies.lead(leadPrice="$26.00", chargeState="Charged")
    await door.ingested(("/v1/lead", body))
    await said(door)
    await door.ingested(("/v1/lead/update", bodies.price(body["leadID"], None, None)))
    assert await said(door) == ["update_card", "post_charge"]
    lead = await the_lead(door)
    assert (lead.charge_text, lead.charge_cents, lead.charge_state) == (None, None, None)


async def test_an_update_without_a_price_where_there_is_none_says_nothing(door):
    body = bodies.lead()
    await door.ingested(("/v1/lead", body))
    await said(door)
    await door.ingested(("/v1/lead/update", bodies.price(body["leadID"], None, None)))
    assert await said(door) == []
    assert await door.rows(LeadCharge) == []


async def test_a_leads_own_body_never_overrides_an_update(door):
    body = bodies.lead(leadPrice="$20.00", chargeState="Charged")
    await door.ingested(("/v1/lead/update", bodies.price(body["leadID"], "$26.00", "Refunded")), ("/v1/lead", body))
    lead = await the_lead(door)
    assert (lead.charge_text, lead.charge_state) == ("$26.00", "Refunded")


async def test_changes_that_wait_together_are_one_update_of_the_card_and_a_line_each(door):
    body = bodies.lead()
    prices = [bodies.price(body["leadID"], f"${n}") for n in range(3)]
    await door.ingested(("/v1/lead", body), *(("/v1/lead/update", price) for price in prices))
    assert await said(door) == [*CARD, "update_card", "post_charge", "post_charge", "post_charge"]
    charges = [row.payload for row in await door.rows(Outbox) if row.kind == "post_charge"]
    assert charges == [{"charge": f"${n}", "state": "Charged"} for n in range(3)]


# Reviews


def modified(body: dict[str, Any], at: int | None, **fields: Any) -> dict[str, Any]:
    return without(body, review={"modifyTime": None if at is None else str(at), **fields})


REVIEW = bodies.review("9301", "4", "good", review={"createTime": "1786000000000", "modifyTime": "1786000000000"})
AT = 1_786_000_000_000


@pytest.mark.parametrize("better", [{"rating": "5", "text": "better"}, {}], ids=["with words", "with nothing else"])
async def test_only_a_later_modification_changes_a_review(door, better):
    await door.ingested(("/v1/lead", bodies.lead(leadID="9301")), ("/v1/review", REVIEW))
    assert await said(door) == [*CARD, "post_review"]
    for stale in (None, AT - 1, AT):
        await door.ingested(("/v1/review", modified(REVIEW, stale, **better, seen=str(stale))))
        assert await said(door) == []
    await door.ingested(("/v1/review", modified(REVIEW, AT + 1, **better)))
    assert await said(door) == ["post_review"]
    [review] = await door.rows(Review)
    assert (review.rating, review.text) == (("5", "better") if better else ("4", "good"))


async def test_a_later_modification_never_empties_a_review(door):
    await door.ingested(("/v1/review", REVIEW))
    await door.ingested(("/v1/review", modified(REVIEW, AT + 5, rating=None, text="", verified=None)))
    [review] = await door.rows(Review)
    assert (review.rating, review.text, review.verified) == ("4", "good", True)


async def test_a_review_told_again_gets_the_photos_it_lacked_unless_it_is_stale(door):
    await door.ingested(("/v1/lead", bodies.lead(leadID="9301")), ("/v1/review", REVIEW))
    await said(door)
    await door.ingested(("/v1/review", modified(REVIEW, AT - 1, photos=[PHOTO])))
    assert await said(door) == []
    await door.ingested(("/v1/review", modified(REVIEW, AT, photos=[PHOTO])))
    assert await said(door) == ["post_review", "post_photos"]


async def test_a_review_without_a_lead_has_a_lane_and_a_post_of_its_own(door):
    await door.ingested(("/v1/review", bodies.review(None, "2", "hm", review={"photos": [PHOTO]})))
    [review] = await door.rows(Review)
    assert review.lead_id is None
    assert {(row.lane, row.lead_id, row.channel) for row in await door.rows(Outbox)} == {
        (f"slack:review:{review.id}", None, "C0LEADS")
    }
    assert await said(door) == ["post_review", "post_photos"]
    assert await door.rows(Lead) == []


async def test_a_reviews_photos_follow_it(door):
    review = bodies.review("9302", "5", "fine", review={"photos": [PHOTO]})
    await door.ingested(("/v1/lead", bodies.lead(leadID="9302")), ("/v1/review", review))
    assert await said(door) == [*CARD, "post_review", "post_photos"]
