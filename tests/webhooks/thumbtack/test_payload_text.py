"""Cleaning text, ids and times from outside."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.thumbtack.errors import ShapeError
from webhooks.thumbtack.payloads.ids import read_id, required_id
from webhooks.thumbtack.payloads.text import plain, prose
from webhooks.thumbtack.payloads.times import epoch

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=())),
    st.lists(st.integers()),
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  a\r\nb\rc\n ", "a\nb\nc"),
        ("N/A", "N/A"),
        ("a\x00b\ud800c", "a\ufffdb\ufffdc"),
        ("I&#39;m", "I&#39;m"),
        (26, "26"),
        (26.0, "26"),
        (26.5, "26.5"),
        (1e300, "1e+300"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        ("", None),
        (" \n ", None),
        (None, None),
        ([], None),
        ({"a": 1}, None),
        (float("nan"), None),
    ],
)
def test_plain(value, expected):
    assert plain(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("I&#39;m not sure", "I'm not sure"),
        ("a &amp; b &lt;c&gt; &quot;d&quot; &#x27;e&#x27;", "a & b <c> \"d\" 'e'"),
        ("&amp;lt;", "&lt;"),
        ("&amp;amp;", "&amp;"),
        ("https://example.com/?a=1&copy=2&lt=3", "https://example.com/?a=1&copy=2&lt=3"),
        ("AT&T", "AT&T"),
        ("&unknown;", "&unknown;"),
        ("&#0;|&#xD800;", "\ufffd|\ufffd"),
        ("a&#13;&#10;b", "a\nb"),
        ("&nbsp;", None),
        (7, "7"),
        (None, None),
    ],
)
def test_prose_decodes_entities_once(value, expected):
    assert prose(value) == expected


@given(ANYTHING)
def test_cleaned_text_can_be_stored(value):
    for text in (plain(value), prose(value), read_id(value)):
        assert text is None or (text == text.strip() != "" and "\x00" not in text and text.encode())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("299614694480093245", "299614694480093245"),
        (" 12 ", "12"),
        (299614694480093246, "299614694480093246"),
        (0, "0"),
        ("a\x00", "a\ufffd"),
        ("", None),
        ("  ", None),
        (None, None),
        (True, None),
        (1.5, None),
        (1.0, None),
        (["1"], None),
        ({}, None),
    ],
)
def test_ids(value, expected):
    assert read_id(value) == expected


def test_a_very_long_id_is_shortened_and_stays_distinct():
    one, other = read_id("7" * 5000), read_id("7" * 5001)
    assert one == read_id("7" * 5000) != other
    assert len(one) < 200
    assert read_id("7" * 200) == "7" * 200


def test_a_missing_id_is_a_shape_error():
    assert required_id(5) == "5"
    with pytest.raises(ShapeError):
        required_id(" ")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1498760294", datetime(2017, 6, 29, 18, 18, 14, tzinfo=UTC)),
        (1498760295, datetime(2017, 6, 29, 18, 18, 15, tzinfo=UTC)),
        (1498760294.5, datetime(2017, 6, 29, 18, 18, 14, 500_000, tzinfo=UTC)),
        (" 1498760294 ", datetime(2017, 6, 29, 18, 18, 14, tzinfo=UTC)),
        ("1517986598726", datetime(2018, 2, 7, 6, 56, 38, 726_000, tzinfo=UTC)),
        (1517986598727, datetime(2018, 2, 7, 6, 56, 38, 727_000, tzinfo=UTC)),
        (253402300799999, datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        (253402300800000, None),
        (0, None),
        (-1, None),
        ("-1498760294", None),
        (10**400, None),
        (1e308, None),
        (float("nan"), None),
        (float("inf"), None),
        ("1_498_760_294", None),
        ("٣٣٣", None),
        ("yesterday", None),
        ("", None),
        (True, None),
        (None, None),
        ([1498760294], None),
    ],
)
def test_times(value, expected):
    assert epoch(value) == expected


@given(ANYTHING)
def test_a_time_is_an_instant_or_nothing(value):
    instant = epoch(value)
    assert instant is None or (instant.tzinfo is UTC and 1970 <= instant.year <= 9999)
