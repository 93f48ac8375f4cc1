"""Phone numbers as people type them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.blocks import phone_outcomes
from bot.phone_numbers import LONGEST_NAME, Entry, Wrong, WrongLine, national, normal, read, read_bulk, read_name

FRONT = "+15125550142"


def reading(text):
    """What was read, as a pair; or why not."""
    found = read(text)
    return (found.number, found.name) if isinstance(found, Entry) else found


@pytest.mark.parametrize(
    "typed",
    [
        "5125550142",
        "512 555 0142",
        "(512) 555-0142",
        "512.555.0142",
        "512/555-0142",
        "1 512 555 0142",
        "1-512-555-0142",
        "+1 512 555 0142",
        "+1 (512) 555-0142.",
        "+15125550142",
        "tel:+1-512-555-0142",
        "<tel:+15125550142|+1 512 555 0142>",
        "<tel:+15125550142>",
        "\u202a+1 512\u2011555\u20110142\u202c",
        "５１２ ５５５ ０１４２",
        " \t512 555\u00a00142 ",
    ],
)
def test_one_number_is_read_however_it_is_written(typed):
    assert reading(typed) == (FRONT, None)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("+1 512 555 0142 Front desk", "Front desk"),
        ("Front desk 512 555 0142", "Front desk"),
        ("Front desk: 512 555 0142", "Front desk"),
        ("512-555-0142 - Front desk", "Front desk"),
        ("Ana <512-555-0142>", "Ana"),
        ("Ana (cell) 512-555-0142", "Ana (cell)"),
        ("Ana (512) 555-0142 López", "Ana López"),
        ("Truck 2 512 555 0142", "Truck 2"),
        ("512 555 0142 2nd floor", "2nd floor"),
        ("512 555 0142 Crew 3", "Crew 3"),
        ("3. 512 555 0142 Ana", "Ana"),
        ("• 512 555 0142 Ana", "Ana"),
        ("- Ana 512 555 0142", "Ana"),
        ("512 555 0142 👷", "👷"),
        ("512 555 0142 :)", None),
    ],
)
def test_a_name_stands_before_or_after_it(typed, name):
    assert reading(typed) == (FRONT, name)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", Wrong.NO_NUMBER),
        ("Ana", Wrong.NO_NUMBER),
        ("Crew 3", Wrong.NO_NUMBER),
        ("1-800-FLOWERS", Wrong.LETTERS),
        ("512-555-O142", Wrong.LETTERS),
        ("5125550142Ana", Wrong.LETTERS),
        ("512 555 0142 x12", Wrong.EXTENSION),
        ("5125550142x12 Ana", Wrong.EXTENSION),
        ("512 555 0142 ext. 12", Wrong.EXTENSION),
        ("512 555 0142, extension 7", Wrong.EXTENSION),
        ("512 555 0142 # 4", Wrong.EXTENSION),
        ("+44 20 7946 0958 Ben", Wrong.COUNTRY),
        ("+49 (0)30 901820", Wrong.COUNTRY),
        ("0044 20 7946 0958", Wrong.COUNTRY),
        ("011 44 20 7946 0958", Wrong.COUNTRY),
        ("+44 512 555 0142", Wrong.COUNTRY),
        ("+1234", Wrong.SHORT),
        ("555 0142", Wrong.SHORT),
        ("512 555 014", Wrong.SHORT),
        ("512 555 01422", Wrong.LONG),
        ("512 555 0142 12", Wrong.LONG),
        ("12345678901234567890", Wrong.LONG),
        ("(012) 555-0142", Wrong.IMPOSSIBLE),
        ("512 155 0142", Wrong.IMPOSSIBLE),
        ("+1 112 555 0142", Wrong.IMPOSSIBLE),
        ("512+555+0142", Wrong.IMPOSSIBLE),
        ("+0512 555 0142", Wrong.COUNTRY),
        ("512 555 0142 / 512 555 0143", Wrong.TWO_NUMBERS),
        ("512 555 0142, 512 555 0143 Ana", Wrong.TWO_NUMBERS),
        ("a" * (LONGEST_NAME + 1) + " 512 555 0142", Wrong.NAME_TOO_LONG),
    ],
)
def test_what_is_not_taken_has_its_reason(typed, why):
    assert reading(typed) is why


@pytest.mark.parametrize("number", ["+14165550123", "+18765550123", "+12425550123"])
def test_countries_that_share_the_code_are_taken(number):
    assert reading(number) == (number, None)


def test_numbers_are_shown_as_people_write_them():
    assert national("+15125550142") == "(512) 555-0142"
    assert national("+442079460958") == "+44 20 7946 0958"
    assert [national(odd) for odd in ("", "odd", "+1512")] == ["", "odd", "+1 512"]
    assert normal("(512) 555-0142") == FRONT
    assert normal("odd") == "odd"


def test_names():
    assert read_name("  Front \n desk ") == "Front desk"
    assert read_name(" \u200b") is None
    assert read_name("a" * (LONGEST_NAME + 1)) is Wrong.NAME_TOO_LONG


# Many at once


def rows(text, **kwargs):
    bulk = read_bulk(text, **kwargs)
    assert bulk.wrong == ()
    return [(entry.line, entry.number[-4:], entry.name) for entry in bulk.entries]


BOTH = [(1, "0142", "Front desk"), (2, "0143", "Ana")]


@pytest.mark.parametrize(
    "text",
    [
        "512 555 0142 Front desk\n512 555 0143 Ana",
        "Front desk 512 555 0142\r\nAna: 512 555 0143\r\n",
        "512-555-0142,Front desk\n512-555-0143,Ana\n",
        '"512-555-0142","Front desk"\n"512-555-0143","Ana"',
        "Front desk;512-555-0142\nAna;512-555-0143",
        "Front desk\t512-555-0142\nAna\t512-555-0143",
        "Front desk, 512-555-0142,\nAna, 512-555-0143,",
    ],
)
def test_lines_and_tables_are_read(text):
    assert rows(text) == BOTH


@pytest.mark.parametrize(
    "text",
    [
        "Name,Phone\nFront desk,512-555-0142\nAna,512-555-0143",
        "Phone number;Who;Team\n512-555-0142;Front desk;A\n512-555-0143;Ana;B",
        "Team\tMobile\tLabel\nA\t512-555-0142\tFront desk\nB\t512-555-0143\tAna",
        "First name,Last name,Phone 1,Phone 2\nFront,desk,,512-555-0142\nAna,,512-555-0143,512-555-0144",
    ],
)
def test_headings_say_what_the_columns_are(text):
    assert rows(text) == [(line + 1, end, name) for line, end, name in BOTH]


def test_headings_alone_and_nothing_are_nothing():
    assert [rows(text) for text in ("", " \n\t\n", "Name,Phone\n")] == [[], [], []]


def test_commas_in_quotes_belong_to_the_name():
    assert rows('"Lopez, Ana",512-555-0142\nBen "the boss" 512 555 0143') == [
        (1, "0142", "Lopez, Ana"),
        (2, "0143", "Ben the boss"),
    ]
    assert rows("512-555-0142, Lopez, Ana") == [(1, "0142", "Lopez, Ana")]


def test_a_name_of_digits_is_one_in_a_column_of_its_own():
    assert rows("7,512-555-0142") == [(1, "0142", "7")]


def test_lines_without_anything_are_left_out_and_counted():
    assert rows("\n512 555 0142 Ana\n  \n\n512 555 0143") == [(2, "0142", "Ana"), (5, "0143", None)]


def test_what_is_wrong_is_named_by_its_line():
    text = "512 555 0142 Ana\nBen\n+1 512 555 0142\n+44 20 7946 0958\n512-555-0144,512-555-0145\n512 555 0143"
    bulk = read_bulk(text, registered={"+15125550143": "Front desk"})
    assert [(one.line, one.why, one.other, one.name) for one in bulk.wrong] == [
        (2, Wrong.NO_NUMBER, None, None),
        (3, Wrong.TWICE, 1, None),
        (4, Wrong.COUNTRY, None, None),
        (5, Wrong.TWO_NUMBERS, None, None),
        (6, Wrong.REGISTERED, None, "Front desk"),
    ]
    told = phone_outcomes.why_lines(bulk.wrong)
    assert "Line 2: there is no phone number in it." in told
    assert "Line 3: the same number as in line 1." in told
    assert "Line 6: this number is registered already, as Front desk." in told
    assert told.endswith("Nothing was sent.")


def test_a_first_line_that_only_looks_like_headings_is_a_line():
    assert [one.why for one in read_bulk("Phone 555\n512 555 0142").wrong] == [Wrong.SHORT]
    assert [one.why for one in read_bulk("Numbers of everybody who works with us in summer").wrong] == [Wrong.NO_NUMBER]


def test_what_is_wrong_in_a_table_is_named_by_its_line():
    long = "a" * (LONGEST_NAME + 1)
    bulk = read_bulk(f"Name,Phone\nAna,555\n{long},512 555 0142\n{long} 512 555 0143\nBen")
    expected = [(2, Wrong.SHORT), (3, Wrong.NAME_TOO_LONG), (4, Wrong.NO_NUMBER), (5, Wrong.NO_NUMBER)]
    assert [(one.line, one.why) for one in bulk.wrong] == expected
    assert [one.why for one in read_bulk(f"{long},512 555 0142").wrong] == [Wrong.NAME_TOO_LONG]


def test_a_long_list_of_what_is_wrong_is_cut():
    wrong = [WrongLine(line=line, why=Wrong.SHORT) for line in range(1, 101)]
    told = phone_outcomes.why_lines(wrong)
    assert "and 85 more lines" in told
    assert len(told) < 2_000


def test_every_reason_has_its_sentence():
    for why in Wrong:
        assert phone_outcomes.why_line(WrongLine(line=3, why=why, other=1)).startswith("Line 3: ")


# Whatever is typed

area = st.from_regex(r"[2-9][0-9]{2}", fullmatch=True)
exchange = st.from_regex(r"[2-9][0-9]{2}", fullmatch=True)
rest = st.from_regex(r"[0-9]{4}", fullmatch=True)
separators = st.sampled_from(["", " ", "-", ".", " - ", "/"])
prefixes = st.sampled_from(["", "+1", "+1 ", "1-", "1 ", "(1) "])
names = st.text(st.characters(categories=("Lu", "Ll", "Lo")), min_size=1, max_size=20).filter(
    lambda name: name.casefold() not in ("x", "ext", "extn", "extension") and read_name(name) == name
)


@settings(deadline=None)  # the first number loads phonenumbers' tables
@given(area, exchange, rest, separators, prefixes, names, st.booleans())
def test_a_number_with_a_name_is_read_in_any_writing(code, middle, end, sign, prefix, name, is_first):
    number = f"{prefix}{code}{sign}{middle}{sign}{end}"
    found = read(f"{name} {number}" if is_first else f"{number} {name}")
    assert isinstance(found, Entry)
    assert found.number == f"+1{code}{middle}{end}"
    assert found.name is not None
    assert read_name(found.name) == found.name


@settings(deadline=None)
@given(st.text(max_size=200) | st.text("0123456789+()-. x,;\t\"'<>|#\nAna", max_size=80))
def test_whatever_is_typed_gives_a_number_thumbtack_takes_or_a_reason(text):
    found = read(text)
    if isinstance(found, Entry):
        assert found.number.startswith("+1")
        assert len(found.number) == 12
        assert found.number.isascii()
        assert found.name is None or 0 < len(found.name) <= LONGEST_NAME
        assert repr(found) == "Entry(line=1)"
    else:
        assert found in Wrong


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300) | st.text("0123456789+()-. x,;\t\"'|\r\n\0Ana", max_size=200))
def test_whatever_is_pasted_no_line_is_lost_and_none_is_there_twice(text):
    bulk = read_bulk(text)
    lines = [entry.line for entry in bulk.entries] + [one.line for one in bulk.wrong]
    assert len(set(lines)) == len(lines)
    assert all(1 <= line <= text.count("\n") + text.count("\r") + 1 for line in lines)
    numbers = [entry.number for entry in bulk.entries]
    assert len(set(numbers)) == len(numbers)
    assert all(one.other is None or one.other < one.line for one in bulk.wrong)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(area, exchange, rest, names), min_size=1, max_size=8), st.sampled_from(",;\t"), st.booleans())
def test_a_table_is_read_back_as_it_was(given_rows, sign, with_headings):
    numbers = [f"+1{code}{middle}{end}" for code, middle, end, _ in given_rows]
    lines = [f'"{name}"{sign}{national(number)}' for number, (*_, name) in zip(numbers, given_rows, strict=True)]
    bulk = read_bulk("\n".join(([f"Name{sign}Phone"] if with_headings else []) + lines))
    assert {entry.number for entry in bulk.entries} == set(numbers)
    assert len(bulk.entries) + len(bulk.wrong) == len(lines)
    assert {one.why for one in bulk.wrong} <= {Wrong.TWICE}
