import re
from dataclasses import asdict
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.judge_blocks import judge
from support.samples import NOW, PHOTO, a_review

from bot.blocks import reviews
from bot.blocks.kit import LARGEST, size


def show(customer_name=None, **fields):
    return reviews.review(a_review(**fields), business_name="Tim's Painting Business", customer_name=customer_name)


@pytest.mark.parametrize(
    ("rating", "expected"),
    [
        ("4", "★★★★☆ 4 of 5"),
        ("1", "★☆☆☆☆ 1 of 5"),
        (" 5 ", "★★★★★ 5 of 5"),
        ("0", "Rating 0"),
        ("6", "Rating 6"),
        ("4.5", "Rating 4.5"),
        ("٣", "Rating ٣"),
        ("great", "Rating great"),
        ("", "No rating"),
        (None, "No rating"),
    ],
)
def test_stars_for_whole_numbers_and_anything_else_as_sent(rating, expected):
    (post,) = show(rating=rating)
    assert post.text == f"New review: {expected} · Nick Name: best service ever"


def test_in_a_leads_thread_the_channel_sees_the_stars():
    assert show()[0].broadcast
    assert not show(lead_id=None)[0].broadcast


@pytest.mark.parametrize(
    ("nickname", "name", "expected"),
    [
        ("Nick Name", None, "Nick Name"),
        ("Nick Name", "John Davis", "Nick Name (John Davis)"),
        ("John Davis", "John Davis", "John Davis"),
        (None, "John Davis", "John Davis"),
        (None, None, "name not given"),
    ],
)
def test_reviewer_is_named_by_all_that_is_known(nickname, name, expected):
    assert show(customer_name=name, reviewer_name=nickname)[0].text.endswith(f"· {expected}: best service ever")


@pytest.mark.parametrize(
    ("verified", "expected"), [(True, "Verified by Thumbtack · "), (False, "Not verified · "), (None, "")]
)
def test_verified_or_not(verified, expected):
    foot = [block["elements"][0]["text"] for block in show(verified=verified)[0].blocks if block["type"] == "context"]
    assert foot[0] == f"{expected}Tim's Painting Business"


def test_dates_and_photos():
    (post,) = show(photos=[PHOTO], modified_at=NOW + timedelta(days=1))
    foot = [block["elements"][0]["text"] for block in post.blocks if block["type"] == "context"]
    assert foot[0].endswith("· 1 photo below")
    assert re.fullmatch(r"Written <!date\^1788287400\^.*>, changed <!date\^1788373800\^.*>", foot[1])


def test_a_review_that_says_nothing_is_shown():
    (post,) = show(text=None, reviewer_name=None, rating=None, verified=None, created_at=None, modified_at=None)
    assert post.text == "New review: No rating · name not given"
    assert judge(asdict(post)) == []


def test_long_review_goes_on_and_loses_nothing():
    text = " ".join(f"word{n}" for n in range(4_000))
    posts = show(text=text)
    shown = "".join(
        leaf["text"]
        for post in posts
        for block in post.blocks
        if block["type"] == "rich_text"
        for element in block["elements"]
        if element["type"] == "rich_text_quote"
        for leaf in element["elements"]
    )
    assert re.findall(r"word\d+", shown) == text.split()
    assert [post.broadcast for post in posts] == [True] + [False] * (len(posts) - 1)


odd = st.one_of(st.none(), st.text(), st.just("😀" * 9_000), st.just("<!channel> *x* " * 900))


@settings(max_examples=40, deadline=None)
@given(odd, odd, odd, odd)
def test_any_review_gives_posts_that_slack_takes(text, rating, nickname, name):
    for post in show(text=text, rating=rating, reviewer_name=nickname, customer_name=name, photos=[PHOTO]):
        assert judge(asdict(post)) == []
        assert size(post.blocks) <= LARGEST
        assert not re.search(r"[<>]", post.text)
