"""The four bodies of the Pro API: their ids, what they say, and that nothing in them can do harm or get lost."""

import copy
import dataclasses
import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhooks.thumbtack.errors import ShapeError
from webhooks.thumbtack.facts import Answer, Attachment, BusinessRef, CustomerRef, Generation, Sender
from webhooks.thumbtack.payloads.legacy import Ids, Kind, facts, ids

TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OF_V4_ALONE = {
    **dict.fromkeys(("status", "estimate", "asked_others", "charge_breakdown"), None),
    **dict.fromkeys(("review_link", "refund_link", "access_code"), None),
    "windows": (),
}
SAMPLES = [
    (Kind.LEAD, "lead"),
    (Kind.LEAD, "lead_with_attachment"),
    (Kind.LEAD, "lead_with_every_field"),
    (Kind.LEAD, "lead_with_unknown_fields"),
    (Kind.LEAD, "lead_without_optional_fields"),
    (Kind.LEAD, "create_lead_answer"),
    (Kind.MESSAGE, "message"),
    (Kind.MESSAGE, "message_with_attachment"),
    (Kind.MESSAGE, "message_without_optional_fields"),
    (Kind.LEAD_UPDATE, "lead_update"),
    (Kind.LEAD_UPDATE, "lead_update_cleared"),
    (Kind.REVIEW, "review"),
    (Kind.REVIEW, "review_verified"),
    (Kind.REVIEW, "review_unverified"),
]
NEEDED = {
    Kind.LEAD: [("leadID",)],
    Kind.MESSAGE: [("leadID",), ("message", "messageID"), ("message",)],
    Kind.LEAD_UPDATE: [("leadID",)],
    Kind.REVIEW: [("review", "reviewID"), ("review",)],
}


def fact(kind, body):
    (only,) = facts(kind, body)
    return only


def paths(value, here=()):
    """Every place in a body, as the keys and positions that lead there."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*here, key)
        yield from paths(child, (*here, key))


def changed(body, path, value=None, *, drop=False):
    body = copy.deepcopy(body)
    place = body
    for key in path[:-1]:
        place = place[key]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return body


def texts(value):
    if dataclasses.is_dataclass(value):
        value = dataclasses.asdict(value)
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


def numbers(value):
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from numbers(inner)
    elif isinstance(value, int):
        yield value


def says_nothing(value):
    return value in (None, [], {}) or (isinstance(value, str) and not value.strip())


def check_storable(one):
    for text in texts(one):
        assert "\x00" not in text
        text.encode()
    json.dumps(one.extra, allow_nan=False)
    assert all(-(2**63) <= number < 2**63 for number in numbers(one.extra))


# What they say


def test_a_lead_with_every_field(payload):
    assert dataclasses.asdict(fact(Kind.LEAD, payload("lead_with_every_field"))) == {
        "generation": Generation.LEGACY,
        "lead_id": "410000000000000011",
        "business": {"thumbtack_id": "410000000000000004", "name": "Bright Oak Home Services"},
        "customer": {"thumbtack_id": "410000000000000013", "name": "Maya Alvarez", "phone": "4155550134"},
        "created_at": datetime(2026, 8, 6, 10, 32, 25, tzinfo=UTC),
        "request_id": "410000000000000012",
        "category_id": "122681972262289742",
        "category": "Interior Painting",
        "title": "Paint the hall & stairs",
        "description": "Two coats, please.\nThe stairs creak <a lot>.",
        "schedule": "Dates: Apr 10, Apr 11, Apr 12\n"
        "Times: Early Morning (before 9am), Morning (9am - 12pm)\nLength: 4 hours",
        "address1": "1200 Example Street",
        "address2": "Apt 4",
        "city": "Coeur d'Alene",
        "state": "ID",
        "zip_code": "83814",
        "travel_preferences": "Professional must travel to my address.",
        "details": (
            {"question": "Type of property", "answer": "Home"},
            {"question": "Who provides the paint?", "answer": "I'm not sure"},
        ),
        "attachments": (
            {
                "url": "https://www.thumbtack.com/attachment/00000000000000000000000000000000000000a1/hall.jpg",
                "file_name": "hall.jpg",
                "file_size": 113900,
                "mime_type": "image/jpeg",
                "description": "the hall",
            },
            {
                "url": "https://www.thumbtack.com/attachment/00000000000000000000000000000000000000a2/plan.pdf",
                "file_name": "plan.pdf",
                "file_size": 20480,
                "mime_type": "application/pdf",
                "description": None,
            },
        ),
        "price": "$1,260.50",
        "lead_type": "SERVICE_CALL",
        "lead_price": "$26.00",
        "charge_state": "Charged",
        "is_test": False,
        "extra": {},
        **OF_V4_ALONE,
    }


def test_a_lead_without_optional_fields(payload):
    lead = fact(Kind.LEAD, payload("lead_without_optional_fields"))
    assert (lead.category, lead.city, lead.state, lead.zip_code) == ("House Cleaning", "San Francisco", "CA", "94103")
    assert lead.customer == CustomerRef(thumbtack_id="410000000000000003", name="Sam Whitfield")
    missing = {
        name: value for name, value in dataclasses.asdict(lead).items() if value in (None, (), {}) or value is False
    }
    assert set(missing) == {
        *("category_id", "description", "schedule", "address1", "address2", "details", "attachments", "price"),
        *("lead_type", "lead_price", "charge_state", "is_test", "extra"),
        *OF_V4_ALONE,
    }


def test_both_official_lead_shapes(payload):
    old, new = fact(Kind.LEAD, payload("lead")), fact(Kind.LEAD, payload("lead_with_attachment"))
    assert (old.category_id, old.attachments) == (None, ())
    assert (new.category_id, len(new.attachments)) == ("122681972262289742", 1)
    assert old == dataclasses.replace(new, category_id=None, attachments=())
    assert old.address2 is None
    assert old.extra == new.extra == {}


def test_what_is_unknown_or_unreadable_is_kept_where_it_stood(payload):
    lead = fact(Kind.LEAD, payload("lead_with_unknown_fields"))
    assert lead.lead_id == "410000000000000021"
    assert lead.created_at == datetime(2020, 1, 21, 21, 44, 54, tzinfo=UTC)
    assert lead.price == "More information needed to give an estimate"
    assert (lead.zip_code, lead.lead_price, lead.lead_type) == ("94612", "26", "HOLOGRAM_VISIT")
    assert lead.customer.phone == "4155550178"
    assert lead.description is None
    assert lead.details == (
        Answer(question="What needs fixing?", answer="A gate"),
        Answer(question="How many?", answer="2"),
    )
    assert lead.attachments == ()
    assert lead.extra == {
        "urgency": {"level": 3},
        "request": {
            "description": ["not", "text"],
            "location": {"timeZone": "America/Los_Angeles"},
            "details": [{"question": "What needs fixing?", "answer": "A gate", "weight": 2}, "stray"],
            "attachments": [{"fileName": "nowhere.jpg"}],
        },
        "business": {"rank": "top"},
    }


def test_half_an_answer_is_still_an_answer(payload):
    body = changed(payload("lead"), ("request", "details"), [{"question": "Why?"}, {"answer": "So"}, {}, None])
    lead = fact(Kind.LEAD, body)
    assert lead.details == (Answer(question="Why?", answer=""), Answer(question="", answer="So"))
    assert lead.extra == {}


def test_ten_thousand_answers(payload):
    many = [{"question": f"Question {n}", "answer": n} for n in range(10_000)]
    lead = fact(Kind.LEAD, changed(payload("lead"), ("request", "details"), many))
    assert len(lead.details) == 10_000
    assert lead.details[-1] == Answer(question="Question 9999", answer="9999")


@pytest.mark.parametrize(
    "path",
    [("createTimestamp",), ("request", "attachments", 0, "fileSize")],
)
@pytest.mark.parametrize("value", ["-5", -5, "soon", 1e30, [1], 10**30], ids=repr)
def test_an_unreadable_number_is_none_and_kept(payload, path, value):
    lead = fact(Kind.LEAD, changed(payload("lead_with_attachment"), path, value))
    if path == ("createTimestamp",):
        assert lead.created_at is None
        kept = lead.extra["createTimestamp"]
    else:
        assert lead.attachments[0].file_size is None
        kept = lead.extra["request"]["attachments"][0]["fileSize"]
    assert kept == (str(value) if value == 10**30 and isinstance(value, int) else value)


@pytest.mark.parametrize("party", ["business", "customer"])
@pytest.mark.parametrize(
    "value", [{"name": "Nobody"}, "Nobody", {"name": "Nobody", "businessID": " ", "customerID": []}]
)
def test_somebody_without_an_id_is_nobody_but_kept(payload, party, value):
    lead = fact(Kind.LEAD, changed(payload("lead"), (party,), value))
    assert getattr(lead, party) is None
    assert lead.extra == {party: value}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("business", "name"), "Test Business for Webhooks"),
        (("customer", "name"), "Test Customer"),
    ],
)
def test_leads_of_thumbtacks_test_button(payload, path, name):
    assert fact(Kind.LEAD, changed(payload("lead"), path, name)).is_test
    assert not fact(Kind.LEAD, changed(payload("lead"), path, f"{name} 2")).is_test


def test_a_message(payload):
    message = fact(Kind.MESSAGE, payload("message_with_attachment"))
    assert message.generation is Generation.LEGACY
    assert (message.lead_id, message.message_id) == ("299614694480093245", "8699842694484326245")
    assert message.sender is Sender.CUSTOMER
    assert message.business == BusinessRef(thumbtack_id="286845156044809661")
    assert message.customer == CustomerRef(thumbtack_id="331138063184986319")
    assert message.text == "Do you offer fridge cleaning or is that extra?"
    assert message.sent_at == datetime(2017, 6, 29, 18, 18, 14, tzinfo=UTC)
    assert message.attachments == (
        Attachment(
            url="https://www.thumbtack.com/attachment/b180b7d3bf981dd2896732f979f44fbf45fc4224/fridge.jpg",
            file_name="fridge.jpg",
            file_size=3940,
            mime_type="image/jpeg",
            description="refrigerator",
        ),
    )
    assert message.extra == {}


def test_a_message_of_ids_alone(payload):
    message = fact(Kind.MESSAGE, payload("message_without_optional_fields"))
    assert (message.business, message.customer, message.text, message.sent_at) == (None, None, None, None)


def test_price_updates(payload):
    charged = fact(Kind.LEAD_UPDATE, payload("lead_update"))
    assert (charged.lead_id, charged.lead_price, charged.charge_state) == ("465324000282984455", "$26.00", "Charged")
    cleared = fact(Kind.LEAD_UPDATE, payload("lead_update_cleared"))
    assert (cleared.lead_id, cleared.lead_price, cleared.charge_state) == ("410000000000000011", None, None)


def test_a_verified_review(payload):
    review = fact(Kind.REVIEW, payload("review_verified"))
    assert (review.review_id, review.lead_id) == ("410000000000000042", "410000000000000011")
    assert review.business == BusinessRef(thumbtack_id="410000000000000004")
    assert (review.rating, review.text) == ("4", "Neat work, and they're on time.")
    assert review.created_at == datetime(2026, 8, 6, 10, 32, 25, 678_000, tzinfo=UTC)
    assert review.modified_at == datetime(2026, 8, 7, 10, 53, 19, 999_000, tzinfo=UTC)
    assert review.verified is True
    assert review.photos[0].url.startswith("example.com/attachment/")
    assert review.extra == {"reviewEventType": "REVIEW_ADDED"}


def test_an_unverified_review(payload):
    review = fact(Kind.REVIEW, payload("review_unverified"))
    assert (review.lead_id, review.category_id, review.text, review.reviewer_name) == (None, None, None, None)
    assert review.verified is False


@pytest.mark.parametrize(
    ("names", "shown", "kept"),
    [
        ({"reviewerName": "Maya A."}, "Maya A.", None),
        ({"reviewerNickname": "May"}, "May", None),
        ({"reviewerName": "Maya A.", "reviewerNickname": "Maya A."}, "Maya A.", None),
        ({"reviewerName": "Maya A.", "reviewerNickname": "May"}, "Maya A.", {"reviewerNickname": "May"}),
        ({"reviewerName": None, "reviewerNickname": "May"}, "May", None),
    ],
)
def test_both_names_of_a_reviewer(payload, names, shown, kept):
    body = payload("review_unverified")
    review = fact(Kind.REVIEW, {**body, "review": {**body["review"], **names}})
    assert review.reviewer_name == shown
    assert review.extra.get("review") == kept


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (True, True),
        (False, False),
        ("true", True),
        ("False", False),
        (1, True),
        (0, False),
        ("maybe", None),
        ([], None),
    ],
    ids=repr,
)
def test_verified(payload, sent, read):
    assert fact(Kind.REVIEW, changed(payload("review"), ("review", "verified"), sent)).verified is read


# Ids and refusals


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (
            Kind.LEAD,
            "lead",
            Ids(object_id="299614694480093245", lead_id="299614694480093245", business_id="286845156044809661"),
        ),
        (
            Kind.LEAD,
            "lead_with_unknown_fields",
            Ids(object_id="410000000000000021", lead_id="410000000000000021", business_id="410000000000000004"),
        ),
        (
            Kind.MESSAGE,
            "message",
            Ids(object_id="8699842694484326245", lead_id="299614694480093245", business_id="286845156044809661"),
        ),
        (Kind.LEAD_UPDATE, "lead_update", Ids(object_id="465324000282984455", lead_id="465324000282984455")),
        (
            Kind.REVIEW,
            "review",
            Ids(object_id="318840849076158553", lead_id="299614694480093245", business_id="286845156044809661"),
        ),
        (Kind.REVIEW, "review_unverified", Ids(object_id="410000000000000041", business_id="410000000000000004")),
    ],
)
def test_ids_of_samples(payload, kind, name, expected):
    assert ids(kind, payload(name)) == expected


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize(
    "body", [None, [], "leadID", 1, {}, {"leadID": None}, {"message": [], "review": "x"}], ids=repr
)
def test_no_ids_is_a_shape_error(kind, body):
    with pytest.raises(ShapeError):
        ids(kind, body)
    with pytest.raises(ShapeError):
        facts(kind, body)


@pytest.mark.parametrize(("kind", "name"), SAMPLES)
@pytest.mark.parametrize("value", [None, "", " ", True, 1.5, [], {}], ids=repr)
def test_exactly_the_needed_ids_are_needed(payload, kind, name, value):
    body = payload(name)
    for path in paths(body):
        variant = changed(body, path, value)
        if path in NEEDED[kind]:
            with pytest.raises(ShapeError):
                ids(kind, variant)
        else:
            assert ids(kind, variant).object_id == ids(kind, body).object_id


@pytest.mark.parametrize(("kind", "name"), SAMPLES)
@pytest.mark.parametrize("drop", [True, False])
def test_any_optional_field_may_be_missing_or_null(payload, kind, name, drop):
    body = payload(name)
    for path in paths(body):
        if path not in NEEDED[kind]:
            check_storable(fact(kind, changed(body, path, drop=drop)))


@settings(deadline=None)
@given(st.sampled_from(list(Kind)), JSON)
def test_any_json_is_read_or_refused(kind, body):
    try:
        named = ids(kind, body)
    except ShapeError:
        with pytest.raises(ShapeError):
            facts(kind, body)
    else:
        check_storable(fact(kind, body))
        assert named.object_id


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_value_in_any_place_of_a_body_is_read_or_refused(payload, data):
    kind, name = data.draw(st.sampled_from(SAMPLES))
    body = payload(name)
    for _ in range(data.draw(st.integers(1, 4))):
        body = changed(body, data.draw(st.sampled_from(sorted(paths(body), key=repr))), data.draw(JSON))
        if not list(paths(body)):
            break
    try:
        named = ids(kind, body)
    except ShapeError:
        with pytest.raises(ShapeError):
            facts(kind, body)
        return
    one = fact(kind, body)
    check_storable(one)
    assert getattr(one, "review_id", None) or getattr(one, "message_id", None) or one.lead_id == named.object_id


@settings(deadline=None)
@given(st.sampled_from(SAMPLES), st.dictionaries(TEXT, JSON))
def test_unknown_fields_survive(payload, sample, unknown):
    kind, name = sample
    body = payload(name)
    told = {f"x{key}": value for key, value in unknown.items() if not says_nothing(value)}
    extra = fact(kind, {**told, **body}).extra
    assert {re.sub("[\x00\ud800-\udfff]", "\ufffd", key) for key in told} <= set(extra)


def test_deep_and_huge_things_are_kept_as_text(payload):
    deep = []
    for _ in range(60):
        deep = [deep]
    abyss = []
    for _ in range(100_000):
        abyss = [abyss]
    body = {**payload("lead"), "deep": deep, "abyss": abyss, "huge": [2**63, -(2**63), 2**63 - 1, float("inf")]}
    extra = fact(Kind.LEAD, body).extra
    assert extra["huge"] == ["9223372036854775808", -(2**63), 2**63 - 1, "inf"]
    kept = json.dumps(extra["deep"])
    assert kept.count("[") == 61
    assert "\u2026" in json.dumps(extra["abyss"], ensure_ascii=False)
