"""What a team does to one lead at the same moment, or in an odd order: one effect, nobody passed over, nothing let slip."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Literal

import pytest
from support.conversation import ANA, BEN, CHECK, CROSS, HOURGLASS, Conversation
from support.office import Office

from sandbox.faults import Fault
from sandbox.shortcuts import OUTAGE
from sandbox.slack.failures import lost_answer
from sandbox.thumbtack import bodies
from sandbox.thumbtack.v4_bodies import iso
from storage import leads, owning, waiting
from storage.database import Transaction
from storage.models import Lead, LeadOutcome

NOT_THEIRS = Fault(status=403, body={"message": "not your lead"})
NUMBER = "Call me at 415-555-0142."


async def lead_of(lead: Conversation) -> Lead:
    return next(row for row in await lead.place.rows(Lead) if row.thumbtack_id == lead.lead_id)


async def row_of(lead: Conversation, ts: str) -> tuple[str | None, str | None]:
    """The state of a person's message, and why."""
    message = await lead.message(ts)
    return message.state, message.reason


async def from_v4(place: Office) -> Conversation:
    """A lead that v4 told of an hour ago, whose card stands."""
    lead_id = place.thumbtack.v4_request(createdAt=iso(place.clock() - timedelta(hours=1)))
    assert (await place.thumbtack.v4_lead(lead_id)).status_code == 200
    card = await place.seen(lambda: place.cards and place.cards[-1])
    await place.at_rest()
    return Conversation(place=place, lead_id=lead_id, ts=card["ts"])


async def asks(lead: Conversation, text: str) -> None:
    """The customer writes, a moment later: Thumbtack tells the time in whole seconds."""
    body = bodies.message(lead.lead_id, text)
    body["message"]["createTimestamp"] = str(int(lead.place.clock().timestamp()) + 2)
    assert (await lead.place.post("/v1/message", body)).status_code == 200


@asynccontextmanager
async def held(place: Office, lead: Conversation) -> AsyncIterator[tuple[Transaction, Lead]]:
    """Somebody else changes the lead while the block runs."""
    async with place.database.transaction() as tx:
        row = await leads.to_change(tx, (await leads.find(tx, "production", lead.lead_id)).id)
        assert row is not None
        yield tx, row


async def test_of_two_who_answer_first_at_once_one_is_asked(place: Office):
    lead = await Conversation.opened(place)
    async with held(place, lead):
        both = asyncio.gather(lead.say("I can come."), lead.say("We can come.", by=BEN))
        await place.until_somebody_waits()
    said = await both
    await place.at_rest()
    states = sorted([await row_of(lead, ts) for ts in said], key=str)
    assert states == [("choice", "second_writer"), ("delivered", None)]
    assert len(lead.received) == 1


async def test_of_two_who_answer_first_in_the_window_at_once_one_is_told_who_has_it(place: Office):
    lead = await Conversation.opened(place)
    for person in (ANA, BEN):
        await lead.press("reply_open", by=person)
    async with held(place, lead):
        both = asyncio.gather(*(place.submit({"text": f"I can come. {one}"}, user=one) for one in (ANA, BEN)))
        await place.until_somebody_waits()
    await both
    await place.at_rest()
    assert len(lead.received) == 1
    (left,) = [place.read(window) for one in (ANA, BEN) if (window := place.window(one))]
    assert "has this lead" in left


async def test_a_question_that_comes_while_an_answer_is_written_down_waits(place: Office):
    lead = await Conversation.opened(place)
    assert (await lead_of(lead)).waiting_since
    async with held(place, lead) as (tx, row):
        leads.answered(tx, row, actor=ANA, via="slack", now=place.clock())
        await tx.flush()
        asked = asyncio.create_task(asks(lead, "And on Sunday?"))
        await place.until_somebody_waits()
    await asked
    await place.ingested()
    assert (await lead_of(lead)).waiting_since


async def test_who_was_asked_about_a_number_is_asked_about_whose_lead_it_is_by_now(place: Office):
    lead = await Conversation.opened(place)
    first = await lead.say(NUMBER)
    await lead.offered("reply_send")
    second = await lead.say("I take this one.", by=BEN)
    await lead.marked(second, CHECK)
    await lead.press("reply_send")
    await place.at_rest()
    assert await row_of(lead, first) == ("choice", "second_writer")
    await lead.press("reply_send")
    await lead.marked(first, CHECK)
    assert lead.received == ["I take this one.", NUMBER]


async def test_a_number_that_came_by_an_edit_is_asked_about_before_a_second_try(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", NOT_THEIRS)
    refused = await lead.say("I can come.")
    await lead.marked(refused, CROSS)
    await lead.edit(refused, NUMBER)
    await lead.press("reply_retry")
    await place.at_rest()
    assert await row_of(lead, refused) == ("choice", "contact_data")

    place.thumbtack.faults.stand("message", OUTAGE)
    late = await lead.say("I am on my way.")
    await lead.marked(late, HOURGLASS)
    for _ in range(8):
        await place.at_rest()
        await place.advance(minutes=5)
    await lead.marked(late, CROSS)
    await lead.edit(late, f"I am late. {NUMBER}")
    place.thumbtack.faults.clear()
    await lead.press("reply_send_now")
    await place.at_rest()
    assert await row_of(lead, late) == ("choice", "contact_data")
    assert lead.received == []
    await lead.say("Just a moment.")
    await place.seen(lambda: lead.received == ["Just a moment."])
    await lead.press("reply_send")
    await lead.marked(late, CHECK)


async def test_what_was_said_yes_to_is_not_asked_about_again(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", NOT_THEIRS)
    ts = await lead.say(NUMBER)
    await lead.press("reply_send")
    await lead.marked(ts, CROSS)
    await lead.press("reply_retry")
    await lead.marked(ts, CHECK)
    assert lead.received == [NUMBER]


@pytest.mark.knobs(reply_hold_seconds=15)
async def test_an_edit_that_takes_the_number_out_can_still_be_edited(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say(NUMBER)
    await lead.offered("reply_send")
    await lead.edit(ts, "Call me.")
    await place.at_rest()
    assert await row_of(lead, ts) == ("held", None)
    await lead.edit(ts, "Come at nine.")
    await place.advance(seconds=15)
    await lead.marked(ts, CHECK)
    assert lead.received == ["Come at nine."]


async def test_an_edit_that_takes_the_number_out_too_late_is_asked_about(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say(f"There in 20 minutes. {NUMBER}")
    await lead.offered("reply_send")
    await place.advance(minutes=31)
    await lead.edit(ts, "There in 20 minutes.")
    await place.at_rest()
    assert await row_of(lead, ts) == ("overdue", "overdue")
    assert lead.received == []


async def test_a_number_put_into_what_a_second_writer_is_asked_about_is_asked_about_too(place: Office):
    lead = await Conversation.opened(place)
    await lead.marked(await lead.say("I can come."), CHECK)
    ts = await lead.say("So can I.", by=BEN)
    await lead.offered("reply_send", to=BEN)
    await lead.edit(ts, NUMBER)
    await place.at_rest()
    assert await row_of(lead, ts) == ("choice", "contact_data")
    await lead.press("reply_send", by=BEN)
    await place.at_rest()
    assert await row_of(lead, ts) == ("choice", "second_writer")
    await lead.press("reply_send", by=BEN)
    await lead.marked(ts, CHECK)
    assert lead.received == ["I can come.", NUMBER]


async def test_an_answer_in_the_app_that_is_told_late_does_not_answer_what_came_after_it(place: Office):
    await place.connect("v4")
    lead, now = await from_v4(place), place.clock()

    async def told(text: str, *, sender: Literal["Customer", "Business"], ago: int) -> Lead:
        sent_at = iso(now - timedelta(seconds=ago))
        await place.thumbtack.v4_message(lead.lead_id, text, sender=sender, sentAt=sent_at)
        await place.at_rest()
        return await lead_of(lead)

    await told("And on Sunday?", sender="Customer", ago=30)
    row = await told("Saturday is fine.", sender="Business", ago=60)
    assert (row.first_answer_via, row.waiting_since is None) == ("thumbtack", False)
    row = await told("Sunday too.", sender="Business", ago=20)
    assert row.waiting_since is None


async def test_a_lead_that_is_open_again_waits_again_unless_it_was_answered(place: Office):
    lead = await Conversation.opened(place)

    async def over_and_open() -> datetime | None:
        async with held(place, lead) as (tx, row):
            owning.finish(tx, row, LeadOutcome.LOST, user=ANA, now=place.clock())
        assert (await lead_of(lead)).waiting_since is None
        async with held(place, lead) as (tx, row):
            owning.reopen(tx, row, user=ANA, now=place.clock())
            await waiting.again(tx, row, by_default=True, now=place.clock())
        return (await lead_of(lead)).waiting_since

    assert await over_and_open()
    await lead.marked(await lead.say("I can come."), CHECK)
    await place.at_rest()
    assert await over_and_open() is None
    await asks(lead, "When?")
    await place.ingested()
    assert await over_and_open()


async def test_a_card_that_was_pressed_before_we_knew_of_it_shows_what_was_pressed(place: Office):
    place.slack.faults.add("chat.postMessage", lost_answer())
    await place.post("/v1/lead", bodies.lead())
    await place.seen(lambda: place.cards)
    await place.press("lead_claim", user=ANA)
    await place.at_rest()
    for _ in range(3):
        await place.advance(seconds=30)
        await place.at_rest()
    assert "Ana" in place.read(place.cards[0])


async def test_a_lead_that_comes_while_its_first_answer_is_written_down_does_not_wait(place: Office):
    body = bodies.lead()
    assert (await place.post("/v1/message", bodies.message(body["leadID"], "Hello?"))).status_code == 202
    await place.ingested()
    await place.at_rest()
    talk = Conversation(place=place, lead_id=str(body["leadID"]), ts=place.cards[-1]["ts"])
    async with held(place, talk) as (_, row):
        waiting.ended(row)
    async with held(place, talk) as (tx, row):
        leads.answered(tx, row, actor=ANA, via="slack", now=place.clock())
        await tx.flush()
        arrives = asyncio.create_task(place.post("/v1/lead", body))
        await place.until_somebody_waits()
    assert (await arrives).status_code == 200
    await place.ingested()
    await place.at_rest()
    lead = await lead_of(talk)
    assert (lead.is_placeholder, lead.waiting_since) == (False, None)
    assert lead.first_answer_by == ANA
