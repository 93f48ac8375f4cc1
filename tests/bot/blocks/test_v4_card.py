"""What v4 adds to a lead's card: times by the clock of a place, how the estimate comes about, status, cost, pages."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.judge_blocks import judge
from support.samples import NOW, a_customer, a_v4_lead, a_view

from bot.blocks import appointments, leads
from bot.blocks.kit import LARGEST, size
from bot.blocks.leads import RepliesGo

PACIFIC = ZoneInfo("America/Los_Angeles")


def window(start, end, kind="proposed"):
    return {"kind": kind, "start": f"{start}:00+00:00", "end": f"{end}:00+00:00" if end else None}


def told(*windows, zone=PACIFIC, **fields):
    return appointments.rows(a_v4_lead(windows=list(windows), **fields), zone)


def seen(value):
    """Every text in some blocks."""
    if isinstance(value, list):
        return " ".join(seen(item) for item in value)
    if not isinstance(value, dict):
        return ""
    here = [value["text"]] if isinstance(value.get("text"), str) else []
    return " ".join([*here, *(seen(inner) for inner in value.values())])


def card(**fields):
    view = {name: fields.pop(name) for name in ("replies", "customer", "lead_url", "zone") if name in fields}
    return leads.card(a_view(a_v4_lead(**fields), **view))


def menu(post):
    """The labels of the menu of pages; None where there is none."""
    menus = [e for block in post.blocks for e in block.get("elements", []) if e["type"] == "overflow"]
    return [option["text"]["text"] for option in menus[0]["options"]] if menus else None


# Times


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-09-26T13:00", "2026-09-26T16:00", "Sat, Sep 26, 6:00–9:00 AM PDT"),
        ("2026-09-26T18:00", "2026-09-26T21:30", "Sat, Sep 26, 11:00 AM–2:30 PM PDT"),
        ("2026-09-26T19:00", "2026-09-26T20:00", "Sat, Sep 26, 12:00–1:00 PM PDT"),
        ("2026-12-05T14:00", "2026-12-05T17:00", "Sat, Dec 5, 6:00–9:00 AM PST"),
        ("2026-09-27T00:00", "2026-09-27T03:00", "Sat, Sep 26, 5:00–8:00 PM PDT"),  # the day before, there
        ("2026-09-26T23:00", "2026-09-27T02:00", "Sat, Sep 26, 4:00–7:00 PM PDT"),  # midnight in UTC alone
        ("2026-09-27T05:00", "2026-09-27T08:00", "Sat, Sep 26, 10:00 PM – Sun 1:00 AM PDT"),  # midnight there
        ("2026-09-27T04:00", "2026-09-27T07:00", "Sat, Sep 26, 9:00 PM–midnight PDT"),
        ("2026-09-26T07:00", "2026-09-27T07:00", "Sat, Sep 26, all day, PDT"),
        ("2026-09-26T07:00", "2026-10-04T07:00", "Sat, Sep 26, 12:00 AM – Sun, Oct 4, 12:00 AM PDT"),
        ("2026-09-26T13:00", None, "Sat, Sep 26, 6:00 AM PDT"),
        ("2026-09-26T13:00", "2026-09-26T13:00", "Sat, Sep 26, 6:00 AM PDT"),
        ("2026-09-26T13:00", "2026-09-26T12:00", "Sat, Sep 26, 6:00 AM PDT"),  # ends before it begins
        ("2026-11-01T08:30", "2026-11-01T09:30", "Sun, Nov 1, 1:30 AM PDT – 1:30 AM PST"),  # the clocks go back
        ("2027-01-02T20:30", "2027-01-02T22:00", "Sat, Jan 2, 2027, 12:30–2:00 PM PST"),
        ("2027-01-01T05:00", "2027-01-01T06:00", "Thu, Dec 31, 9:00–10:00 PM PST"),  # next year in UTC alone
    ],
)
def test_a_time_by_the_clock_of_the_place(start, end, expected):
    assert told(window(start, end)) == [f"Proposed: {expected}"]


def test_the_zone_is_always_named():
    at = window("2026-09-26T13:00", "2026-09-26T16:00")
    assert told(at, zone=ZoneInfo("America/Phoenix")) == ["Proposed: Sat, Sep 26, 6:00–9:00 AM MST"]
    assert told(at, zone=ZoneInfo("America/Chicago")) == ["Proposed: Sat, Sep 26, 8:00–11:00 AM CDT"]
    assert told(at, zone=UTC) == ["Proposed: Sat, Sep 26, 1:00–4:00 PM UTC"]


def test_the_year_is_told_where_nothing_says_when_the_lead_came():
    at = window("2026-09-26T13:00", None)
    assert told(at, created_at=None, received_at=None) == ["Proposed: Sat, Sep 26, 2026, 6:00 AM PDT"]


def test_what_is_booked_comes_first():
    proposed, booked = window("2026-09-26T13:00", None), window("2026-09-27T13:00", None, "booking")
    assert told(proposed, booked) == ["Booked: Sun, Sep 27, 6:00 AM PDT", "Proposed: Sat, Sep 26, 6:00 AM PDT"]
    assert told() == appointments.rows(a_v4_lead(windows=None), PACIFIC) == []


def test_more_times_than_the_card_shows_follow_below_it():
    days = [window(f"2026-09-{day}T16:00", None) for day in range(20, 24)]
    assert told(*days)[1:] == ["or Mon, Sep 21, 9:00 AM PDT", "or Tue, Sep 22, 9:00 AM PDT", "and 1 more time, below"]
    view = a_view(a_v4_lead(windows=days))
    below = seen([post.blocks for post in leads.continuations(view)])
    assert [day for day in range(20, 24) if f"Sep {day}, 9:00 AM PDT" in below] == [20, 21, 22, 23]
    assert leads.continuations(a_view(a_v4_lead(windows=days[:3]))) == []


def test_times_take_the_place_of_the_pro_apis_words_for_them():
    words = "Date: Sat, Sep 26 2026\nTime: 6:00 AM"
    assert "Time: 6:00 AM" in seen(card(schedule=words, windows=None).blocks)
    assert "Time: 6:00 AM" not in seen(card(schedule=words).blocks)


INSTANTS = st.datetimes(timezones=st.just(UTC))
ZONES = st.sampled_from([PACIFIC, UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")])


@settings(deadline=None)
@given(INSTANTS, st.none() | INSTANTS, ZONES)
def test_no_time_breaks_the_card(start, end, zone):
    at = {"kind": "booking", "start": start.isoformat(), "end": end.isoformat() if end else None}
    [row] = told(at, zone=zone)
    assert row.startswith("Booked: ")


@settings(deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001 -- hypothesis wants naive bounds
    st.integers(1, 2_000),
)
def test_the_day_and_hour_told_are_those_of_the_place(start, minutes):
    end = start + timedelta(minutes=minutes)
    [row] = told({"kind": "booking", "start": start.isoformat(), "end": end.isoformat()}, zone=UTC)
    assert row.startswith(f"Booked: {start:%a}, {start:%b} {start.day}, ")
    if start.date() != end.date() and end.hour:
        assert f" – {end:%a} {end.hour % 12 or 12}:{end:%M %p} UTC" in row


# Estimate


def parts(kind, price=None, quantity=None, unit=None, total=None):
    given = {"price_per_unit": price, "unit_quantity": quantity, "unit_name": unit, "total": total}
    return {"type": kind, **given}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (parts("PerUnit", "$1,234.56", "2", "room", "$2,469.12"), "Estimate: $1,234.56/room × 2 = $2,469.12"),
        (parts("PerUnit", "$1,234.56", "2", "room"), "Estimate: $1,234.56/room × 2"),
        (parts("Hourly", "$75.00", "1", "hour", "$75.00"), "Estimate: $75.00/hour"),
        (parts("Hourly", "$75.00", None, None, "$75.00"), None),
        (parts("Fixed", "$150.00", "1", "service", "$150.00"), None),  # the headline says it
        (parts("Fixed", "$150.00", "3", None, "$450.00"), "Estimate: $150.00 × 3 = $450.00"),
        (parts("OnSite"), "Estimate after seeing it on site"),
        (parts("MoreInfo", total="$0.00"), "More information needed to give an estimate"),
        (parts("SomethingNew", "$5.00", "4", "chair", "$20.00"), "Estimate: $5.00/chair × 4 = $20.00"),
        (parts(None), None),
        (parts("Fixed", None, None, None, "$150.00"), None),
        ({}, None),
        (None, None),
    ],
)
def test_how_the_estimate_comes_about(said, expected):
    shown = seen(card(estimate=said, price_text=None).blocks)
    found = [expected] if expected else []
    assert [text for text in found if text in shown] == found
    assert ("stimate" in shown) is bool(expected)


def test_the_estimate_is_not_told_twice():
    said = parts("Hourly", "$75.00", None, "hour")
    assert "Estimate" in seen(card(estimate=said, price_text="$150.00").blocks)
    assert "Estimate" not in seen(card(estimate=said, price_text="$75.00/hour").blocks)


# How it stands, and what it costs


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Canceled", "Canceled in Thumbtack"),
        ("cancelled", "Canceled in Thumbtack"),
        ("Picked", "Picked in Thumbtack"),
        ("Something new", "Something new in Thumbtack"),
        ("Open", None),
        ("active", None),
        (None, None),
        (" ", None),
    ],
)
def test_only_a_lead_that_is_not_open_says_how_it_stands(status, expected):
    shown = seen(card(status=status, replies=RepliesGo.OUT).blocks)
    assert (expected or "") in shown
    assert ("in Thumbtack" in shown.replace("Open in Thumbtack", "")) is bool(expected)
    assert ("Also asked 3 other pros" in shown) is not bool(expected)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "Lead cost $25.00 incl. $1.85 tax, not charged yet"),
        ({"charge_state": "Charged"}, "Lead cost $25.00 incl. $1.85 tax, Charged"),
        ({"charge_breakdown": None}, "Lead cost $25.00, not charged yet"),
        ({"charge_breakdown": {"subtotal": "$25.00"}}, "Lead cost $25.00, not charged yet"),
        ({"charge_breakdown": {"salesTax": "$0.00"}}, "Lead cost $25.00, not charged yet"),
        ({"charge_text": None}, "Lead cost not charged yet"),
    ],
)
def test_what_the_lead_costs(fields, expected):
    assert expected in seen(card(**fields).blocks)


def test_a_change_of_the_cost_is_told_in_the_same_words():
    assert leads.price_line("$25.00", "Created").text == "Lead cost: $25.00, not charged yet"


@pytest.mark.parametrize(("count", "expected"), [(1, "Also asked 1 other pro ·"), (3, "Also asked 3 other pros ·")])
def test_how_many_others_were_asked(count, expected):
    assert expected in seen(card(asked_others=count).blocks)


@pytest.mark.parametrize("count", [None, 0])
def test_nobody_else_asked_is_not_told(count):
    assert "Also asked" not in seen(card(asked_others=count).blocks)


# How to reach the customer, and Thumbtack's pages


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("5125550148", ":telephone_receiver: <tel:+15125550148|5125550148> · access code 1234567"),
        ("555-555-5555", " 555-555-5555 · access code 1234567"),
        (None, " access code 1234567"),
    ],
)
def test_the_access_code_stands_by_the_phone(phone, expected):
    assert expected in seen(card(customer=a_customer(phone=phone)).blocks)


@pytest.mark.parametrize("code", ["<!channel>", "*1*", "1" * 21, "a b", "", None])
def test_what_is_no_code_is_not_shown(code):
    assert "access code" not in seen(card(access_code=code).blocks)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ("ProviderTravelToCustomer", "At the customer's place"),
        ("Remote, CustomerTravelToProvider", "At your place or remotely"),
        ("Something new", "Something new"),
    ],
)
def test_where_the_work_is_done_in_words(codes, expected):
    assert f" {expected}" in seen(card(travel_preferences=codes).blocks)


def test_thumbtacks_pages_are_in_a_menu_beside_the_button():
    assert menu(card()) == ["Open in Thumbtack", "Ask for a review", "Ask for a refund"]
    assert menu(card(lead_url=None)) == ["Ask for a review", "Ask for a refund"]
    assert menu(card(replies=RepliesGo.INSIDE, lead_url=None)) == ["Ask for a review", "Ask for a refund"]
    assert menu(card(status="Canceled")) == ["Open in Thumbtack", "Ask for a refund"]
    assert menu(card(charge_state="Refunded")) == ["Open in Thumbtack", "Ask for a review"]
    assert menu(card(review_link=None, refund_link=None)) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://www.thumbtack.com/x",
        "https://thumbtack.com.evil.example/x",
        "https://evilthumbtack.com/x",
        "https://thumbtack.com@evil.example/x",
        "https://me@www.thumbtack.com/x",
        "https://www.thumbtack.com/" + "x" * 600,
        "https://www.thumbtack.com/a b",
        "https://www.thumbtack.com/\n",
        "https://[::1",
        "javascript:alert(1)",
        "",
        None,
    ],
)
def test_only_thumbtacks_own_pages_are_opened(url):
    assert menu(card(review_link=url, refund_link=url)) is None


# Whatever comes

odd = st.none() | st.text(max_size=20) | st.sampled_from(["😀" * 3_000, "x" * 50_000, "<!channel>", "N/A", "\u200b"])
texts = ("status", "review_link", "refund_link", "access_code", "charge_text", "charge_state", "travel_preferences")


@settings(max_examples=50, deadline=None)
@given(
    st.fixed_dictionaries(dict.fromkeys(texts, odd)),
    st.fixed_dictionaries(
        dict.fromkeys(("type", "price_per_unit", "unit_quantity", "unit_name", "total"), odd | st.just("PerUnit"))
    ),
    st.fixed_dictionaries({"salesTax": odd}),
    st.lists(st.tuples(st.sampled_from(["booking", "proposed"]), INSTANTS), max_size=300),
    st.sampled_from(RepliesGo),
)
def test_any_lead_of_v4_gives_posts_that_slack_takes(fields, said, breakdown, times, replies):
    windows = [{"kind": kind, "start": at.isoformat(), "end": None} for kind, at in times]
    lead = a_v4_lead(**fields, estimate=said, charge_breakdown=breakdown, windows=windows, received_at=NOW)
    view = a_view(lead, replies=replies)
    for post in (leads.card(view), *leads.continuations(view)):
        assert judge(asdict(post)) == []
        assert size(post.blocks) <= LARGEST
