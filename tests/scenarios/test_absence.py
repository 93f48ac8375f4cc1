"""Nobody was there when people wrote in the threads of leads, or Slack could not tell us: it is read back afterwards."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text as sql
from support.absence import LONG, ONE, READ, away
from support.conversation import ANA, CHECK, CROSS, HOURGLASS, MEMO, WARNING, Conversation, calling
from support.deliveries import all_said
from support.figures import scraped
from support.office import CHANNEL, Office

from bot import jobs
from sandbox.slack.delivery import event_delivery
from sandbox.slack.failures import down, slack_error, slow
from sandbox.thumbtack import bodies
from storage import reading_back
from storage.models import Message, Outbox, ReplyState
from storage.outbox import Kind


async def run(place: Office, statement: str) -> None:
    async with place.database.transaction() as tx:
        await tx.execute(sql(statement))


def notices(place: Office, channel: str = CHANNEL) -> list[str]:
    """What a channel was told of absences."""
    return [line for one in place.slack.messages(channel) if "was away" in (line := place.read(one))]


def threads_read(place: Office) -> list[str]:
    return [str(call.args["ts"]) for call in place.slack.called(READ)]


async def lived(place: Office, monkeypatch: pytest.MonkeyPatch, *, minutes: int) -> None:
    """Let the bot live for so long, as it sees that itself."""
    attention = place.door.app.state.services.attention
    real, ahead = attention._passed, place.clock.ahead
    monkeypatch.setattr(attention, "_passed", lambda: real() + (place.clock.ahead - ahead).total_seconds())
    await place.advance(minutes=minutes)


# What people wrote meanwhile


async def written_meanwhile_goes_out(lead: Conversation) -> bool:
    """Somebody writes while nobody is there, after a kill."""
    async with away(lead.place, killed=True, **LONG):
        ts = (await lead.said("Yes, we do.")).ts
    await lead.marked(ts, CHECK)
    return lead.received == ["Yes, we do."]


async def test_what_was_written_meanwhile_goes_out(place: Office):
    assert await written_meanwhile_goes_out(await Conversation.opened(place))


@ONE
async def test_what_is_too_old_by_then_is_asked_about(place: Office):
    lead = await Conversation.opened(place)
    async with away(place, hours=6):
        ts = (await lead.said("On my way, 20 minutes.")).ts
    await lead.marked(ts, CROSS)
    assert lead.received == []
    assert (await lead.message(ts)).state == ReplyState.OVERDUE
    await lead.press("reply_send_now")
    await lead.marked(ts, CHECK)
    assert lead.received == ["On my way, 20 minutes."]


@ONE
async def test_notes_files_and_what_the_bot_posted_are_what_they_are(place: Office):
    lead = await Conversation.opened(place)
    async with away(place, **LONG):
        note = (await lead.said("note: he is a friend of mine")).ts
        file = (await lead.said("The offer.", files=["offer.pdf"])).ts
        await place.slack.say(ANA, CHANNEL, "Lunch?")
    await lead.marked(note, MEMO)
    await lead.offered("reply_send")
    await place.at_rest()
    assert lead.received == []
    assert sorted(row.slack_ts for row in await place.rows(Message)) == [note, file]


@pytest.mark.knobs(reply_hold_seconds=60)
async def test_what_was_edited_or_deleted_meanwhile_counts_for_what_waits(place: Office):
    lead = await Conversation.opened(place)
    edited, deleted, noted = [await lead.say(words) for words in ("At 9.", "Not this.", "Hm.")]
    await lead.marked(noted, HOURGLASS)
    place.slack.faults.add(READ, slow(0.3))  # replies are due long before the thread is read
    async with away(place, **LONG):
        await place.slack.edit(CHANNEL, edited, "At 10.")
        await place.slack.delete(CHANNEL, deleted)
        await place.slack.edit(CHANNEL, noted, "note: Hm.")
    await lead.marked(edited, CHECK)
    await lead.marked(noted, MEMO)
    await place.at_rest()
    assert lead.received == ["At 10."]


@ONE
async def test_what_went_out_before_is_not_said_again_and_a_late_edit_is_told(place: Office):
    lead = await Conversation.opened(place)
    kept, edited = await lead.say("At 9."), await lead.say("On Monday.")
    await lead.marked(edited, CHECK)
    await place.at_rest()
    async with away(place, **LONG):
        await place.slack.edit(CHANNEL, edited, "On Tuesday.")
        await place.slack.delete(CHANNEL, kept)
    await place.seen(lead.prompts)
    await place.at_rest()
    assert lead.received == ["At 9.", "On Monday."]
    assert len(lead.prompts()) == 1


async def test_what_slack_tells_at_the_same_time_counts_once(place: Office):
    lead = await Conversation.opened(place)
    place.slack.faults.add(READ, slow(0.2))
    async with away(place, **LONG):
        told = [await lead.said(words) for words in ("One.", "Two.")]
    await asyncio.gather(*(place.slack.redeliver(one, number=3) for one in told * 2))
    await lead.marked(told[1].ts, CHECK)
    await place.at_rest()
    assert lead.received == ["One.", "Two."]
    assert len(await place.rows(Message)) == 2


async def test_what_was_written_meanwhile_goes_before_what_is_written_now(place: Office):
    lead = await Conversation.opened(place)
    place.slack.faults.add(READ, slow(0.3))
    async with away(place, **LONG):
        await lead.said("First.")
    now = await lead.say("Second.")
    await lead.marked(now, CHECK)
    assert lead.received == ["First.", "Second."]


@ONE
async def test_a_thread_whose_turn_is_far_is_read_as_soon_as_somebody_writes_there(place: Office):
    early, late = [await Conversation.opened(place) for _ in range(2)]
    async with away(place, **LONG):
        await early.said("First.")
    await late.marked(await late.say("There."), CHECK)
    await place.at_rest()
    assert early.received == []  # the newest thread is read first, the next one a while later
    await early.marked(await early.say("Second."), CHECK)
    assert early.received == ["First.", "Second."]


async def test_a_kill_while_it_is_read_loses_nothing(place: Office):
    lead = await Conversation.opened(place)
    reading = calling(place.slack.faults, READ)
    place.slack.faults.add(READ, slow(5))
    async with away(place, **LONG):
        ts = (await lead.said("Yes, we do.")).ts
    async with asyncio.timeout(5):
        await reading.wait()
    await place.crash()
    await place.start()
    await place.advance(seconds=61)  # on PostgreSQL its claim has to run out
    await lead.marked(ts, CHECK)
    assert lead.received == ["Yes, we do."]


@ONE
async def test_while_slack_is_down_nothing_that_may_have_been_taken_back_goes_out(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", down())
    deleted = await lead.say("Not this.")
    await lead.marked(deleted, HOURGLASS)
    await place.at_rest()
    place.slack.faults.stand(READ, down())
    async with away(place, **LONG):
        await place.slack.delete(CHANNEL, deleted)
    await place.at_rest()
    place.slack.faults.clear(READ)
    await place.advance(minutes=2)
    await place.at_rest()
    assert lead.received == []
    assert (await lead.message(deleted)).state == ReplyState.CANCELLED


@pytest.mark.parametrize("why", ["not_in_channel", "missing_scope", "odd_error"])
@ONE
async def test_a_thread_that_cannot_be_read_holds_no_reply_back(place: Office, why: str):
    lead = await Conversation.opened(place)
    place.slack.faults.stand(READ, slack_error(why))
    async with away(place, **LONG):
        pass
    await lead.marked(await lead.say("Yes, we do."), CHECK)
    assert lead.received == ["Yes, we do."]


@ONE
async def test_a_thread_that_is_gone_takes_with_it_what_waited_there(place: Office):
    lead = await Conversation.opened(place)
    place.thumbtack.faults.add("message", down())
    ts = await lead.say("Not this.")
    await lead.marked(ts, HOURGLASS)
    await place.at_rest()
    async with away(place, **LONG):
        await place.slack.delete(CHANNEL, ts)
        await place.slack.delete(CHANNEL, lead.ts)
    await place.at_rest()
    await place.advance(minutes=2)
    await place.at_rest()
    assert lead.received == []


@ONE
async def test_long_threads_are_read_to_their_end(place: Office, monkeypatch):
    monkeypatch.setattr("bot.dispatch.to_slack.reading_back.PAGE", 2)
    lead = await Conversation.opened(place)
    words = [f"note: {number}" for number in range(5)]
    async with away(place, **LONG):
        for one in words:
            await lead.said(one)
        last = (await lead.said("Yes, we do.")).ts
    await lead.marked(last, CHECK)
    assert [row.text for row in await place.rows(Message)] == [*words, "Yes, we do."]


async def test_what_was_written_below_a_card_that_nobody_had_written_down(place: Office):
    place.slack.faults.add("chat.postMessage", slow(5))
    body = bodies.lead()
    await place.post("/v1/lead", body)
    await place.seen(lambda: place.cards)
    lead = Conversation(place=place, lead_id=str(body["leadID"]), ts=place.cards[0]["ts"])
    assert await written_meanwhile_goes_out(lead)


@ONE
async def test_after_an_older_copy_of_the_database_marks_tell_what_was_handled(place: Office):
    lead = await Conversation.opened(place)
    sent, noted = await lead.say("At 9."), await lead.say("note: a friend")
    await lead.marked(sent, CHECK)
    await lead.marked(noted, MEMO)
    place.thumbtack.faults.add("message", down())
    waits = await lead.say("On Monday.")
    await lead.marked(waits, HOURGLASS)
    await place.at_rest()
    async with away(place, **LONG), place.database.transaction() as tx:
        await tx.execute(sql("DELETE FROM outbox WHERE message_id IS NOT NULL"))
        await tx.execute(sql("DELETE FROM message"))
    await lead.marked(waits, WARNING)  # it may have gone out: its writer says
    await place.at_rest()
    assert lead.received == ["At 9."]
    assert [row.slack_ts for row in await place.rows(Message)] == [waits]
    await lead.press("reply_send_again")
    await lead.marked(waits, CHECK)


# Which threads


@ONE
async def test_threads_of_leads_that_are_over_are_not_read(place: Office):
    over, open_ = [await Conversation.opened(place) for _ in range(2)]
    for action_id in ("lead_claim", "lead_lost"):
        await place.slack.press(ANA, CHANNEL, over.ts, action_id)
        await place.at_rest()
    before = len(threads_read(place))
    async with away(place, **LONG):
        pass
    await place.at_rest()
    assert threads_read(place)[before:] == [open_.ts]


@ONE
async def test_less_than_five_minutes_are_nothing(place: Office):
    await Conversation.opened(place)
    async with away(place, minutes=4):
        pass
    await place.at_rest()
    assert (threads_read(place), notices(place)) == ([], [])


async def test_many_threads_are_read_slowly_and_after_what_is_new(place: Office):
    leads = [await Conversation.opened(place) for _ in range(3)]
    async with away(place, **LONG):
        pass
    await place.at_rest()
    waits = [one for one in await place.rows(Outbox) if one.kind == Kind.READ_BACK]
    first, second, third = sorted(one.due_at for one in waits)
    assert (second - first, third - second) == (timedelta(seconds=1.5), timedelta(seconds=1.5))
    assert {one.priority for one in waits} == {reading_back.LATER}
    await place.advance(seconds=5)
    await place.at_rest()
    assert threads_read(place) == [one.ts for one in reversed(leads)]


async def test_it_is_not_planned_twice(place: Office):
    for _ in range(2):
        await Conversation.opened(place)
    place.slack.faults.stand("auth.test", down())
    for _ in range(2):
        async with away(place, **LONG):
            pass
    assert len([one for one in await place.rows(Outbox) if one.kind == Kind.READ_BACK]) == 2


# Who is told


@ONE
async def test_each_channel_is_told_once(place: Office):
    place.slack.add_channel("C0WEST", "west")
    await run(place, "INSERT INTO route (position, channel, ring) VALUES (1, 'C0WEST', '[]')")
    async with away(place, hours=5):
        pass
    await place.seen(lambda: notices(place) and notices(place, "C0WEST"))
    await place.at_rest()
    await jobs.notice_absence(place.door.app.state.services)
    await place.stop()
    await place.start()
    await place.at_rest()
    assert (len(notices(place)), len(notices(place, "C0WEST"))) == (1, 1)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_of_two_replicas_one_tells_it(place: Office):
    lead = await Conversation.opened(place)
    await place.stop()
    place.clock.ahead += timedelta(hours=1)
    async with place.replica() as one, place.replica():
        place.door.app = one.door.app
        await place.seen(lambda: notices(place) and threads_read(place) == [lead.ts])
        planned = [one.kind for one in await place.rows(Outbox) if one.kind in (Kind.READ_BACK, Kind.POST_NOTICE)]
        assert sorted(planned) == [Kind.POST_NOTICE, Kind.READ_BACK]


@ONE
async def test_a_process_that_ends_soon_after_each_start_is_an_absence_told_when_it_is_over(place: Office, monkeypatch):
    lead = await Conversation.opened(place)
    await lived(place, monkeypatch, minutes=0)
    await pass_minutes(place, 8)
    for loop in range(26):
        async with away(place, killed=True, seconds=55):
            if loop == 1:
                ts = (await lead.said("Yes, we do.")).ts  # of which Slack's tries find nobody
    await lead.marked(ts, CHECK)
    assert (lead.received, notices(place)) == (["Yes, we do."], [])
    assert (await scraped(place.http))("unsteady_seconds") > 20 * 60
    await lived(place, monkeypatch, minutes=0)
    await pass_minutes(place, 12)
    (told,) = await place.seen(lambda: notices(place))
    assert "again and again" in told
    assert (await scraped(place.http))("unsteady_seconds") == 0
    assert 12 * 60 < (await scraped(place.http))("back_age_seconds") < 18 * 60
    async with away(place, minutes=4):
        pass
    await place.at_rest()
    assert len(notices(place)) == 1


@ONE
async def test_a_machine_that_slept_notices_it_when_it_wakes(place: Office, monkeypatch):
    lead = await Conversation.opened(place)
    services = place.door.app.state.services
    await lived(place, monkeypatch, minutes=4)
    await jobs.notice_absence(services)
    place.slack.events_url, url = None, place.slack.events_url
    ts = (await lead.said("Yes, we do.")).ts
    place.slack.events_url = url
    await place.advance(minutes=20)
    await jobs.notice_absence(services)
    await lead.marked(ts, CHECK)
    assert len(notices(place)) == 1


@ONE
async def test_an_end_in_order_is_when_the_absence_begins(place: Office, monkeypatch):
    await Conversation.opened(place)
    await lived(place, monkeypatch, minutes=0)
    await pass_minutes(place, 20)
    async with away(place, minutes=4):
        pass
    await place.at_rest()
    assert notices(place) == []


async def test_an_end_without_a_database_is_an_end(place: Office):
    await Conversation.opened(place)
    await run(place, "ALTER TABLE presence RENAME TO elsewhere")
    async with away(place, **LONG):
        await run(place, "ALTER TABLE elsewhere RENAME TO presence")
    assert await place.seen(lambda: notices(place))


@ONE
async def test_a_clock_that_is_set_forward_is_no_absence(place: Office):
    await Conversation.opened(place)
    await place.advance(minutes=20)
    await jobs.notice_absence(place.door.app.state.services)
    await place.at_rest()
    assert (notices(place), threads_read(place)) == ([], [])


# Slack could not tell us


async def pass_minutes(place: Office, minutes: int) -> None:
    """So many minutes in which the bot is there."""
    for _ in range(0, minutes, 4):
        await place.advance(minutes=4)
        await jobs.notice_absence(place.door.app.state.services)


@ONE
async def test_what_slack_gave_up_is_read_back_although_somebody_was_there(place: Office):
    lead = await Conversation.opened(place)
    (lost,) = await lead.unheard(lambda: lead.said("Yes, we do."))
    await pass_minutes(place, 16)
    (late,) = await lead.unheard(lambda: lead.said("At 9."))
    await place.slack.redeliver(late, number=2)  # the first that comes after a while, and not at its first try
    await lead.marked(late.ts, CHECK)
    await pass_minutes(place, 8)
    await lead.marked(lost.ts, CHECK)
    assert lead.received == ["At 9.", "Yes, we do."]
    assert notices(place) == []


async def test_what_could_not_be_stored_is_read_back_once_slack_has_given_up(place: Office):
    lead = await Conversation.opened(place)
    await run(place, "ALTER TABLE message RENAME TO elsewhere")
    lost = await lead.said("Yes, we do.")
    await run(place, "ALTER TABLE elsewhere RENAME TO message")
    assert lost.status == 503
    await pass_minutes(place, 4)
    await place.at_rest()
    assert threads_read(place) == []  # Slack may still tell it
    await pass_minutes(place, 4)
    await lead.marked(lost.ts, CHECK)
    assert lead.received == ["Yes, we do."]
    assert notices(place) == []


async def test_a_kill_before_slack_has_given_up_forgets_nothing(place: Office):
    lead = await Conversation.opened(place)
    await run(place, "ALTER TABLE message RENAME TO elsewhere")
    lost = await lead.said("Yes, we do.")
    await run(place, "ALTER TABLE elsewhere RENAME TO message")
    await pass_minutes(place, 4)
    async with away(place, killed=True, minutes=1):
        pass
    await lead.marked(lost.ts, CHECK)
    assert notices(place) == []


@ONE
async def test_what_the_database_never_takes_ends_the_reading_of_its_thread_and_not_that_of_others(place: Office):
    bad, good = await Conversation.opened(place), await Conversation.opened(place)
    async with away(place, **LONG):
        await bad.said("Yes, we do.")
        kept = (await good.said("At 9.")).ts
        refuse = "BEGIN SELECT RAISE(ABORT, 'never'); END"
        await run(place, f"CREATE TRIGGER never BEFORE INSERT ON message WHEN NEW.text LIKE 'Yes%' {refuse}")
    await good.marked(kept, CHECK)
    await all_said(place, seconds=60)
    read = [one for one in await place.rows(Outbox) if one.kind == Kind.READ_BACK]
    assert {(one.state, one.reason) for one in read} == {("done", "broke"), ("done", None)}


@ONE
async def test_what_slack_says_that_it_dropped_is_read_back(place: Office):
    lead = await Conversation.opened(place)
    (lost,) = await lead.unheard(lambda: lead.said("Yes, we do."))
    minute = int(place.clock().timestamp()) // 60 * 60
    limited = {"type": "app_rate_limited", "team_id": "T0CORKBOARD", "minute_rate_limited": minute, "api_app_id": "A1"}
    assert (await place.slack.courier.once(event_delivery(limited))).status == 200
    await pass_minutes(place, 8)
    await lead.marked(lost.ts, CHECK)
    assert notices(place) == []
