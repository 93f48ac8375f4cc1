"""A lead of v4 becomes a row with what v4 alone tells; its customer is known by name and phone, with or without an id."""

import json
from itertools import permutations
from pathlib import Path

import pytest

from storage.models import Business, Customer, Lead, Outbox

ADDRESS = "/v4/webhooks"
SAMPLES = Path(__file__).parents[1] / "payloads"


def event(kind, **data):
    return ADDRESS, {
        "event": {"eventType": f"{kind}CreatedV4"},
        "data": {"negotiationID": "585635485432135684", **data},
    }


BUSINESS = {"businessID": "553306875926847497"}
LEAD = event(
    "Negotiation",
    business=BUSINESS,
    customer={"firstName": "Jordan", "lastName": "Blake", "phone": "4055550134"},
    request={"category": {"name": "Web Design"}, "description": "Need a website"},
)
MESSAGE = event(
    "Message",
    messageID="585635485432135685",
    text="Need our page revamped",
    business={**BUSINESS, "displayName": "Riverside Web"},
    customer={"customerID": "585635485432135686", "displayName": "Jordan B."},
    **{"from": "Customer"},
)
"""A real sequence: the lead's body names its customer without an id, the message before it with one."""
NAMELESS_MESSAGE = event(
    "Message", messageID="585635485432135687", text="Hello?", business=BUSINESS, customer={"displayName": "Jordan B."}
)


async def the_customer(door):
    """The one customer there is, and that the one lead has."""
    [lead], [customer] = await door.rows(Lead), await door.rows(Customer)
    assert lead.customer_id == customer.id
    return customer


async def test_what_v4_alone_tells_is_kept(door):
    await door.ingested((ADDRESS, json.loads((SAMPLES / "v4_negotiation_created.json").read_text())))
    [lead] = await door.rows(Lead)
    assert (lead.generation, lead.status, lead.access_code, lead.asked_others) == ("v4", "Open", "1234567", None)
    assert lead.estimate == {
        "type": "PerUnit", "price_per_unit": "$1,234.56", "unit_quantity": "2", "unit_name": "room",
        "total": "$2,469.12",
    }  # fmt: skip
    assert lead.windows[:2] == [
        {"kind": "booking", "start": "2026-09-26T13:00:00+00:00", "end": "2026-09-26T14:30:00+00:00"},
        {"kind": "proposed", "start": "2026-09-26T13:00:00+00:00", "end": "2026-09-26T16:00:00+00:00"},
    ]
    assert lead.charge_breakdown == {"subtotal": "$949.07", "salesTax": "$75.93"}
    assert (lead.price_text, lead.price_cents) == ("$2,469.12", 246_912)
    assert (lead.charge_text, lead.charge_cents, lead.charge_state) == ("$1,025.00", 102_500, "Pending")
    assert lead.review_link == "https://www.thumbtack.com/reviews/example"
    assert lead.refund_link == "https://www.thumbtack.com/refund/example"


async def test_thumbtacks_own_test_is_a_test(door):
    await door.ingested((ADDRESS, json.loads((SAMPLES / "v4_negotiation_test.json").read_text())))
    [lead] = await door.rows(Lead)
    assert (lead.is_test, lead.asked_others) == (True, None)
    assert lead.charge_breakdown == {"subtotal": "$23.15", "salesTax": "$1.85"}


async def test_times_that_come_later_are_filled_in_and_told(door):
    await door.ingested(LEAD)
    before = len(await door.rows(Outbox))
    times = [{"start": "2026-09-26T13:00:00Z", "end": "2026-09-26T16:00:00Z"}]
    await door.ingested(event("Negotiation", business=BUSINESS, request={"proposedTimes": times}))
    assert [row.kind for row in (await door.rows(Outbox))[before:]][-1] == "post_details"
    [lead] = await door.rows(Lead)
    assert lead.windows == [
        {"kind": "proposed", "start": "2026-09-26T13:00:00+00:00", "end": "2026-09-26T16:00:00+00:00"}
    ]


@pytest.mark.parametrize("order", list(permutations([LEAD, MESSAGE, NAMELESS_MESSAGE])))
async def test_name_phone_and_id_are_kept_in_every_order(door, order):
    await door.ingested(*order, *order)
    customer = await the_customer(door)
    assert (customer.phone, customer.thumbtack_id) == ("4055550134", "585635485432135686")
    assert customer.name.startswith("Jordan B")


async def test_a_customer_without_an_id_is_one_of_this_lead_alone(door):
    await door.ingested(LEAD)
    assert (await the_customer(door)).name == "Jordan Blake"
    path, body = LEAD
    other = {**body["data"], "negotiationID": "585635485432135699", "customer": {"firstName": "Sam"}}
    await door.ingested((path, {**body, "data": other}))
    assert [(one.name, one.phone) for one in await door.rows(Customer)] == [
        ("Jordan Blake", "4055550134"),
        ("Sam", None),
    ]


async def test_an_id_that_is_known_already_is_the_same_customer(door):
    """The customer wrote to the business before; what this lead told of them without an id is theirs."""
    path, body = MESSAGE
    earlier = {**body["data"], "negotiationID": "585635485432135600", "messageID": "585635485432135601"}
    await door.ingested((path, {**body, "data": earlier}), LEAD, MESSAGE)
    [customer] = await door.rows(Customer)
    assert (customer.phone, customer.thumbtack_id) == ("4055550134", "585635485432135686")
    assert {lead.customer_id for lead in await door.rows(Lead)} == {customer.id}


async def test_a_card_says_so_when_a_customer_without_an_id_gets_a_phone(door):
    await door.ingested(NAMELESS_MESSAGE)
    before = len(await door.rows(Outbox))
    await door.ingested(LEAD)
    assert "update_card" in [row.kind for row in (await door.rows(Outbox))[before:]]
    assert (await the_customer(door)).phone == "4055550134"


async def test_a_customer_who_is_known_to_no_business_becomes_known_to_the_one_that_a_message_names(door):
    named = {"customerID": "585635485432135686", "displayName": "Jordan B."}
    first, second = (
        event("Message", messageID=f"{number}", text=f"Say {number}.", business=BUSINESS, **told)
        for number, told in ((1, {}), (2, {"customer": named}))
    )
    await door.ingested(event("Negotiation", customer=named), first, second)
    businesses = {one.id: one.thumbtack_id for one in await door.rows(Business)}
    known = [(businesses[one.business_id], one.thumbtack_id) for one in await door.rows(Customer)]
    assert known == [("", named["customerID"]), (BUSINESS["businessID"], named["customerID"])]
