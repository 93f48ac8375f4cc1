"""The one line about an event that is not known: honest whatever the event is called."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.judge_blocks import judge

from bot.blocks.events import event_line, in_words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("PresetJobStatusChangedV4", "Preset job status changed"),
        ("IncentiveUsedV4", "Incentive used"),
        ("NegotiationUpdatedV12", "Negotiation updated"),
        ("PROUpdated", "PROUpdated"),
        ("paidWithUSD", "paid with USD"),
        ("V4", "V4"),
        ("something new", "something new"),
        ("<!channel>", "<!channel>"),
        ("7", "7"),
    ],
)
def test_a_name_in_words(name, words):
    assert in_words(name) == words


def test_without_words_for_it_the_name_is_told_once():
    assert event_line("7", lead_url=None).blocks[0]["elements"][0]["elements"][1]["text"].count("7") == 0
    assert (
        "(IncentiveUsedV4)"
        in event_line("IncentiveUsedV4", lead_url=None).blocks[0]["elements"][0]["elements"][1]["text"]
    )


@given(st.text(max_size=200))
def test_any_name_gives_a_line_that_slack_takes(name):
    post = event_line(name, lead_url="https://example.com/lead")
    assert judge(asdict(post)) == []
    assert "<" not in post.text
