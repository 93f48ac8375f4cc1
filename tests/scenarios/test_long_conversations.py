"""What a message asks of the database does not grow with what was said about its lead before."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from support.conversation import ANA, Conversation
from support.costs import counted
from support.office import CHANNEL, Office
from support.plans import series

from sandbox.thumbtack import bodies
from storage.models import Lead

LONG, SHORT = 1_000, 40

AT = "strftime('%Y-%m-%d %H:%M:%S.000000', :now, '-' || (x * 5) || ' minutes')"
BEFORE = (
    f"""
    INSERT INTO message (lead_id, environment, generation, direction, thumbtack_id, author, text, blocks, attachments,
                         sent_at, stored_at, team_id, channel, slack_ts, has_files, marks_tried, is_automatic, extra)
    SELECT :lead, 'production', 'v4', 'inbound', :lead || 'i' || x, 'customer', 'asked ' || x, '[]', '[]',
           {AT}, {AT}, 'T0CREW', '{CHANNEL}', :lead || '.1' || x, false, '[]', false, '{{}}'
    FROM
    """,
    f"""
    INSERT INTO message (lead_id, environment, direction, author, text, blocks, attachments, sent_text, sent_at, stored_at,
                         team_id, channel, thread_ts, slack_ts, has_files, marks_tried, is_automatic, extra, state)
    SELECT :lead, 'production', 'outbound', '{ANA}', 'said ' || x, '[]', '[]', 'said ' || x, {AT}, {AT},
           'T0CREW', '{CHANNEL}', :ts, :lead || 'o' || x, false, '[]', false, '{{}}', 'delivered'
    FROM
    """,
    f"INSERT INTO lead_event (lead_id, kind, via, at) SELECT :lead, 'answered', 'slack', {AT} FROM",
    f"INSERT INTO lead_charge (lead_id, raw, source, at) SELECT :lead, '$' || x, 'update', {AT} FROM",
    f"""
    INSERT INTO outbox (delivery_id, kind, lane, position, channel, priority, payload, created_at, turn_at, state, due_at,
                        attempt, mistakes, settled_at, lead_id)
    SELECT :lead || 'd' || x, 'post_message', 'slack:' || :lead, '', '{CHANNEL}', 1, '{{}}', {AT}, {AT}, 'done', {AT},
           1, 0, {AT}, :lead
    FROM
    """,
    f"""
    INSERT INTO inbox (environment, route, lane, body_hash, received_at, state, due_at, attempt, settled_at,
                       lead_thumbtack_id)
    SELECT 'production', '/v1/message', :called, :called || x, {AT}, 'done', {AT}, 1, {AT}, :called FROM
    """,
)
"""What was said and done before, every five minutes, up to a minute ago."""

NOBODY_WAITS = "UPDATE lead SET waiting_since = NULL, first_answer_at = :now || '.000000' WHERE id = :lead"


async def remember(place: Office, of: Conversation, count: int) -> None:
    """Have so much of it behind us."""
    (lead,) = [one for one in await place.rows(Lead) if one.thumbtack_id == of.lead_id]
    now = (place.clock() - timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S")
    values = {"lead": lead.id, "called": of.lead_id, "ts": of.ts, "now": now, "rows": count}
    rows = [statement + series(place.database) for statement in BEFORE]
    async with place.database.transaction() as tx:
        for statement in (*rows, NOBODY_WAITS):
            await tx.execute(text(statement), {name: one for name, one in values.items() if f":{name}" in statement})


def by_v4(lead_id: str, words: str, *, sender: str) -> dict[str, Any]:
    """A message as v4 tells it."""
    told = bodies.message(lead_id, words)
    data = {
        "messageID": told["message"]["messageID"],
        "negotiationID": lead_id,
        "customer": {"customerID": told["customerID"], "displayName": "Maya A."},
        "business": {"businessID": told["businessID"], "displayName": bodies.BUSINESS_NAME},
        "from": sender,
        "text": words,
    }
    return {"event": {"eventType": "MessageCreatedV4"}, "data": data}


def deeds(place: Office, of: Conversation) -> list[Awaitable[Any]]:
    """What happens in a conversation."""
    return [
        place.post("/v1/message", bodies.message(of.lead_id, "Are you there?")),
        place.post("/v4/webhooks", by_v4(of.lead_id, "Hello?", sender="Customer")),
        of.say("We are."),
        place.advance(seconds=20),  # it goes out
        place.post("/v4/webhooks", by_v4(of.lead_id, "We are.", sender="Business")),
        place.post("/v4/webhooks", by_v4(of.lead_id, "We called you.", sender="Business")),
        place.post("/v1/message", bodies.message(of.lead_id, "When?")),
        of.say("note: I call her at noon"),
        place.post("/v1/lead/update", bodies.price(of.lead_id, "$31.50")),
    ]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.knobs(surface_after_hours=24, remind_after_minutes="0")
async def test_no_statement_reads_more_where_much_was_said_before(place: Office):
    await place.stop()
    found = []
    with counted() as costs:
        await place.start()
        for count in (SHORT, LONG):
            of = await Conversation.opened(place)
            await place.advance(hours=25)  # its card is not what was said last
            await remember(place, of, count)
            costs.turns.clear()
            for deed in deeds(place, of):
                await deed
                await place.at_rest()
            found.append(dict(costs.turns))
            assert of.received == ["We are."]
    short, long = found
    asked = {statement for statement in long if statement.startswith("SELECT coalesce((SELECT message.id")}
    assert len(asked) == 3  # what is asked of a conversation was asked
    assert [one for one in long if long[one] > short.get(one, 0) + LONG / 2] == []
