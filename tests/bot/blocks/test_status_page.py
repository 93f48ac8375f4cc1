"""The page behind `/thumbtack status` and the window behind `/thumbtack settings`, whatever is in them."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.judge_blocks import judge
from support.samples import NOW
from support.status_samples import ANA, CREW, PAGES, a_crowded_office, a_status, an_entry

from bot.blocks import changes, kit, status
from bot.blocks import settings_people as settings_blocks
from bot.blocks.changes import ACTIONS
from bot.blocks.settings_people import Keepers

ROOT = Path(__file__).parents[3]
PACKAGES = ("bot", "storage", "webhooks")


def test_however_much_there_is_slack_takes_the_page():
    for name, view in PAGES.items():
        post = status.page(view)
        assert judge({"text": post.text, "blocks": post.blocks}) == [], name


def test_what_is_left_out_is_counted():
    told = str(status.page(a_crowded_office()).blocks)
    for counted in ("more connected businesses", "And 36 more categories", "and 40 more", "and 90 more", "earlier."):
        assert counted in told
    assert "and 26 more" in told  # fields of a change
    assert "and 97 more" in told  # people in one field


def test_a_business_is_shown_however_crowded_it_is():
    told = str(status.page(a_crowded_office()).blocks)
    shown = told.count("BBBB…")
    assert f"And {40 - shown} more connected businesses" in told
    assert shown >= 1


def recorded_actions() -> set[str]:
    """Every name that the code writes into the audit trail."""
    trees = [ast.parse(path.read_text()) for folder in PACKAGES for path in (ROOT / folder).rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    given = [word.value for call in calls for word in call.keywords if word.arg == "action" and _writes_audit(call)]
    texts = [node for value in given for node in ast.walk(value) if isinstance(node, ast.Constant)]
    return {text.value for text in texts if isinstance(text.value, str)}


def _writes_audit(call: ast.Call) -> bool:
    return ast.unparse(call.func) in ("audit.record", "Audit")


def test_every_action_that_is_recorded_is_told_in_words():
    assert recorded_actions()
    assert recorded_actions() <= ACTIONS.keys()


def test_every_action_says_more_than_its_name():
    assert all(action.words and "_" not in action.words for action in ACTIONS.values())


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"enabled": None}, {"enabled": False}, ": not known → paused."),
        ({"enabled": False, "until": None}, {"enabled": True, "until": None}, ": paused → on."),
        ({"name": "Front desk"}, {"name": "WAREHOUSE"}, ": name Front desk → WAREHOUSE."),  # no id of anybody
        ({"name": None}, {"name": "The T"}, ": name none → The T."),
        ({}, {"until": "2026-09-01T18:30:00"}, ": until 2026-09-01T18:30:00."),  # not known of which zone
        ({}, {"erased": True, "leads": 3}, ": erased yes, leads 3."),
        ({"a": ["x", "y"]}, {"a": []}, ": a x, y → none."),
        ({}, {}, "."),
    ],
)
def test_what_changed_is_said_in_words(before, after, told):
    line = changes.change(an_entry("targeting_set", before=before, after=after), {})
    assert "".join(part.get("text", "") for part in line).endswith(f" set new leads of{told}")


def test_a_rule_that_mentions_people_and_groups_is_told_with_them_as_mentions():
    line = changes.change(an_entry("route_set", after={"mention": "U0BEN S0CREW"}), {})
    assert kit.person("U0BEN") in line
    assert kit.person("S0CREW") in line


def test_an_instant_is_shown_in_the_readers_own_time_zone():
    line = changes.change(an_entry("targeting_set", after={"until": NOW.isoformat()}), {})
    assert line[-2] == kit.moment(NOW)


def test_more_groups_than_slack_lists_are_cut_but_not_those_that_are_allowed():
    groups = {f"S{number:07d}": f"Group {number:03d}" for number in range(130)}
    last = max(groups)
    view = settings_blocks.people_window(Keepers(ids=(), from_settings=False), [last], groups)
    options = view["blocks"][-2]["element"]["options"]
    assert len(options) == 100
    assert options[-1]["value"] == last
    assert "These are the first 100 user groups" in str(view["blocks"][-1])
    assert judge(view) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=80) | st.just(NOW.isoformat()) | st.just(ANA),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.text(max_size=20), JSON, max_size=6)


@given(st.sampled_from([*ACTIONS, "another", "", "\ufeff"]), FIELDS, FIELDS, st.text(max_size=20) | st.none())
def test_whatever_the_audit_trail_holds_slack_takes_the_page(action, before, after, actor):
    entry = an_entry(action, before=before, after=after, actor=actor, business_id=7)
    post = status.page(a_status(changes=[entry]))
    assert judge({"text": post.text, "blocks": post.blocks}) == []


@given(st.dictionaries(st.from_regex(r"S0[A-Z0-9]{5}", fullmatch=True), st.text(max_size=200), max_size=130))
def test_whatever_groups_are_called_slack_takes_the_window(groups):
    allowed = [ANA, CREW, *list(groups)[:3]]
    view = settings_blocks.people_window(Keepers(ids=(), from_settings=False), allowed, groups)
    assert judge(view) == []


@given(st.text(max_size=40), st.lists(st.text(max_size=12), max_size=5), st.lists(st.text(max_size=12), max_size=5))
def test_only_ids_come_out_of_a_submitted_window(shown, people, groups):
    state = {
        "people": {"people": {"selected_users": [ANA, *people]}},
        "groups": {"groups": {"selected_options": [{"value": one} for one in (CREW, *groups)]}},
    }
    wanted = settings_blocks.submitted({"private_metadata": shown, "state": {"values": state}})
    assert {ANA, CREW} <= set(wanted.chosen) <= {ANA, CREW, *people, *groups}
    assert all(one.isascii() and one[0] in "UWS" for one in wanted.chosen)


def test_nothing_submitted_is_nobody():
    for view in ({}, {"state": None}, {"state": {"values": {"people": {"people": {"selected_users": None}}}}}):
        assert settings_blocks.submitted(view).chosen == ()
