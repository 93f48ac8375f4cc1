"""Phone numbers and e-mail addresses are found however they are written; prices, dates, sizes and zip codes are none."""

import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.contact_data import carries


@pytest.mark.parametrize(
    "text",
    [
        "(212) 555-0123",
        "212-555-0123",
        "212.555.0123",
        "212 555 0123",
        "212 555 01 23",
        "212/555-0123",
        "2125550123",
        "+1 212 555 0123",
        "1-212-555-0123",
        "1 (212) 555-0123 ext. 4",
        "2125550123x12",
        "212–555–0123",
        "212\u2011555\u20110123",
        "２１２-５５５-０１２３",
        "Call me:2125550123.",
        "tel:+12125550123",
        "https://example.com/2125550123",
        "Call 555-0123 after 5",
        "555.0123",
        "555-1234, please",
        "+44 20 7946 0958",
        "+49 30 23125 432",
        "ana@example.com",
        "ANA@EXAMPLE.COM.",
        "mailto:ana.b+leads@mail.example.com?subject=x",
        "ana＠example.com",
        "ana (at) example.com",
        "ana[at]example.com",
        "<ana@example.com>",
        "ana@bücher.example",
    ],
)
def test_who_reads_this_could_call_or_write(text):
    assert carries(text)
    assert carries(f"Sure.\nReach us here: {text}\nThanks")


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "We come at 9.",
        "$1,200.00 - $1,500.00",
        "$500-1000",
        "$2500-3000",
        "between 500-1000 sq ft",
        "500-1000",
        "$555-1234",
        "555-1234 sq ft",
        "650-1250 square feet",
        "2026-09-01T10:30",
        "01.09.2026 12:00",
        "10/12/2026 - 10/14/2026",
        "1200 x 800 x 2100 mm",
        "3/4 1/2 5/8 7/8",
        "94107-1234",
        "License 1034567",
        "Order 12345678901234567890",
        "me @ 9",
        "me@example",
        "@ana",
        "20+ years, 1,000+ jobs",
    ],
)
def test_this_leads_to_nobody(text):
    assert not carries(text)


NUMBER = st.builds(
    lambda area, exchange, last: (f"{area}", f"{exchange}", f"{last:04}"),
    st.integers(201, 989),
    st.integers(200, 999),
    st.integers(0, 9999),
)
BETWEEN = st.sampled_from(["", " ", "-", ".", " - ", "\u2013", "\u2011", "/"])


@given(
    NUMBER,
    BETWEEN,
    BETWEEN,
    st.sampled_from(["", "1 ", "+1", "1-", "+1 ("]),
    st.sampled_from(["", " ", ".", "!", "x5"]),
)
def test_a_number_is_found_however_it_is_written(number, first, second, before, after):
    assert carries(f"Call {before}{number[0]}{first}{number[1]}{second}{number[2]}{after}")


amounts = st.builds(
    lambda sign, amount, cents: f"{sign}{amount:,}{cents}",
    st.sampled_from(["$", "$ ", "€", ""]),
    st.integers(0, 999_999),
    st.sampled_from(["", ".00", ".50"]),
)
prices = st.lists(amounts, min_size=1, max_size=3).map(" - ".join)
dates = st.datetimes().flatmap(
    lambda day: st.sampled_from(["%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%m-%d-%y", "%B %d, %Y", "%Y-%m-%dT%H:%M:%S"]).map(
        day.strftime
    )
)
sizes = st.lists(st.integers(1, 9999), min_size=2, max_size=4).flatmap(
    lambda sides: st.sampled_from(["x", " x ", " by ", "×", ", ", "' x "]).map(lambda by: by.join(map(str, sides)))
)
zips = st.builds(
    lambda code, more: f"{code:05}{more}",
    st.integers(501, 99950),
    st.one_of(st.just(""), st.integers(0, 9999).map(lambda more: f"-{more:04}")),
)
times = st.times().map(lambda at: at.strftime("%I:%M %p"))
said = st.sampled_from(["It is", "That would be", "about", "or", "and", "for", "at", "sq ft,", "in", "from"])


@settings(max_examples=300)
@given(st.lists(st.tuples(said, st.one_of(prices, dates, sizes, zips, times)), min_size=1, max_size=4))
def test_prices_dates_sizes_times_and_zip_codes_lead_to_nobody(parts):
    text = " ".join(word for part in parts for word in part)
    assume("@" not in text)
    assert not carries(text)


PARTS = ["1 ", "1-", "+1", "9", "a@", "(at)", "a.a@", "+49 30 ", "2 ", "(2", "212-555-01 ", "x@y.", "- ", "1."]


@pytest.mark.parametrize("text", [*(part * (16_384 // len(part)) for part in PARTS), "x" * 8_000 + "@" + "y." * 4_000])
def test_the_longest_reply_is_decided_at_once(text):
    began = time.process_time()
    carries(text)
    assert time.process_time() - began < 1
