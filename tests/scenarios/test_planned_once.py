"""SQLite plans a statement once: not anew for each value that the condition of a partial index could be compared with."""

import re

from support.conversation import Conversation
from support.hearing import hearing
from support.office import office

from sandbox.thumbtack import bodies

COMPARED = re.compile(r"\b(?:outbox|inbox)(?:_\d+)?\.(?:state|kind) = \?|\bmessage(?:_\d+)?\.direction = \?")
"""What those conditions are about; where such a value is handed over, the claim takes 440 microseconds instead of 20."""


async def test_a_lead_and_what_its_customer_and_the_team_say_are_told_by_statements_that_are_planned_once(
    sqlite_url: str,
):
    asked: set[str] = set()
    async with office(sqlite_url) as place:
        assert place.door.app is not None
        writer = place.door.app.state.services.database.engine.sync_engine
        with hearing(asked.add, by=writer):
            conversation = await Conversation.opened(place)
            said = bodies.message(conversation.lead_id, "Is Tuesday fine?")
            assert (await place.post("/v1/message", said)).status_code == 200
            await place.at_rest()
            await conversation.say("It is.")
            await place.at_rest()
            await place.advance(seconds=20)
            await place.at_rest()
            assert conversation.received == ["It is."]
    assert any("inbox" in one for one in asked)
    assert any("RECURSIVE" in one for one in asked)
    assert [one for one in asked if COMPARED.search(one)] == []
