import json
import re
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.judge_blocks import judge
from support.samples import FILE, NOWHERE, PHOTO, a_message

from bot.blocks import messages
from bot.blocks.kit import LARGEST, size

HEIC = {**PHOTO, "file_name": "door.heic", "mime_type": "image/heic"}


def say(text, attachments=(), *, name="John Davis", mention=(), broadcast=False, **fields):
    message = a_message(text=text, attachments=list(attachments), **fields)
    return messages.customer_message(message, name=name, mention=mention, broadcast=broadcast)


def spoken(posts):
    """The words of the posts, as they are shown."""
    elements = [e for post in posts for b in post.blocks if b["type"] == "rich_text" for e in b["elements"]]
    return "".join(leaf.get("text", "") for element in elements for leaf in element["elements"])


def test_notification_says_who_and_what():
    (post,) = say("Do you offer fridge cleaning & more?")
    assert post.text == "John Davis: Do you offer fridge cleaning &amp; more?"
    assert spoken([post]) == " John Davis\nDo you offer fridge cleaning & more?"
    assert not post.broadcast


def test_long_message_is_split_over_posts_and_loses_nothing():
    text = " ".join(f"word{n}" for n in range(4_000))
    posts = say(text, mention=("U012AB3CD",), broadcast=True)
    assert len(posts) > 2
    assert re.findall(r"word\d+", spoken(posts)) == text.split()
    assert [post.broadcast for post in posts] == [True] + [False] * (len(posts) - 1)
    assert [json.dumps(post.blocks).count("<@U012AB3CD>") for post in posts] == [1] + [0] * (len(posts) - 1)
    assert f"(2 of {len(posts)})" in spoken(posts[1:2])
    assert [judge(asdict(post)) for post in posts] == [[]] * len(posts)


def test_attachments_without_text_are_told():
    (post,) = say(None, [PHOTO, FILE])
    assert post.text == "John Davis sent 1 photo and 1 file"
    assert spoken([post]) == " John Davis\n 1 photo and 1 file below"


def test_a_message_with_nothing_in_it_is_shown_too():
    (post,) = say(" \u200b")
    assert post.text == "John Davis sent an empty message"
    assert spoken([post]) == " John Davis\n(no text)"


def test_who_wrote_in_thumbtack_itself_is_told_from_the_customer():
    (post,) = say("We can come at 9.", author="business", name="Tim's Painting Business")
    assert spoken([post]) == " Tim's Painting Business, in Thumbtack\nWe can come at 9."


@pytest.mark.parametrize(
    ("author", "expected"), [("customer", "The customer"), ("business", "Somebody of the business")]
)
def test_a_writer_without_a_name(author, expected):
    assert say("Hi", author=author, name=None)[0].text == f"{expected}: Hi"


@settings(max_examples=50, deadline=None)
@given(
    st.one_of(st.text(), st.text().map(lambda text: text * 500), st.just("😀" * 9_000), st.just('"\\' * 9_000)),
    st.text(max_size=300),
    st.sampled_from([(), ("U012AB3CD",) * 500]),
)
def test_any_message_gives_posts_that_slack_takes(text, name, mention):
    for post in say(text, [PHOTO], name=name, mention=mention, broadcast=True):
        assert judge(asdict(post)) == []
        assert size(post.blocks) <= LARGEST
        assert not re.search(r"[<>]", post.text)


# Photos and files


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"mime_type": "image/PNG; charset=binary"}, True),
        ({"mime_type": None}, True),  # the address ends in .jpg
        ({"mime_type": None, "url": "https://example.com/door"}, False),
        ({"mime_type": "image/heic"}, False),
        ({"mime_type": "image/webp"}, False),
        ({"mime_type": "application/pdf"}, False),
        ({"url": "http://example.com/door.jpg"}, False),
        ({"url": "example.com/door.jpg"}, False),
        ({"url": "https://example.com/a door.jpg"}, False),
        ({"url": "https://example.com/" + "x" * 3_000}, False),
        ({"url": "javascript:alert(1)"}, False),
        ({"url": None}, False),
    ],
)
def test_only_what_slack_can_fetch_and_show_is_a_picture(change, expected):
    assert messages.is_image({**PHOTO, **change}) is expected


def test_photos_are_pictures_a_few_in_each_post():
    posts = messages.photos([PHOTO] * 7 + [FILE], "With the request")
    assert [len(post.blocks) for post in posts] == [5, 2]
    assert posts[0].text == "5 photos: With the request"
    assert posts[0].blocks[0] == {
        "type": "image",
        "image_url": PHOTO["url"],
        "alt_text": "my stain",
        "title": {"type": "plain_text", "text": "my stain", "emoji": False},
    }


def test_no_photos_no_post():
    assert messages.photos([FILE, NOWHERE, HEIC], "x") == []
    assert messages.photo_links([]) == []


def test_a_photo_without_a_name_is_a_photo():
    (post,) = messages.photos([{"url": "https://example.com/a.png", "mime_type": "image/png"}], "x")
    assert post.blocks[0]["alt_text"] == "Photo"


def test_links_show_where_they_lead_by_no_word_from_outside():
    spoofed = {**PHOTO, "description": "https://bank.example", "file_name": None}
    (post,) = messages.photo_links([spoofed])
    assert [leaf for leaf in post.blocks[0]["elements"][0]["elements"] if leaf["type"] == "link"] == [
        {"type": "link", "url": PHOTO["url"], "text": "open"}
    ]


def test_an_address_that_cannot_be_opened_is_shown():
    (post,) = messages.photo_links([NOWHERE, {"url": ""}, {"url": "x"}])
    assert spoken([post]) == f" review.jpg: {NOWHERE['url']}\n no address was sent\n x"
    assert "link" not in json.dumps(post.blocks)


def test_counting():
    assert messages.counted([PHOTO, HEIC, FILE]) == "2 photos and 1 file"
    assert messages.counted([FILE, FILE]) == "2 files"
    assert messages.counted([]) == "nothing"


attachments = st.fixed_dictionaries(
    {
        "url": st.one_of(st.none(), st.text(), st.just("https://example.com/" + "y" * 2_900), st.just(PHOTO["url"])),
        "mime_type": st.sampled_from([None, "image/png", "image/jpeg", "application/pdf", "nonsense"]),
        "file_name": st.one_of(st.none(), st.text(), st.just("😀" * 2_000)),
        "description": st.one_of(st.none(), st.text(), st.just("<!channel> *x*" * 500)),
    }
)


@settings(max_examples=50, deadline=None)
@given(st.lists(attachments, max_size=40))
def test_any_attachments_give_posts_that_slack_takes(some):
    pictures, links = messages.photos(some, "x"), messages.photo_links(some)
    assert sum(len(post.blocks) for post in pictures) == sum(map(messages.is_image, some))
    for post in [*pictures, *links]:
        assert judge(asdict(post)) == []
        assert size(post.blocks) <= LARGEST
