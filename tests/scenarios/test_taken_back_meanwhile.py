"""After an absence nothing goes out that was taken back or was never meant to, and nothing that stands is held for taken back."""

import asyncio
from datetime import timedelta

import pytest
from support.absence import LONG, ONE, READ, away
from support.conversation import CHECK, MEMO, Conversation, calling
from support.office import CHANNEL, Office

from bot import jobs
from sandbox.faults import Fault
from sandbox.slack.failures import down, slow
from storage import channels
from storage.models import Lead, ReplyState


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


NOTHING_SHOWN = Fault(status=200, body={"ok": True, "messages": []})


@ONE
async def test_what_slacks_list_does_not_show_yet_is_not_taken_for_deleted(place: Office):
    early, _late = [await Conversation.opened(place) for _ in range(2)]
    async with away(place, **LONG):
        pass
    await place.at_rest()
    place.slack.faults.add(READ, NOTHING_SHOWN)
    await early.say("There.")  # its thread is read before it goes
    await place.at_rest()
    await place.advance(minutes=1)
    await place.at_rest()
    assert early.received == ["There."]


@ONE
@pytest.mark.knobs(reply_hold_seconds=60)
async def test_what_was_written_a_moment_before_something_was_missed_is_not_taken_for_deleted(place: Office):
    lead = await Conversation.opened(place)
    services = place.door.app.state.services
    services.attention.miss(since=place.clock() - timedelta(minutes=15))
    await place.advance(minutes=4)
    await lead.say("There.")
    place.slack.faults.add(READ, NOTHING_SHOWN)
    await place.advance(seconds=10)
    await jobs.notice_absence(services)
    await place.at_rest()
    assert len(place.slack.called(READ)) == 0
    services.attention.miss(since=place.clock() - timedelta(minutes=25))
    await jobs.notice_absence(services)
    await place.at_rest()
    assert len(place.slack.called(READ)) == 1
    await place.advance(minutes=2)
    await place.at_rest()
    assert lead.received == ["There."]


@ONE
async def test_what_a_guest_wrote_meanwhile_neither_takes_the_lead_nor_stops_replies(place: Office):
    place.slack.add_person("U0GUEST", "Gus", is_restricted=True)
    place.slack.workspace.channels[CHANNEL].members.append("U0GUEST")
    lead = await Conversation.opened(place)
    async with away(place, hours=2):
        remark = await lead.said("I think he is a crook.", by="U0GUEST")
    await place.at_rest()
    assert (await lead.message(str(remark.ts))).state == ReplyState.KEPT
    assert [one.owner for one in await place.rows(Lead)] == [None]
    await place.advance(minutes=5)
    await lead.marked(await lead.say("We come at 9."), CHECK)
    assert lead.received == ["We come at 9."]


@pytest.mark.knobs(reply_mode="quiet")
async def test_what_was_written_under_quiet_mode_stays_inside_when_another_mode_is_set_meanwhile(place: Office):
    lead = await Conversation.opened(place)
    await place.stop()
    (remark,) = await lead.unheard(lambda: lead.said("He is a pain, charge him double."))
    place.clock.ahead += timedelta(minutes=6)
    await place.start(reply_mode="replies")
    await lead.marked(str(remark.ts), MEMO)
    await lead.marked(await lead.say("We come at 9."), CHECK)
    assert lead.received == ["We come at 9."]


@ONE
async def test_what_was_written_in_a_quiet_channel_stays_inside_when_that_is_changed_before_it_is_read(place: Office):
    lead = await Conversation.opened(place)
    async with place.database.transaction() as tx:
        await channels.choose(tx, team_id="T0CORKBOARD", channel=CHANNEL, reply_mode="quiet")
    place.slack.faults.stand(READ, down())
    async with away(place, **LONG):
        remark = await lead.said("He is a pain, charge him double.")
    await place.at_rest()
    async with place.database.transaction() as tx:
        await channels.choose(tx, team_id="T0CORKBOARD", channel=CHANNEL, reply_mode="replies")
    place.slack.faults.clear(READ)
    await place.advance(minutes=2)
    await lead.marked(str(remark.ts), MEMO)
    await place.at_rest()
    assert lead.received == []
