"""A lead of v4 as the team sees it: appointments by the clock of the place, the customer, and Thumbtack's own test."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from support.deliveries import all_said
from support.office import CHANNEL, Office

PAYLOADS = Path(__file__).parents[1] / "payloads"
LEAD = json.loads((PAYLOADS / "v4_negotiation_created.json").read_bytes())
TEST = json.loads((PAYLOADS / "v4_negotiation_test.json").read_bytes())


async def arrive(place: Office, *bodies: dict[str, Any]) -> str:
    """What the one card says when these have come."""
    for body in bodies:
        assert (await place.post("/v4/webhooks", body)).status_code == 200
    await all_said(place)
    [card] = place.cards
    return place.read(card)


async def test_everything_that_v4_tells_is_on_the_card(place: Office):
    told = await arrive(place, LEAD)
    for expected in (
        "Interior Painting · Palo Alto, CA · $2,469.12",
        "John Doe",
        "Booked: Sat, Sep 26, 6:00–7:30 AM PDT",
        "Proposed: Sat, Sep 26, 6:00–9:00 AM PDT",
        "or Sun, Sep 27, 6:00–9:00 AM PDT",
        "101 Alma Street, Palo Alto, CA 94301",
        "At the customer's place, at your place or remotely",
        "Estimate: $1,234.56/room × 2 = $2,469.12",
        "access code 1234567",
        "<b>not html</b>",
        "Lead cost $1,025.00 incl. $75.93 tax, Pending",
    ):
        assert expected in told
    assert "Open in Thumbtack" in told
    for nobody_needs in ("590299344770662410", "Open ·", "https://www.thumbtack.com/refund", "+18395550123"):
        assert nobody_needs not in told


@pytest.mark.knobs(time_zone="America/New_York")
async def test_a_zone_that_is_set_comes_before_that_of_the_place(place: Office):
    assert "Booked: Sat, Sep 26, 9:00–10:30 AM EDT" in await arrive(place, LEAD)


async def test_without_a_place_the_times_are_in_utc_and_say_so(place: Office):
    body = copy.deepcopy(LEAD)
    del body["data"]["request"]["location"]
    assert "Booked: Sat, Sep 26, 1:00–2:30 PM UTC" in await arrive(place, body)


async def test_thumbtacks_own_test_is_marked(place: Office):
    told = await arrive(place, TEST)
    assert told.startswith("TEST · Full Service Lawn Care · San Francisco, CA · $150.00")
    assert "Test Customer" in told
    assert "Estimate:" not in told


async def test_thumbtacks_own_test_is_never_answered(place: Office):
    business_id = TEST["data"]["business"]["businessID"]
    place.thumbtack.grants.add_business(business_id, "Bright Oak")
    await place.connect("v4", [business_id])  # replies to its other leads would go out
    assert (await place.post("/v4/webhooks", TEST)).status_code == 200
    await all_said(place)
    card = place.cards[-1]
    assert "this is a test delivery" in place.read(card)
    said = await place.slack.say("U0ANA", CHANNEL, "We come at 9.", thread_ts=card["ts"])
    await place.seen(lambda: place.mark(said.ts) == ["memo"])
    await place.at_rest()
    assert place.thumbtack.sent == []


async def test_a_customer_without_an_id_is_on_the_card_whatever_comes_first(place: Office):
    named = {"negotiationID": "585635485432135684", "business": {"businessID": "553306875926847497"}}
    message = {
        "event": {"eventType": "MessageCreatedV4"},
        "data": {
            **named,
            "messageID": "585635485432135685",
            "from": "Customer",
            "text": "Need our page revamped",
            "customer": {"customerID": "585635485432135686", "displayName": "Jordan B."},
        },
    }
    lead = {
        "event": {"eventType": "NegotiationCreatedV4"},
        "data": {
            **named,
            "customer": {"firstName": "Jordan", "lastName": "Blake", "phone": "4055550134"},
            "request": {"category": {"name": "Web Design"}, "description": "Need a website"},
        },
    }
    told = await arrive(place, message, lead)
    assert "Jordan B" in told
    assert "4055550134" in told
