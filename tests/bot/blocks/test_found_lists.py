"""Lists of leads and the Home tab: whatever is in them, Slack takes them, and a person sees what matters."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.judge_blocks import judge
from support.list_samples import EVERY_STATE, LONG, POSTS, a_found, a_home, a_list, a_page, tabs
from support.samples import NOW

from bot.blocks import found, home
from bot.blocks.home import Listed
from storage.models import LeadOutcome
from storage.searching import Which
from storage.states import LeadState


def said(value):
    """The words in blocks, one after the other."""
    if isinstance(value, list):
        return "".join(map(said, value))
    if not isinstance(value, dict):
        return ""
    here = value["text"] if isinstance(value.get("text"), str) else said(value.get("text"))
    return here + said(value.get("elements", []))


def lines(lead):
    [block] = found.rows([lead], now=NOW)
    return said(block).split("\n")


def test_however_much_there_is_slack_takes_it():
    crowded = a_list(LONG, Which.TEXT, text="<!channel> " * 50, total=900, number=7)
    for post in (crowded, *(post for posts in POSTS.values() for post in posts)):
        assert judge({"text": post.text, "blocks": post.blocks}) == []
    for name, view in tabs().items():
        assert judge(view) == [], name


def test_each_state_is_named_with_an_icon_of_its_own():
    told = [lines(lead)[1] for lead in EVERY_STATE]
    for state in LeadState:
        assert any(line.startswith(f" {state}") for line in told), state
    assert found._ICONS.keys() == set(LeadState)
    assert len(set(found._ICONS.values())) == len(LeadState)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"waiting_since": NOW - timedelta(minutes=12), "received_at": NOW - timedelta(minutes=12)},
            " New, waits 12 min · nobody has it · ",
        ),
        ({"received_at": NOW - timedelta(days=1)}, " New · 24 h old · nobody has it · "),
        (
            {"waiting_since": NOW, "received_at": NOW, "snoozed_until": NOW + timedelta(hours=1)},
            " New, waits less than a minute · snoozed · nobody has it · ",
        ),
        ({"received_at": None, "created_at": None}, " New · nobody has it · "),
        (
            {"first_answer_at": NOW, "waiting_since": NOW, "received_at": NOW - timedelta(days=9)},
            " Waiting for us, less than a minute · 9 days old · nobody has it · ",
        ),
        ({"outcome": LeadOutcome.LOST, "received_at": NOW - timedelta(days=2)}, " Lost · 2 days old · "),
    ],
)
def test_how_a_lead_stands(fields, told):
    assert lines(a_found(**fields))[1] == f"{told}Open"


def test_whose_it_is_is_told_where_they_are_not_all_of_one_business():
    assert "Tim's" not in said(found.rows([a_found(), a_found()], now=NOW))
    assert said(found.rows([a_found(), a_found(business="Quiet Law")], now=NOW)).count("Tim's Painting") == 1


def test_a_private_lead_says_nothing_of_itself():
    lead = a_found(None, private=True, business="Quiet Law", is_test=True)
    assert lines(lead)[0] == f"TEST · Private lead {lead.lead.id}"
    shown = str(found.rows([lead, a_found()], now=NOW)[0])
    for secret in ("Interior", "Palo", "CA", "Davis", "$"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-5, "less than a minute"),
        (59, "less than a minute"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (47 * 3600, "47 h"),
        (48 * 3600, "2 days"),
        (400 * 86400, "400 days"),
    ],
)
def test_ages(seconds, told):
    assert found.age(timedelta(seconds=seconds)) == told


def test_buttons_lead_to_the_pages_beside_this_one():
    def labels(page):
        view = home.tab(a_home(mine=Listed(page=page, found=EVERY_STATE[:2])))
        rows = [block for block in view["blocks"] if block["type"] == "actions"][:-1]
        return [(one["text"]["text"], one["value"]) for row in rows for one in row["elements"]]

    assert labels(a_page(EVERY_STATE[:2])) == []
    assert labels(a_page(EVERY_STATE[:2], total=3)) == [("More", "1.0.0")]
    assert labels(a_page(EVERY_STATE[:2], total=9, number=1)) == [("Back", "0.0.0"), ("More", "2.0.0")]
    assert labels(a_page(EVERY_STATE[:2], total=4, number=1)) == [("Back", "0.0.0")]


@given(st.text(max_size=40))
def test_whatever_a_button_carries_pages_come_out_of_it(value):
    pages = home.pages_of(value)
    assert home.pages_of(pages.value) == pages


TEXT = st.text(max_size=300) | st.none()


@given(TEXT, TEXT, TEXT, TEXT, st.booleans())
def test_whatever_a_lead_says_slack_takes_the_list(name, category, city, business, private):
    post = a_list([a_found(name, category=category, city=city, business=business, private=private)] * 8, total=20)
    assert judge({"text": post.text, "blocks": post.blocks}) == []
