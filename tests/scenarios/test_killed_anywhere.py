"""Killed at each step of each flow in turn: afterwards everything stands as if nothing had happened."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from support.conversation import ANA, WARNING, Conversation
from support.deliveries import posted
from support.killing import EVERY, Outside, killable
from support.office import ADMIN, CHANNEL, Office
from support.v4_conversation import V4Conversation

from sandbox.slack import Answer
from sandbox.slack.block_kit import elements
from sandbox.thumbtack import bodies, grants
from storage.models import Business, Customer, Inbox, Lead, Message, Outbox, Thread, WorkState

WHOLE = (bodies.BUSINESS_ID, None)
Flow = Callable[[Outside, int], Awaitable[Any]]


@pytest.fixture
async def outside(place: Office, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outside]:
    async with killable(place, monkeypatch) as found:
        yield found


async def assert_the_same_at_any_death(
    outside: Outside, flow: Flow, *, at: Sequence[str], before: Flow | None = None
) -> None:
    """What the flow leaves behind is what it leaves undisturbed, wherever the bot dies, and `at` these steps for sure.

    `before` it nothing happens.
    """
    numbers = range(1, EVERY + 1, 1 if outside.place.database.is_sqlite else 3)
    deaths: dict[int, int | str] = {number: number for number in numbers}
    deaths |= {300 + number: name for number, name in enumerate(at)}
    for number in (100, 200, *deaths) if before else ():
        await before(outside, number)
    await flow(outside, 100)  # what is told with the first lead alone is told by then
    undisturbed = await flow(outside, 200)
    for number, first in deaths.items():
        with outside.steps.armed(first):
            found = await flow(outside, number)
        assert found == undisturbed, f"{first}\n{found}\n{undisturbed}\n{outside.steps.taken}"
        assert outside.steps.deaths, f"it did not die: {first}"
    assert {entry.state for entry in await outside.place.rows(Outbox)} <= {WorkState.DONE, WorkState.CANCELLED}


# Inbound


async def inbound(outside: Outside, number: int) -> Any:
    """A lead, what its customer says, its price and its review: what stands in Slack then."""
    place, name = outside.place, f"Job{number}x"
    lead = bodies.lead(request={"category": name})
    await outside.told("/v1/lead", lead)
    for text in ("one", "two"):
        await outside.told("/v1/message", bodies.message(lead["leadID"], f"{name} {text}"))
    await outside.told("/v1/lead/update", bodies.price(lead["leadID"], "$26.00"), method="PUT")
    await outside.told("/v1/review", bodies.review(lead["leadID"], "5", "Tidy"))
    await outside.rest()
    cards = [card for card in place.cards if card["text"].startswith(f"{name} ")]
    shown = [[place.read(card), *(one["text"] for one in place.thread(card))] for card in cards]
    return re.sub(r"\d+", "#", str(shown))


async def test_what_thumbtack_tells(outside: Outside):
    await assert_the_same_at_any_death(outside, inbound, at=["answering /v1/review", "answer to chat.update"])


# Outbound


async def outbound(outside: Outside, number: int, *, lead: Conversation) -> Any:
    """A note and a reply: their marks, and what the customer got."""
    before = len(lead.received)
    texts = ("note: call first", "We come at 9.")
    said = [await outside.heard(lead.said(f"{text} {number}")) for text in texts]
    await outside.rest(seconds=20)
    while asked := [one for one in zip(said, texts, strict=True) if outside.place.mark(one[0]) == [WARNING]]:
        for ts, text in asked:  # nobody can know: its writer looks in Thumbtack, and decides
            arrived = f"{text} {number}" in lead.received
            await outside.insisted(lambda ts=ts, arrived=arrived: decided(outside, lead, ts, arrived=arrived))
        await outside.rest(seconds=20)
    received = [text.removesuffix(f" {number}") for text in lead.received[before:]]
    return [outside.place.mark(ts) for ts in said], sorted(received)


async def decided(outside: Outside, lead: Conversation, ts: str, *, arrived: bool) -> Answer:
    """The button below the question about this reply."""
    action, message = "reply_arrived" if arrived else "reply_send_again", str((await lead.message(ts)).id)
    asked = [
        line["ts"]
        for line in lead.lines
        for _, one in elements(line.get("blocks", []))
        if one.get("action_id") == action and one.get("value") == message
    ]
    if not asked:  # it was pressed, and only the answer to that did not come
        return Answer(status=200)
    return await outside.place.slack.press(ANA, CHANNEL, asked[-1], action, message)


async def test_what_people_write_over_v4(outside: Outside):
    await outside.place.connect("v4")
    lead = await V4Conversation.begun(outside.place)
    at = ["call of messages", "answer to messages"]
    await assert_the_same_at_any_death(outside, lambda found, number: outbound(found, number, lead=lead), at=at)


# Tokens


async def test_renewals_of_tokens(outside: Outside, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(grants.GRACE, "legacy", timedelta(minutes=30))  # time passes here by leaps
    await outside.place.connect(businesses=[bodies.BUSINESS_ID])
    lead = await Conversation.opened(outside.place)
    told = outside.place.thumbtack.grants

    async def refused_and_renewed(found: Outside, number: int) -> Any:
        told.expire_access_tokens()
        return await outbound(found, number, lead=lead)

    at = ["call of access", "answer to access", "call of message", "answer to message"]
    await assert_the_same_at_any_death(outside, refused_and_renewed, at=at)
    assert any(renewal.again for renewal in told.renewals), "a token was used, and nobody had the answer"
    assert told.misused == []


# Targeting


async def pause(outside: Outside, number: int) -> Any:
    """New leads are paused for two hours, and come back by themselves: what is set, and what everybody is told."""
    place, before = outside.place, len(outside.place.cards)
    await outside.insisted(lambda: place.slack.command(ADMIN, "/thumbtack", "pause for 2h"))
    await outside.rest(seconds=20)
    is_paused = place.thumbtack.targeting[WHOLE] is False
    await place.advance(hours=2)
    await outside.rest(seconds=20)
    told = [line for card in place.cards[before:] if "was away" not in (line := place.read(card).splitlines()[0])]
    return is_paused, place.thumbtack.targeting[WHOLE], sorted(set(told))


@pytest.mark.knobs(slack_keepers=ADMIN)
async def test_targeting(outside: Outside):
    await outside.place.connect(businesses=[bodies.BUSINESS_ID])
    await Conversation.opened(outside.place)
    await assert_the_same_at_any_death(outside, pause, at=["call of targeting", "answer to targeting"])


# Erasure


async def a_history(outside: Outside, number: int) -> None:
    """A lead of another business, and what its customer said."""
    business = {"businessID": f"5100000000000{number:05}", "name": f"Oak{number}x"}
    lead = bodies.lead(business=business)
    await outside.told("/v1/lead", lead)
    await outside.told("/v1/message", bodies.message(lead["leadID"], "Ladder", businessID=business["businessID"]))
    await outside.rest()


async def erased(outside: Outside, number: int) -> Any:
    """A business is erased a day later: how much is left of all, and what is told."""
    place, name = outside.place, f"Oak{number}x"
    before = await counted(place)
    await outside.insisted(lambda: place.slack.command(ADMIN, "/thumbtack", f"disconnect {name}"))
    await outside.insisted(lambda: place.slack.submit(ADMIN, {"how": "erase"}))
    await outside.rest()
    await place.advance(hours=24, minutes=1)
    await outside.rest(minutes=1)
    left = [then - now for then, now in zip(before, await counted(place), strict=True)]
    told = [line for said in place.told(ADMIN) for line in said.splitlines() if f"{name} is erased." in line]
    stands = [place.read(one).splitlines()[0].replace(name, "Oak") for one in posted(place) if name in str(one)]
    return left, bool(told), stands


async def counted(place: Office) -> list[int]:
    return [len(await place.rows(row)) for row in (Business, Customer, Inbox, Lead, Message, Thread)]


async def test_erasure(outside: Outside):
    await assert_the_same_at_any_death(
        outside, erased, at=["call of chat.delete", "answer to chat.delete"], before=a_history
    )
