import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.mrkdwn import clean, date, escape, mention, shorten, split, visible

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
WAVE = "\U0001f44b\U0001f3fd"
FLAG = "\U0001f1fa\U0001f1f8"
ACCENT = "e\u0301"

things = st.lists(
    st.sampled_from([*"ab .\n", "&amp;", "&lt;", FAMILY, WAVE, FLAG, ACCENT, "\u3002", "\t"]), max_size=200
)
odd = things.map("".join)


def test_escape_leaves_nothing_that_slack_would_read():
    assert escape("<!channel> & <https://a.example|b>") == "&lt;!channel&gt; &amp; &lt;https://a.example|b&gt;"


def test_escape_does_not_decode_what_was_escaped_before():
    assert escape("&lt;!here&gt;") == "&amp;lt;!here&amp;gt;"


@given(st.text())
def test_escape_never_leaves_a_control_character_of_slack(text):
    assert not re.search(r"[<>]|&(?!(?:amp|lt|gt);)", escape(text))


def test_clean_takes_out_what_would_turn_our_own_words():
    assert clean("\u202eevil\u202c") == "evil"
    assert clean("\u05d0\u200f\u05d1") == "\u05d0\u200f\u05d1"  # a mark that ordinary Hebrew needs


def test_clean_knows_every_line_end_and_no_other_control_character():
    assert clean("a\r\nb\rc\u2028d\x0be\x00f\ud800") == "a\nb\nc\nd\ne\ufffdf\ufffd"


def test_of_ascii_all_is_seen_but_blanks_and_control_characters_become_one_that_is():
    for code in range(128):
        character = chr(code)
        is_blank = character.isspace() and character not in "\x1c\x1d\x1e\x1f"
        is_control = unicodedata.category(character) == "Cc" and not is_blank
        seen = None if is_blank else "\ufffd" if is_control else character
        assert visible(character) == seen, code
        assert visible(f" a{character}b ") == f"a{clean(character)}b", code


@pytest.mark.parametrize("text", [None, "", "  ", "\n", "\u200b", "\u200d\ufe0f", "\u202e"])
def test_nothing_to_see_is_none(text):
    assert visible(text) is None


@pytest.mark.parametrize("text", ["a", " 0 ", "!", "👍", "…"])
def test_anything_to_see_is_kept(text):
    assert visible(text) == text.strip()


@given(odd, st.integers(16, 60))
def test_split_loses_nothing_and_keeps_the_limit(text, limit):
    pieces = split(text, limit)
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= limit for piece in pieces)


whole = ["a", "&", "&amp;", "&lt;", FAMILY, WAVE, FLAG, ACCENT]


@given(st.lists(st.sampled_from(whole), max_size=200), st.integers(16, 60))
def test_split_never_cuts_inside_what_a_reader_sees_as_one(things, limit):
    between = set(accumulate(map(len, things)))
    assert set(accumulate(map(len, split("".join(things), limit)))) <= between


@pytest.mark.parametrize("thing", whole)
def test_split_never_cuts_any_of_them_wherever_the_limit_falls(thing):
    for before in range(20):
        pieces = split("x" * before + thing * 20, 16)
        assert all(piece.strip("x").replace(thing, "") == "" for piece in pieces)


def test_split_prefers_paragraphs_then_lines_then_sentences_then_words():
    assert split("One two.\n\nThree four. Five six", 20) == ["One two.\n\n", "Three four. Five six"]
    assert split("One two.\nThree. Four five", 20) == ["One two.\n", "Three. Four five"]
    assert split("One two. Three four five", 20) == ["One two. ", "Three four five"]
    assert split("One two three four five", 20) == ["One two three four ", "five"]
    assert split("x" * 30, 20) == ["x" * 20, "x" * 10]


def test_split_refuses_limits_at_which_nothing_is_safe():
    with pytest.raises(ValueError, match="15 characters"):
        split("a", 15)


@given(odd, st.integers(2, 60))
def test_shorten_keeps_the_limit_and_shows_the_cut(text, limit):
    short = shorten(text, limit)
    assert len(short) <= limit
    assert short == text or short.endswith("…")


def test_mention_knows_people_and_groups_and_nothing_else():
    assert mention(["U012AB3CD", "W012AB3CD", "S034EF5GH"]) == "<@U012AB3CD> <@W012AB3CD> <!subteam^S034EF5GH>"
    assert mention(["", "channel", "U1> <!channel", "C012AB3CD"]) == ""


def test_date_is_each_readers_own_and_utc_where_slack_cannot_show_it():
    instant = datetime(2026, 9, 1, 11, 30, tzinfo=timezone(timedelta(hours=-7)))
    assert date(instant) == "<!date^1788287400^{date_short_pretty} at {time}|Sep 01, 2026 at 18:30 UTC>"
    assert date(instant.astimezone(UTC), "{time}").startswith("<!date^1788287400^{time}|")


def test_date_refuses_what_is_no_instant():
    with pytest.raises(ValueError, match="naive"):
        date(datetime(2026, 9, 1))  # noqa: DTZ001 -- that is what is refused
