"""Reviews by v4: stars, words and photos under their lead, and the way to answer them in Thumbtack."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.deliveries import all_said
from support.office import Office

PAYLOADS = Path(__file__).parents[1] / "payloads"
LEAD = json.loads((PAYLOADS / "v4_negotiation_created.json").read_bytes())
REVIEW = json.loads((PAYLOADS / "v4_review_created.json").read_bytes())
ALONE = json.loads((PAYLOADS / "v4_review_without_lead.json").read_bytes())
BUSINESS = "590297085345701895"
WHERE = f"https://www.thumbtack.com/profile/services/{BUSINESS}/reviews"


async def arrive(place: Office, *posts: tuple[str, Any]) -> None:
    for path, body in posts:
        assert (await place.post(path, body)).status_code == 200
    await all_said(place)


def reviews(place: Office) -> list[dict[str, Any]]:
    everything = [*place.cards, *(one for card in place.cards for one in place.thread(card))]
    return [one for one in everything if one["text"].startswith("New review")]


def link(message: dict[str, Any]) -> list[str]:
    """Where the links of a message lead."""
    elements = [part for block in message["blocks"] for part in block.get("elements", [])]
    return [leaf["url"] for part in elements for leaf in part.get("elements", []) if leaf["type"] == "link"]


@pytest.mark.parametrize("review_first", [False, True])
async def test_it_stands_in_its_leads_thread_with_stars_and_a_link(place: Office, review_first):
    posts = [("/v4/webhooks", LEAD), ("/v4/webhooks", REVIEW)]
    await arrive(place, *(reversed(posts) if review_first else posts))
    await arrive(place, *posts)
    [card] = place.cards
    [review] = reviews(place)
    assert review["thread_ts"] == card["ts"]
    assert review["text"].startswith("New review: ★★★★★ 5 of 5 · EB (John Doe): The crew did an amazing job")
    if not review_first:  # before its lead nobody knows whose business it is
        assert link(review) == [WHERE]
        assert "Answer it in Thumbtack" in place.read(review)


async def test_without_a_lead_it_stands_by_itself_with_its_photos(place: Office):
    await arrive(place, (f"/v4/webhooks/{BUSINESS}", ALONE))
    review, photo = place.cards
    assert reviews(place) == [review]
    assert "▌ Came on time.\n▌ House & fence look new." in place.read(review)
    assert link(review) == [WHERE]
    assert [block["image_url"] for block in photo["blocks"] if block["type"] == "image"] == [
        "https://example.com/fence.jpg"
    ]


async def test_where_the_business_is_not_known_there_is_no_link(place: Office):
    await arrive(place, ("/v4/webhooks", ALONE))
    assert [link(review) for review in reviews(place)] == [[]]


async def test_a_review_of_the_test_environment_has_no_link_to_the_real_one(place: Office):
    await arrive(place, ("/staging/v4/webhooks", LEAD), ("/staging/v4/webhooks", REVIEW))
    assert [link(review) for review in reviews(place)] == [[]]


@pytest.mark.knobs(thumbtack_reviews_url="https://example.com/{business_id}/answer")
async def test_the_address_is_a_setting_for_thumbtack_does_not_document_it(place: Office):
    await arrive(place, ("/v4/webhooks", LEAD), ("/v4/webhooks", REVIEW))
    assert [link(review) for review in reviews(place)] == [[f"https://example.com/{BUSINESS}/answer"]]
