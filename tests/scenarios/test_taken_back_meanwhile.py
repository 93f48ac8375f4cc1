"""After an absence nothing goes out that was taken back or was never meant to, and nothing that stands is held for taken back."""

import asyncio

import pytest
from support.absence import LONG, away
from support.conversation import Conversation, calling
from support.office import CHANNEL, Office

from sandbox.slack.failures import slow


@pytest.mark.parametrize(
    ("change", "goes"), [("delete", []), ("edit", ["At 10."]), ("note", []), ("nothing", ["At 9."])]
)
async def test_what_was_claimed_and_not_handed_over_waits_until_its_thread_was_read(place: Office, change, goes):
    lead = await Conversation.opened(place)
    asked = calling(place.slack.faults, "users.info")
    place.slack.faults.add("users.info", slow(5))
    ts = await lead.say("At 9.")
    async with asyncio.timeout(5):
        await asked.wait()
    async with away(place, killed=True, **LONG):
        if change == "delete":
            await place.slack.delete(CHANNEL, ts)
        elif change != "nothing":
            await place.slack.edit(CHANNEL, ts, "note: no" if change == "note" else "At 10.")
    await place.at_rest()
    await place.advance(minutes=2)
    await place.at_rest()
    assert lead.received == goes
