"""What Slack signed and is not as Slack sends it: nothing of it is an error of ours, whatever is missing or odd in it."""

import copy
import json
import random
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from support.conversation import ANA, Conversation
from support.figures import scraped
from support.office import ADMIN, CHANNEL, Office, office

from sandbox.slack.delivery import Delivery, event_delivery, form_delivery, interaction_delivery
from storage.models import Message

ODD = [None, 7, -1, True, 1.5, "", "x\x00y", "a\ud800", "9" * 40, [], [None], ["x"], {}, {"a": 1}]
EACH = 20
"""Mistakes tried for each request: over all of them, some hundreds."""

JSON = "application/json"


@pytest.fixture
async def place(sqlite_url: str) -> AsyncIterator[Office]:
    """Nothing here depends on the kind of database, but for the one test that says so."""
    async with office(sqlite_url) as running:
        yield running


async def _everything(place: Office) -> list[Delivery]:
    """One request of every sort that people cause in a channel with a lead."""
    slack, lead = place.slack, await Conversation.opened(place)
    ts = await lead.say("Yes, we do.", files=["plan.pdf"])
    await slack.edit(CHANNEL, ts, "Yes, we do that.")
    await slack.delete(CHANNEL, ts)
    await slack.bot_says(CHANNEL, "I am a bot", thread_ts=lead.ts)
    await slack.open_home(ANA)
    for typed in ("", "leads Ana", "status", "settings", "connect", "pause"):
        await slack.command(ADMIN, "/thumbtack", typed)
    await place.press("lead_claim", user=ANA)
    await place.press("reply_open", user=ANA)
    await place.submit({"text": "From the window."}, user=ANA)
    await place.press("lead_won", user=ANA)
    await slack.close_view(ANA)
    await place.at_rest()
    return [answer.delivery for answer in slack.answers if answer.delivery is not None]


def _parsed(delivery: Delivery) -> Any:
    if delivery.content_type == JSON:
        return json.loads(delivery.body)
    fields = dict(parse_qsl(delivery.body.decode(), keep_blank_values=True))
    return json.loads(fields["payload"]) if "payload" in fields else fields


def _again(original: Delivery, payload: Any) -> Delivery:
    if original.content_type == JSON:
        return event_delivery(payload)
    return interaction_delivery(payload) if b"payload=" in original.body else form_delivery(payload)


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if before:
        yield before
    for name, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from _paths(inner, (*before, name))


def _without(payload: Any, path: tuple[Any, ...]) -> Any:
    made = copy.deepcopy(payload)
    del _holder(made, path)[path[-1]]
    return made


def _with(payload: Any, path: tuple[Any, ...], odd: Any) -> Any:
    made = copy.deepcopy(payload)
    _holder(made, path)[path[-1]] = odd
    return made


def _holder(payload: Any, path: tuple[Any, ...]) -> Any:
    for name in path[:-1]:
        payload = payload[name]
    return payload


def _mistakes(payload: Any, dice: random.Random) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The payload with one thing missing or odd, near the top more often: there it is looked at."""
    paths = sorted(_paths(payload), key=len)
    for _ in range(EACH):
        path = paths[int(len(paths) * dice.random() ** 2)]
        yield path, _without(payload, path) if dice.random() < 0.2 else _with(payload, path, dice.choice(ODD))


async def test_whatever_is_missing_or_odd_is_no_error_of_ours(place: Office):
    dice = random.Random(1)  # noqa: S311 -- the same mistakes each time
    for delivery in await _everything(place):
        for path, made in _mistakes(_parsed(delivery), dice):
            try:
                odd = _again(delivery, made)
            except (UnicodeEncodeError, TypeError):
                continue  # what no form can hold
            answer = await place.slack.courier.once(odd)
            assert answer.status in (200, 400), (path, made)
    mistakes = (await scraped(place.http)).of("mistakes_total")
    assert mistakes == {}


def _words(count: int) -> list[dict[str, Any]]:
    words = [{"type": "text", "text": f"word {number} ", "style": {"bold": True}} for number in range(count)]
    return [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": words}]}]


async def test_a_mebibyte_of_blocks_is_taken_in_time_and_what_is_more_is_refused(place: Office):
    lead = await Conversation.opened(place)
    answer = await lead.said("A novel", blocks=_words(10))
    assert answer.delivery is not None
    event = _parsed(answer.delivery)
    event["event"] |= {"blocks": _words(15_500), "ts": f"{time.time():.6f}"}
    novel = event_delivery(event)
    assert 1_000_000 < len(novel.body) < 1024 * 1024
    assert (await place.slack.courier.once(novel)).status == 200  # within Slack's three seconds, else there is none
    event["event"]["blocks"] = _words(17_000)
    assert (await place.slack.courier.once(event_delivery(event))).status == 413
    await place.at_rest()
    assert [len(text) for text in lead.received] == [len("".join(f"word {number} " for number in range(10)).strip())]
    assert [message.state for message in await place.rows(Message)] == ["delivered", "refused"]  # it is too long


async def test_a_command_may_hold_any_word(place: Office):
    """Bolt's own reading takes a form with this word for a button, and hears nothing."""
    assert "payload" in await place.command("leads payload", user=ANA)


async def test_what_no_database_takes_is_replaced(database_url: str):
    async with office(database_url) as place:
        lead = await Conversation.opened(place)
        answer = await lead.said("Yes, we do.")
        assert answer.delivery is not None
        event = _parsed(answer.delivery)
        event["event"] |= {"text": "a\x00b\ud800c", "blocks": None, "ts": f"{time.time():.6f}"}
        assert (await place.slack.courier.once(event_delivery(event))).status == 200
        await place.press("reply_open", user=ANA)
        await place.submit({"text": "c\x00d"}, user=ANA)
        await place.at_rest()
        assert lead.received == ["Yes, we do.", "a\ufffdb\ufffdc", "c\ufffdd"]
