"""When two texts are the same message, and in which order what waits is said."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.gate import Gate

from sandbox.thumbtack import bodies
from storage.models import Message, Outbox
from storage.outbox import Kind
from webhooks.echoes import normalised

PHOTO = {"fileName": "a.jpg", "mimeType": "image/jpeg", "url": "https://www.thumbtack.com/attachment/00a1/a.jpg"}


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("We come\nat 9. ", "We come\r\nat  9."),
        ("Tom & Sons <b>", "Tom &amp; Sons &lt;b&gt;"),
        ("it's", "it&#39;s"),
        ("\ufb01ne\u00a0then", "fine then"),
        ("\u2764\ufe0f", "\u2764"),
        ("a\u200bb", "ab"),
    ],
)
def test_two_copies_of_a_text_are_the_same_however_they_were_written(sent: str, told: str):
    assert normalised(sent) == normalised(told)


@pytest.mark.parametrize(("one", "other"), [("We come at 9.", "We come at 10."), ("Yes.", "Yes!"), ("ab", "a b")])
def test_other_words_are_another_text(one: str, other: str):
    assert normalised(one) != normalised(other)


@given(st.text())
def test_any_text_is_compared(text: str):
    assert normalised(f"\n {text}\r\n") == normalised(text)
    assert normalised(None) == ""


async def test_messages_that_wait_change_places_with_their_photos_and_with_nothing_else(door: Gate):
    body = bodies.lead()
    begun = datetime(2026, 9, 1, 12, tzinfo=UTC)

    def told(text: str, minute: int, **more: Any) -> dict[str, Any]:
        at = str(int((begun + timedelta(minutes=minute)).timestamp() * 1000))
        return bodies.merged(bodies.message(body["leadID"], text), {"message": {"createTimestamp": at, **more}})

    await door.ingested(
        ("/v1/lead", body),
        ("/v1/message", told("third", 3)),
        ("/v1/lead/update", bodies.price(body["leadID"], "$31.50")),
        ("/v1/message", told("first", 1, attachments=[PHOTO])),
        ("/v1/message", told("second", 2)),
    )
    texts = {one.id: one.text for one in await door.rows(Message)}
    entries = [(row.kind, texts.get(row.message_id)) for row in await door.rows(Outbox)][3:]
    assert [one for one in entries if one[1]] == [
        (Kind.POST_MESSAGE, "first"),
        (Kind.POST_PHOTOS, "first"),
        (Kind.POST_MESSAGE, "second"),
        (Kind.POST_MESSAGE, "third"),
    ]
    assert entries[1:3] == [(Kind.UPDATE_CARD, None), (Kind.POST_CHARGE, None)]
