"""Leads, messages and reviews of v4 as Thumbtack's pages, its description and real deliveries have them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhooks.thumbtack.errors import ShapeError
from webhooks.thumbtack.facts import (
    Answer,
    Attachment,
    BusinessRef,
    CustomerRef,
    Estimate,
    Generation,
    Sender,
    WindowKind,
)
from webhooks.thumbtack.payloads.times import instant
from webhooks.thumbtack.payloads.v4 import read_message, read_negotiation, read_review


def test_a_lead_as_the_description_has_it(payload):
    body = payload("v4_negotiation_created")["data"]
    lead = read_negotiation(body)
    assert lead.generation is Generation.V4
    assert (lead.lead_id, lead.request_id) == ("590299344770662410", "590299344772112393")
    assert lead.business == BusinessRef(thumbtack_id="590297085345701895", name="Tim's Painting Business")
    assert lead.customer == CustomerRef(thumbtack_id="590299344770162703", name="John Doe", phone="650-555-0123")
    assert lead.created_at == datetime(2026, 9, 23, 17, 18, 1, tzinfo=UTC)
    assert (lead.category_id, lead.category) == ("122681972262289742", "Interior Painting")
    assert lead.description == "Two bedrooms & a hallway\n<b>not html</b>"
    place = (lead.address1, lead.address2, lead.city, lead.state, lead.zip_code)
    assert place == ("101 Alma Street", None, "Palo Alto", "CA", "94301")
    assert lead.travel_preferences == "CustomerTravelToProvider, ProviderTravelToCustomer, Remote"
    assert lead.details == (
        Answer(question="Type of property", answer="Home"),
        Answer(question="Number of rooms", answer="4 rooms"),
    )
    assert [(one.file_name, one.file_size, one.description) for one in lead.attachments] == [
        ("door.jpg", 1139, "my stain")
    ]
    assert (lead.price, lead.lead_price, lead.charge_state) == ("$2,469.12", "$1,025.00", "Pending")
    assert not lead.is_test
    assert set(lead.extra) == {"business", "request"}
    assert set(lead.extra["business"]) == {"imageURL", "phoneNumber"}
    assert lead.extra["request"] == {"contactedBusinesses": body["request"]["contactedBusinesses"]}


def test_what_v4_alone_says_of_a_lead(payload):
    lead = read_negotiation(payload("v4_negotiation_created")["data"])
    assert (lead.status, lead.asked_others, lead.access_code) == ("Open", None, "1234567")
    assert lead.estimate == Estimate(
        type="PerUnit", price_per_unit="$1,234.56", unit_quantity="2", unit_name="room", total="$2,469.12"
    )
    assert [(one.kind, one.start.day, one.end - one.start) for one in lead.windows] == [
        (WindowKind.BOOKING, 26, timedelta(minutes=90)),
        (WindowKind.PROPOSED, 26, timedelta(hours=3)),
        (WindowKind.PROPOSED, 27, timedelta(hours=3)),
    ]
    assert lead.windows[0].start == datetime(2026, 9, 26, 13, tzinfo=UTC)
    assert lead.charge_breakdown == {"subtotal": "$949.07", "salesTax": "$75.93"}
    assert lead.review_link == "https://www.thumbtack.com/reviews/example"
    assert lead.refund_link == "https://www.thumbtack.com/refund/example"


def lead_of(**fields):
    return read_negotiation({"negotiationID": "1", **fields})


@pytest.mark.parametrize(
    ("customer", "name"),
    [
        ({"firstName": "Maya", "lastName": "Alvarez"}, "Maya Alvarez"),
        ({"firstName": " Maya ", "lastName": " A "}, "Maya A"),
        ({"firstName": "Maya  Alvarez", "lastName": ""}, "Maya Alvarez"),
        ({"firstName": "", "lastName": "A"}, "A"),
        ({"lastName": None, "displayName": "Maya\n A."}, "Maya A."),
        ({"name": "Maya A."}, "Maya A."),
        ({"firstName": "Ma&#39;ya"}, "Ma'ya"),
        ({}, None),
    ],
)
def test_a_customers_name(customer, name):
    assert lead_of(customer={"customerID": "7", **customer}).customer == CustomerRef(thumbtack_id="7", name=name)


@pytest.mark.parametrize("missing", [{}, {"customerID": None}, {"customerID": ""}, {"customerID": []}])
def test_a_customer_without_an_id_keeps_name_and_phone(missing):
    given = {"firstName": "Jordan", "lastName": "Blake", "phone": "4055550134", **missing}
    assert lead_of(customer=given).customer == CustomerRef(thumbtack_id=None, name="Jordan Blake", phone="4055550134")
    request = {"customerID": "8"}
    assert lead_of(customer=given, request=request).customer.thumbtack_id == "8"
    assert lead_of(request=request).customer == CustomerRef(thumbtack_id="8")
    assert lead_of(customer=missing).customer is None
    named = read_message({"messageID": "1", "negotiationID": "2", "customer": {"displayName": "Jordan B."} | missing})
    assert named.customer == CustomerRef(thumbtack_id=None, name="Jordan B.")


@pytest.mark.parametrize(
    ("said", "price"),
    [
        ({"total": "$150.00", "pricePerUnit": "150.00"}, "$150.00"),
        ({"total": "2469.12"}, "$2,469.12"),
        ({"total": 1200}, "$1,200"),
        ({"pricePerUnit": "75.00", "unitName": "hour", "type": "Hourly"}, "$75.00/hour"),
        ({"pricePerUnit": "75.00"}, "$75.00"),
        ({"unitName": "hour"}, None),
        ({"type": "OnSite"}, None),
        ({"type": "MoreInfo", "total": "$0.00"}, None),
        ({"type": "OnSite", "total": "$80.00"}, "$80.00"),
        ({"total": "Free"}, "Free"),
        ({}, None),
        (None, None),
        ("$5", None),
    ],
)
def test_the_price_is_what_the_estimate_comes_to(said, price):
    assert lead_of(estimate=said).price == price


def test_an_estimate_that_says_nothing_is_none():
    assert lead_of(estimate={"type": "", "total": None}).estimate is None
    assert lead_of().estimate is None


@pytest.mark.parametrize(
    ("others", "count"),
    [
        ([{"businessID": "5"}, {"businessID": "6"}, {"businessID": "7"}], 2),
        ([{"businessID": "5"}], None),
        ([{"negotiationID": "1"}, {"negotiationID": "2"}, "odd", None], 1),
        ([], None),
        ("odd", None),
        (None, None),
    ],
)
def test_how_many_others_were_asked_does_not_count_this_business(others, count):
    read = lead_of(business={"businessID": "5"}, request={"contactedBusinesses": others})
    assert read.asked_others == count


def test_others_are_counted_where_the_business_is_not_named():
    assert lead_of(request={"contactedBusinesses": [{"name": "A"}, {"name": "B"}]}).asked_others == 2


@pytest.mark.parametrize(
    ("request_body", "windows"),
    [
        ({"booking": {"start": "2026-09-26T13:00:00Z", "duration": "30"}}, [30]),
        ({"booking": {"start": "2026-09-26T13:00:00Z"}}, [None]),
        ({"booking": {"start": "2026-09-26T13:00:00Z", "duration": 10**17}}, [None]),
        ({"booking": {"start": "9999-12-31T23:59:59Z", "duration": 90}}, [None]),
        ({"booking": {"start": "soon", "duration": 90}}, []),
        ({"proposedTimes": [{"start": "2026-09-26T13:00:00Z"}, {"end": "2026-09-26T13:00:00Z"}, 5]}, [None]),
        ({"proposedTimes": {}, "booking": []}, []),
    ],
)
def test_times_that_are_not_whole(request_body, windows):
    minutes = [one.end and (one.end - one.start).seconds // 60 for one in lead_of(request=request_body).windows]
    assert minutes == windows


def test_amounts_have_their_sign():
    lead = lead_of(leadPrice="1025.00", leadPriceBreakdown={"subtotal": 949.07, "salesTax": "$75.93"})
    assert lead.lead_price == "$1,025.00"
    assert lead.charge_breakdown == {"subtotal": "$949.07", "salesTax": "$75.93"}
    assert lead_of(leadPriceBreakdown={}).charge_breakdown is None


def test_a_lead_as_the_page_has_it(payload):
    lead = read_negotiation(payload("v4_negotiation_get"))
    assert lead.lead_id == "519153480500518912"
    assert lead.customer == CustomerRef(thumbtack_id="519153480034934784", name="Olivia Y.")
    assert lead.business == BusinessRef(thumbtack_id="468046965846925323", name="Robert's Remodeling")
    assert (lead.category_id, lead.category) == ("201565295100608806", "Kitchen Remodel")
    assert (lead.city, lead.state, lead.zip_code) == ("San Francisco", "CA", "94117")
    assert lead.details == (Answer(question="Project scope", answer="Full kitchen renovation"),)
    assert lead.created_at == datetime(2024, 6, 13, 17, 18, 1, tzinfo=UTC)
    assert lead.status == "active"
    assert lead.extra == {}


def test_thumbtacks_own_test_is_recognised(payload):
    body = payload("v4_negotiation_test")["data"]
    assert read_negotiation(body).is_test
    assert read_negotiation(body | {"business": None}).is_test
    assert read_negotiation(body | {"customer": None}).is_test
    assert not read_negotiation(body | {"customer": None, "business": None}).is_test


def test_a_message_of_the_business_that_names_both_sides(payload):
    message = read_message(payload("v4_message_from_business")["data"])
    assert (message.message_id, message.lead_id) == ("582473743544885254", "582339863924105230")
    assert message.sender is Sender.BUSINESS
    assert message.business == BusinessRef(thumbtack_id="553306875926847497", name="Riverside Plumbing")
    assert message.customer == CustomerRef(thumbtack_id="582339818789650438", name="Casey Morgan")
    assert message.text == "Did you get that PDF invoice?"
    assert message.sent_at == datetime(2026, 6, 16, 14, 15, 43, tzinfo=UTC)
    assert message.extra == {}


def test_a_message_that_is_a_photo(payload):
    message = read_message(payload("v4_message_attachment_only")["data"])
    assert message.text is None
    assert message.sender is Sender.CUSTOMER
    assert message.business is None
    assert [one.file_name for one in message.attachments] == ["fridge.jpg"]


@pytest.mark.parametrize(
    ("said", "sender"),
    [
        ("Business", Sender.BUSINESS),
        ("business", Sender.BUSINESS),
        ("Customer", Sender.CUSTOMER),
        (None, Sender.CUSTOMER),
    ],
)
def test_who_wrote(said, sender):
    assert read_message({"messageID": "1", "negotiationID": "2", "from": said}).sender is sender


@pytest.mark.parametrize(
    ("sides", "sender"),
    [
        (("business",), Sender.BUSINESS),
        (("customer",), Sender.CUSTOMER),
        (("business", "customer"), Sender.CUSTOMER),
        ((), Sender.CUSTOMER),
    ],
)
def test_who_wrote_where_it_is_not_said_is_the_one_side_that_is_named(sides, sender):
    named = {side: {f"{side}ID": "7"} for side in sides}
    assert read_message({"messageID": "1", "negotiationID": "2", **named}).sender is sender


def test_a_review(payload):
    (body,) = payload("v4_reviews_list")["data"]
    review = read_review(body)
    assert (review.review_id, review.lead_id) == ("5343987659230309812", "5343987659230309812")
    assert (review.rating, review.reviewer_name, review.business) == ("5", "EB", None)
    assert review.created_at == datetime(2023, 4, 2, 1, 43, 49, tzinfo=UTC)
    assert review.photos == (Attachment(url="https://example.com/image.jpg", description="Finished gazebo"),)
    assert review.extra["responseText"] == "Thank you so much for the kind words!"


READERS = {
    read_negotiation: ("negotiationID",),
    read_message: ("messageID", "negotiationID"),
    read_review: ("reviewID",),
}


@pytest.mark.parametrize("read", READERS)
def test_what_has_no_id_is_refused(read):
    whole = dict.fromkeys(READERS[read], "1")
    read(whole)
    for name in whole:
        for missing in (None, "", " ", [], {}, True, 1.5):
            with pytest.raises(ShapeError):
                read(whole | {name: missing})
    for other in (None, [], "1", 7):
        with pytest.raises(ShapeError):
            read(other)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = [
    "attachments",
    "business",
    "category",
    "createdAt",
    "customer",
    "details",
    "estimate",
    "from",
    "images",
    "rating",
    "request",
    "sentAt",
    "text",
]
INNER = st.dictionaries(st.sampled_from([*NAMES, "businessID", "customerID", "imageURL", "location", "url"]), JSON)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), JSON | INNER | st.lists(INNER, max_size=2)))
def test_nothing_but_a_missing_id_is_refused(body):
    for read, required in READERS.items():
        read(body | dict.fromkeys(required, "1"))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2026-09-23T17:18:06Z", datetime(2026, 9, 23, 17, 18, 6, tzinfo=UTC)),
        (" 2026-09-23t17:18:06z ", datetime(2026, 9, 23, 17, 18, 6, tzinfo=UTC)),
        ("2026-09-23 17:18:06", datetime(2026, 9, 23, 17, 18, 6, tzinfo=UTC)),
        ("2026-09-23T19:18:06+02:00", datetime(2026, 9, 23, 17, 18, 6, tzinfo=UTC)),
        ("2026-09-23T17:18:06.5Z", datetime(2026, 9, 23, 17, 18, 6, 500_000, tzinfo=UTC)),
        ("2026-09-23T17:18:06.123456789Z", datetime(2026, 9, 23, 17, 18, 6, 123_456, tzinfo=UTC)),
        (f"2026-09-23T17:18:06.{'9' * 20}Z", datetime(2026, 9, 23, 17, 18, 6, 999_999, tzinfo=UTC)),
        (f"2026-09-23T17:18:06.{'9' * 21}Z", None),
        ("2026-09-23T17:18:06-0700", None),
        ("2026-02-30T17:18:06Z", None),
        ("2026-09-23T25:18:06Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("2026-09-23", None),
        ("soon", None),
        ("", None),
        (1498760294, None),
        (None, None),
    ],
)
def test_times(said, expected):
    assert instant(said) == expected


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_time_surprises(said):
    found = instant(said)
    assert found is None or found.tzinfo is UTC
