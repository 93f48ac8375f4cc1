"""What is asked of a lead's conversation, through its indexes, is what whoever reads all of it would say."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete
from sqlmodel import col

from storage import inbound, leads, messages, said
from storage.models import Direction, Environment, Generation, Lead, LeadEvent, Message, ReplyState

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
TIMES = [NOON + timedelta(seconds=seconds) for seconds in (0, 60, 119, 120, 121, 180, 240, 241, 300)]
TEXTS, GENERATIONS = ("Hello", "Yes"), (*Generation, None)
PRODUCTION = Environment.PRODUCTION


def a_message(chance, lead_id, number):
    direction = chance.choice(list(Direction))
    is_inbound = direction is Direction.INBOUND
    return Message(
        id=number,
        lead_id=lead_id,
        environment=PRODUCTION,
        direction=direction,
        generation=chance.choice(GENERATIONS),
        thumbtack_id=chance.choice([None, f"m{number}"]),
        author=chance.choice([None, "customer", "business"] if is_inbound else [None, "U0ANA", "U0BEN"]),
        text=chance.choice([None, *TEXTS]),
        sent_at=chance.choice([None, *TIMES]),
        stored_at=chance.choice(TIMES),
        is_automatic=chance.random() < 0.3,
        state=None if is_inbound else chance.choice([None, *ReplyState]),
    )


@pytest.fixture(params=range(2))
async def told(database, request):
    """Two conversations of one hundred lines of every kind, in the order in which they came."""
    chance = random.Random(request.param)  # noqa: S311 -- nothing is secret here
    async with database.transaction() as tx:
        for number in (1, 2):
            tx.add(
                Lead(id=number, environment=PRODUCTION, thumbtack_id=str(number), generation="v4", first_answer_at=NOON)
            )
        await tx.flush()
        rows = [a_message(chance, chance.choice([1, 2]), number) for number in range(1, 201)]
        tx.add_all(rows)
        events = [
            LeadEvent(lead_id=chance.choice([1, 2]), kind=chance.choice(["answered", "claimed"]), via="slack", at=at)
            for at in TIMES
        ]
        tx.add_all(events)
    return rows, events


def same(rows, one):
    """The message that one is, by its id first, else the oldest that another API told with the same words at that time."""
    called = [row.id for row in rows if row.thumbtack_id == one.thumbtack_id]
    if one.text is None or one.sent_at is None:
        return next(iter(called), None)
    alike = [
        row.id
        for row in rows
        if (row.lead_id, row.direction, row.text) == (one.lead_id, Direction.INBOUND, one.text)
        and row.generation not in (None, one.generation)
        and row.sent_at is not None
        and abs(row.sent_at - one.sent_at) <= messages.SAME_TEXT_WITHIN
    ]
    return next(iter([*called, *alike]), None)


async def test_a_message_is_known_by_its_id_else_by_its_words_and_time(database, told):
    rows, _ = told
    chance, found = random.Random(7), set()  # noqa: S311 -- same
    async with database.transaction() as tx:
        for _ in range(150):
            one = inbound.Told(
                lead_id=chance.choice([1, 2]),
                environment=PRODUCTION,
                generation=chance.choice(list(Generation)),
                thumbtack_id=f"m{chance.randrange(400)}",
                author="customer",
                text=chance.choice([None, *TEXTS, "Never said"]),
                attachments=[],
                sent_at=chance.choice([None, *TIMES]),
                stored_at=NOON,
                extra={},
            )
            asked = await inbound._same(tx, one)
            assert asked == same(rows, one), one
            found.add(asked)
    assert None in found
    assert len(found) > 20


async def test_who_wrote_last_is_who_stands_last_and_did_not_take_it_back(database, told):
    rows, _ = told
    async with database.transaction() as tx:
        for lead_id in (1, 2, 3):
            written = [
                (row.stored_at, row.id, row.author)
                for row in rows
                if (row.lead_id, row.direction) == (lead_id, Direction.OUTBOUND)
                and row.author is not None
                and row.state not in (None, ReplyState.CANCELLED)
            ]
            last = max(written, default=(None, None, None))[2]
            assert await said.last_writer(tx, lead_id) == last
            assert (last is None) == (lead_id == 3)


async def test_somebody_wrote_after_a_time_where_any_message_says_so(database, told):
    rows, _ = told
    answers = set()
    async with database.transaction() as tx:
        for row in rows[:30]:
            for after in (NOON - timedelta(1), *TIMES):
                written = any(
                    one.lead_id == row.lead_id
                    and one.id < row.id
                    and one.stored_at > after
                    and not (one.direction is Direction.INBOUND and one.is_automatic)
                    for one in rows
                )
                assert await said.was_written_after(tx, row, after) is written
                answers.add(written)
    assert answers == {True, False}


async def test_a_customer_asked_after_a_time_where_any_message_says_so(database, told):
    rows, _ = told
    answers = set()
    for count in (1, 3, 200):
        async with database.transaction() as tx:
            await tx.execute(delete(Message).where(col(Message.id) <= len(rows) - count))
            for lead_id in (1, 2):
                for after in (NOON - timedelta(1), *TIMES):
                    asked = any(
                        (row.lead_id, row.direction) == (lead_id, Direction.INBOUND)
                        and row.author != messages.BUSINESS
                        and not row.is_automatic
                        and (row.sent_at or row.stored_at) > after
                        for row in rows[-count:]
                    )
                    assert await messages.was_asked_after(tx, lead_id, after) is asked
                    answers.add(asked)
            await tx.rollback()
    assert answers == {True, False}


async def test_the_team_answered_since_a_time_where_any_event_says_so(database, told):
    _, events = told
    answers = set()
    async with database.transaction() as tx:
        for lead in [await leads.get(tx, number) for number in (1, 2)]:
            for since in TIMES:
                answered = any(
                    (event.lead_id, event.kind) == (lead.id, "answered") and event.at >= since for event in events
                )
                assert await leads.answered_since(tx, lead, since) is answered
                answers.add(answered)
    assert answers == {True, False}
