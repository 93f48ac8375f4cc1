"""Prices as cents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.thumbtack.money import cents, dollars


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$1,260.50", 126050),
        ("$258/hour", 25800),
        ("$260/hour", 26000),
        ("$100/guest", 10000),
        ("$1,234.56/hour", 123456),
        ("$26.00", 2600),
        ("$26.5", 2650),
        ("$26.500", 2650),
        ("$ 26", 2600),
        ("US$26", 2600),
        ("From $150", 15000),
        ("$100/2 hours", 10000),
        ("$0", 0),
        ("26", 2600),
        (" 26.00 ", 2600),
        ("26/hour", 2600),
        ("$1,000,000", 100_000_000),
        ("$92233720368547758.07", 2**63 - 1),
        ("$92233720368547758.08", None),
        ("$" + "9" * 40, None),
        ("N/A", None),
        ("More information needed to give an estimate", None),
        ("$500 - $1,000", None),
        ("$500-$1,000", None),
        ("-$5.00", None),
        ("−$5.00", None),
        ("$5k", None),
        ("$1.234,56", None),
        ("$1,26", None),
        ("$26.005", None),
        ("4 rooms", None),
        ("1e5", None),
        ("٢٦", None),
        ("$", None),
        ("", None),
        (None, None),
    ],
)
def test_reads_one_amount_and_nothing_doubtful(text, expected):
    assert cents(text) == expected


@given(st.one_of(st.text(), st.from_regex(r"\$?[0-9,.$/ -]{0,60}")))
def test_never_raises_and_fits_a_column(text):
    amount = cents(text)
    assert amount is None or 0 <= amount < 2**63


@given(st.integers(0, 10**15), st.integers(0, 99))
def test_what_is_written_with_commas_comes_back(dollars, rest):
    assert cents(f"${dollars:,}.{rest:02}") == dollars * 100 + rest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1234.56", "$1,234.56"),
        ("150.00", "$150.00"),
        ("25", "$25"),
        ("$1234.56", "$1234.56"),
        ("$25.00", "$25.00"),
        ("-5", "-5"),
        ("1,234.56", "1,234.56"),
        ("Free", "Free"),
        ("", ""),
        (None, None),
    ],
)
def test_a_bare_number_gets_its_sign(text, expected):
    assert dollars(text) == expected


@given(st.text(max_size=30))
def test_the_sign_changes_no_amount(text):
    assert cents(dollars(text)) == cents(text)
