"""What comes back from Slack when people press and fill in, whatever is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.reading import filled, row_id

VALUES = {
    "number": {"number": {"type": "plain_text_input", "value": " 512 "}},
    "business": {"business": {"type": "static_select", "selected_option": {"value": "7"}}},
    "name": {"name": {"type": "plain_text_input", "value": None}},
    "reply": {"text": {"type": "plain_text_input", "value": " Hi "}},
}
VIEW = {"state": {"values": VALUES}}


@pytest.mark.parametrize(
    ("block_id", "action_id", "value"),
    [
        ("number", None, " 512 "),
        ("business", None, "7"),
        ("name", None, ""),
        ("lines", None, ""),
        ("reply", "text", " Hi "),
        ("reply", None, ""),
    ],
)
def test_what_was_filled_in_is_read_back(block_id, action_id, value):
    assert filled(VIEW, block_id, action_id) == value


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: st.dictionaries(
            st.sampled_from(["state", "values", "number", "selected_option", "value"]), inner
        ),
    )
)
def test_whatever_a_window_holds_reading_it_gives_text(view):
    assert isinstance(filled({"state": view}, "number"), str)


@pytest.mark.parametrize("value", ["7", "007", 12, str(10**17)])
def test_an_id_of_ours_is_read(value):
    assert row_id(value) == int(value)


@pytest.mark.parametrize("value", [None, "", "-1", "1.0", "٣", "x", "9" * 19, "1 OR 1", {}, 1.5])
def test_what_is_not_ours_is_nobodys(value):
    assert row_id(value) == 0
