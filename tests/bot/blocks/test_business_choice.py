"""What the window of a business says when it comes back from Slack, whatever is in it."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.reminder_samples import CHOSEN, EVERYWHERE, GROUPS

from bot.blocks import business_choice
from bot.blocks.business_choice import Choice
from bot.blocks.settings_business import business_window
from sandbox.slack.payloads import filled_in

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def sent_back(**values: Any) -> dict[str, Any]:
    """The window of a business as Slack sends it back, with these answers (by action_id) and untouched else."""
    view = business_window([CHOSEN], CHOSEN, everywhere=EVERYWHERE, groups=GROUPS)
    return view | {"state": filled_in(view, values)}


def test_an_untouched_window_says_what_it_showed():
    said = business_choice.submitted(sent_back())
    assert said.chosen == said.shown == Choice.of(CHOSEN)
    assert said.chosen.changes(said.shown) == {}
    assert (said.business_id, said.shown_of, said.wrong) == (3, 3, {})


def test_groups_that_could_not_be_shown_stay_on_duty():
    view = business_window([CHOSEN], CHOSEN, everywhere=EVERYWHERE, groups=None)
    said = business_choice.submitted(view | {"state": filled_in(view, {"business_people": []})})
    assert said.chosen.on_duty == list(GROUPS)[:1]
    assert business_choice.submitted(sent_back(business_people=[], business_groups=[])).chosen.on_duty is None


def test_too_many_on_duty_are_one_group():
    many = [f"U{number:05}" for number in range(business_choice.MOST_ON_DUTY + 1)]
    said = business_choice.submitted(sent_back(business_people=many, business_groups=[]))
    assert [*said.wrong] == ["business_people:3"]
    assert business_choice.submitted(sent_back(business_people=many[1:], business_groups=[])).wrong == {}


def test_minutes_as_people_type_them():
    for typed, steps in {"5": [5], "5 15 60": [5, 15, 60], "5min; 15 min": [5, 15], "Never": [], " ": None}.items():
        said = business_choice.submitted(sent_back(business_remind=typed))
        assert (said.chosen.remind_after, said.wrong) == (steps, {})


@given(ANYTHING, ANYTHING, st.dictionaries(st.sampled_from(["business", "on_duty", "hours", "channel"]), ANYTHING))
def test_whatever_comes_back_is_read(state, values, metadata):
    for view in ({"state": state}, {"state": {"values": values}}, {"private_metadata": values}):
        business_choice.submitted(view)
    said = business_choice.submitted({"private_metadata": json.dumps(metadata)})
    assert said.chosen.channel is None
