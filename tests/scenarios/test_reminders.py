"""A customer who waits: the thread, then the people on duty, then the channel is told; once, and only while they wait."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.conversation import ANA, BEN, CHECK, Conversation, buttons, said
from support.office import CHANNEL, Office
from support.two_ids import one_request

from bot.hours import DAYS
from sandbox.faults import Fault
from sandbox.slack.failures import lost_answer
from sandbox.thumbtack import bodies, v4_bodies
from sandbox.thumbtack.v4_bodies import iso
from storage import leads, owning, upkeep
from storage import reminders as snoozing
from storage.models import Business, Environment, Lead, LeadEvent, LeadOutcome, Outbox
from storage.outbox import Kind
from webhooks.thumbtack.payloads.parts import TEST_CUSTOMER

pytestmark = pytest.mark.knobs(remind_after_minutes="5,15,60", time_zone="UTC", slack_ring=(BEN,))


def reminders(talk: Conversation) -> list[dict[str, Any]]:
    """The lines in the thread that ask for an answer."""
    return [line for line in talk.lines if "lead_snooze" in buttons(line)]


def told(talk: Conversation) -> list[str]:
    return [said(line).partition("\n")[0] for line in reminders(talk)]


def is_in_channel(line: dict[str, Any]) -> bool:
    return line.get("subtype") == "thread_broadcast"


async def asks(talk: Conversation, text: str) -> None:
    """The customer writes."""
    now = str(int(talk.place.clock().timestamp()))
    body = bodies.message(talk.lead_id, text, message={"createTimestamp": now})
    assert (await talk.place.post("/v1/message", body)).status_code == 200
    await talk.place.ingested()
    await talk.place.at_rest()


async def wait(place: Office, **time: float) -> None:
    """Time passes, and what is due is said."""
    await place.advance(**time)
    await place.at_rest()


async def of_business(place: Office, **values: Any) -> None:
    """What was chosen for the business of the leads here."""
    async with place.database.transaction() as tx:
        for business in await place.rows(Business):
            row = await tx.get_one(Business, business.id)
            for name, value in values.items():
                setattr(row, name, value)


async def changed(place: Office, talk: Conversation, deed: Any) -> None:
    """Somebody does something with the lead; `deed` takes the transaction, the lead and the time."""
    async with place.database.transaction() as tx:
        found = await leads.find(tx, Environment.PRODUCTION, talk.lead_id)
        lead = await leads.to_change(tx, found.id if found else None)
        assert lead is not None
        deed(tx, lead, place.clock())


async def snooze(place: Office, talk: Conversation, choice: str, *, by: str = ANA, line: int = -1) -> None:
    """Choose from the menu below a reminder, the newest unless another is meant."""
    found = reminders(talk)[line]
    (lead,) = [one for one in await place.rows(Lead) if one.thumbtack_id == talk.lead_id]
    answer = await place.slack.press(by, CHANNEL, found["ts"], "lead_snooze", f"{choice}:{lead.id}")
    assert answer.status == 200
    await place.at_rest()


async def test_first_the_thread_then_the_people_on_duty_then_the_channel(place: Office):
    talk = await Conversation.opened(place)
    await of_business(place, on_duty=["U0OLGA", "S0CREW"])
    await wait(place, minutes=4)
    assert told(talk) == []
    await wait(place, minutes=1.2)
    assert len(told(talk)) == 1
    assert "Maya Alvarez has been waiting 5 minutes for a first answer." in place.read(reminders(talk)[0])
    assert "<@" not in said(reminders(talk)[0])
    await wait(place, minutes=10)
    second = said(reminders(talk)[1])
    assert "<@U0OLGA>" in second
    assert "<!subteam^S0CREW>" in second
    assert not is_in_channel(reminders(talk)[1])
    await wait(place, minutes=45)
    assert [is_in_channel(line) for line in reminders(talk)] == [False, False, True]
    assert "waiting 60 minutes" in said(reminders(talk)[2])
    await wait(place, days=3)
    assert len(told(talk)) == 3
    assert not [one for one in await place.rows(Outbox) if one.kind == Kind.REMIND and one.settled_at is None]


async def test_what_was_missed_while_the_bot_was_away_is_not_told_late_but_for_the_last(place: Office):
    talk = await Conversation.opened(place)
    await place.stop()
    place.clock.ahead += timedelta(minutes=20)
    await place.start()
    await place.at_rest()
    assert told(talk) == []  # the thread is read back first: somebody may have answered there
    await wait(place, minutes=1)
    assert len(told(talk)) == 1
    assert f"<@{BEN}>" in said(reminders(talk)[0])  # nobody is on duty: whom new leads ring for
    await wait(place, minutes=45)
    assert [is_in_channel(line) for line in reminders(talk)] == [False, True]


async def test_whoever_answers_by_whatever_way_ends_it(place: Office):
    here, phone, lost, left = [await Conversation.opened(place) for _ in range(4)]
    app = await in_v4(place)
    await wait(place, minutes=5.5)
    assert [len(told(talk)) for talk in (here, app, phone, lost, left)] == [1] * 5
    ts = await here.say("On my way.")
    await here.marked(ts, CHECK)
    sent_at = iso(place.clock())
    await place.thumbtack.v4_message(app.lead_id, "We wrote in the app.", sender="Business", sentAt=sent_at)
    await phone.press("lead_elsewhere")  # below the reminder
    await left.press("lead_claim", by=BEN)
    await changed(place, lost, lambda tx, lead, now: owning.finish(tx, lead, LeadOutcome.LOST, user=ANA, now=now))
    await wait(place, hours=2)
    assert [len(told(talk)) for talk in (here, app, phone, lost, left)] == [1, 1, 1, 1, 2]
    assert f"<@{BEN}> has it." in said(reminders(left)[1])  # who has it did not answer


async def in_v4(place: Office) -> Conversation:
    """A lead that v4 told of, which tells of what the team writes in Thumbtack's app too."""
    before = {card["ts"] for card in place.cards}
    lead_id = place.thumbtack.v4_request(createdAt=iso(place.clock()))
    assert (await place.thumbtack.v4_lead(lead_id)).status_code == 200
    (ts,) = await place.seen(lambda: [card["ts"] for card in place.cards if card["ts"] not in before])
    await place.at_rest()
    return Conversation(place=place, lead_id=lead_id, ts=ts)


async def test_a_later_message_that_nobody_answers_is_told_too_and_who_has_the_lead_is_called(place: Office):
    talk = await Conversation.opened(place)
    ts = await talk.say("Good morning!")
    await talk.marked(ts, CHECK)
    await wait(place, hours=3)
    assert told(talk) == []
    await asks(talk, "Is Tuesday fine?")
    await wait(place, minutes=5.5)
    (line,) = reminders(talk)
    assert "Maya Alvarez wrote 5 minutes ago and was not answered." in place.read(line)
    assert f"<@{ANA}>" in said(line)
    assert "lead_claim" not in buttons(line)
    await asks(talk, "Or Wednesday?")
    await wait(place, minutes=10)
    assert len(told(talk)) == 2  # still since the first of them
    assert f"<@{ANA}> has it. <@{BEN}>" in said(reminders(talk)[1])
    await wait(place, hours=5)
    assert len(told(talk)) == 3


@pytest.mark.knobs(remind_after_minutes="5,15,60", reply_max_age_minutes=600)
async def test_nobody_is_reminded_while_an_answer_is_on_its_way(place: Office):
    talk = await Conversation.opened(place)
    place.thumbtack.faults.stand("message", Fault(status=503))
    ts = await talk.say("On my way.")
    await wait(place, minutes=6)
    assert told(talk) == []
    place.thumbtack.faults.clear()
    await talk.delete(ts)  # it never went out
    await wait(place, minutes=6)
    assert len(told(talk)) == 1


async def test_snoozing_puts_it_off_for_everybody_and_says_who_did(place: Office):
    talk = await Conversation.opened(place)
    await wait(place, minutes=6)
    await snooze(place, talk, "hour")
    assert reminders(talk) == []  # what stands in its place has no menu
    assert f"<@{ANA}> put this reminder off until" in said(talk.lines[-1])
    await wait(place, minutes=58)
    assert told(talk) == []
    (entry,) = [one for one in await place.rows(Outbox) if one.kind == Kind.REMIND and one.settled_at is None]
    async with place.database.transaction() as tx:
        assert await upkeep.retry(tx, entry.id or 0, now=place.clock())  # `outbox retry` is no reason to say it early
    await wait(place, minutes=1)
    assert told(talk) == []
    await wait(place, minutes=2)
    (again,) = reminders(talk)
    assert is_in_channel(again)  # by now it is an hour
    await wait(place, hours=5)
    assert len(told(talk)) == 1
    await snooze(place, talk, "hour", by=BEN)  # the ladder is at its end, and yet somebody wants to be told again
    await wait(place, minutes=61)
    assert len(told(talk)) == 1
    assert [one.actor for one in await place.rows(LeadEvent) if one.kind == "snoozed"] == [ANA, BEN]


async def test_of_two_snoozes_the_last_holds_and_one_for_nothing_is_told_to_who_chose_it_alone(place: Office):
    talk, other = await Conversation.opened(place), await Conversation.opened(place)
    await wait(place, minutes=16)
    await wait(place, minutes=45)
    assert len(told(talk)) == 2
    await snooze(place, talk, "hour", line=0)
    await wait(place, minutes=30)
    await snooze(place, talk, "hour", line=0)
    await wait(place, minutes=40)
    assert told(talk) == []
    await wait(place, minutes=21)
    assert len(told(talk)) == 1
    await changed(place, other, lambda tx, lead, now: owning.elsewhere(tx, lead, user=BEN, now=now))
    await snooze(place, other, "hour")
    assert "does not wait for an answer any more" in place.whispers(ANA)[-1]
    assert len(reminders(other)) == 2


async def test_what_cannot_be_snoozed_is_told_to_who_tried_alone(place: Office):
    talk = await Conversation.opened(place)
    await wait(place, minutes=6)
    (line,) = reminders(talk)
    guest = {"id": ANA, "team_id": "T0CORKBOARD", "is_restricted": True}
    place.slack.faults.stand("users.info", Fault(status=200, body={"ok": True, "user": guest}))
    await snooze(place, talk, "hour")
    assert place.whispers(ANA)
    place.slack.faults.clear()
    menu = next(one for one in line["blocks"][-1]["elements"] if one["action_id"] == "lead_snooze")
    stored = place.slack.workspace.channel(CHANNEL).messages[line["ts"]]
    for odd in ("hour:999", "hour:", "day:x1", ":"):  # of a lead that was purged; of nobody
        menu["options"][0]["value"] = odd
        stored["blocks"] = line["blocks"]
        assert (await place.slack.press(BEN, CHANNEL, line["ts"], "lead_snooze", odd)).status == 200
        await place.at_rest()
    assert len(place.whispers(BEN)) == 4
    assert [one.snoozed_until for one in await place.rows(Lead)] == [None]
    await wait(place, minutes=10)
    assert len(told(talk)) == 2


async def test_one_lead_that_both_apis_tell_of_is_reminded_of_once(place: Office):
    legacy, v4 = one_request(place.clock())
    assert (await place.post("/v1/message", bodies.message(legacy["leadID"], "Hello?"))).status_code == 202
    await place.at_rest()
    await wait(place, minutes=1)
    told_of = v4_bodies.event("NegotiationCreatedV4", v4, webhook_id="1", at=place.clock())
    assert (await place.post("/v4/webhooks", told_of)).status_code == 200
    await place.at_rest()
    assert len(place.cards) == 2
    assert (await place.post("/v1/lead", legacy)).status_code == 200
    await place.ingested()
    await wait(place, seconds=5)
    (card,) = place.cards
    talk = Conversation(place=place, lead_id=v4["negotiationID"], ts=card["ts"])
    assert told(talk) == []
    for expected in (1, 2, 3):
        await wait(place, minutes=(6, 10, 46)[expected - 1])
        assert len(told(talk)) == expected


async def test_a_business_is_reminded_in_its_hours_and_snoozes_until_it_opens(place: Office):
    await Conversation.opened(place)  # its business is known
    hours = {day: [["08:00", "17:30"]] for day in DAYS[:5]}
    await of_business(place, hours=hours, time_zone="America/Chicago", on_duty=["U0OLGA"])
    monday = next_monday(place.clock())
    await until(place, monday - timedelta(days=2, hours=14, minutes=40))  # Friday at 17:20
    early = await Conversation.opened(place)
    await wait(place, minutes=6)
    assert len(told(early)) == 1
    await wait(place, hours=1)
    late = await Conversation.opened(place)
    await wait(place, days=1)
    await until(place, monday)
    assert [len(told(early)), len(told(late))] == [1, 0]
    await wait(place, minutes=5.5)
    assert [len(told(early)), len(told(late))] == [2, 1]
    await snooze(place, late, "day")
    lead = next(one for one in await place.rows(Lead) if one.thumbtack_id == late.lead_id)
    assert lead.snoozed_until == monday + timedelta(days=1)
    await wait(place, hours=20)
    assert told(late) == []
    await until(place, monday + timedelta(days=1, seconds=1))
    assert len(told(late)) == 1


def next_monday(now: datetime) -> datetime:
    """Eight o'clock in Chicago on a Monday at least three days ahead, in a week in which no clock is changed."""
    zone = ZoneInfo("America/Chicago")
    monday = (now + timedelta(days=3)).astimezone(zone).date()
    monday += timedelta(days=-monday.weekday() % 7)
    eight, before = (
        datetime(day.year, day.month, day.day, 8, tzinfo=zone) for day in (monday, monday - timedelta(days=4))
    )
    return eight.astimezone(UTC) if eight.utcoffset() == before.utcoffset() else next_monday(now + timedelta(days=7))


async def until(place: Office, instant: datetime) -> None:
    await wait(place, seconds=(instant - place.clock()).total_seconds())


@pytest.mark.knobs(remind_after_minutes="5,15,60", privacy="private")
async def test_where_nothing_may_be_seen_the_reminder_says_nothing_of_the_customer(place: Office):
    talk = await Conversation.opened(place)
    await wait(place, minutes=61)
    (line,) = reminders(talk)
    assert "A customer has been waiting 61 minutes for a first answer." in place.read(line)
    assert "Maya" not in str(line["blocks"]) + line["text"]


async def test_what_nobody_can_answer_reminds_nobody(place: Office):
    talks = [await Conversation.opened(place, staging=True), await Conversation.opened(place)]
    await changed(place, talks[1], lambda _tx, lead, _now: setattr(lead, "status", "Cancelled"))
    await wait(place, hours=2)
    assert [told(talk) for talk in talks] == [[], []]


async def test_a_test_delivery_whose_message_came_first_reminds_nobody(place: Office):
    body = bodies.lead(customer={"name": TEST_CUSTOMER})
    assert (await place.post("/v1/message", bodies.message(body["leadID"], "Hello?"))).status_code == 202
    await place.ingested()
    assert (await place.post("/v1/lead", body)).status_code == 200
    await place.ingested()
    await wait(place, hours=2)
    [lead] = await place.rows(Lead)
    assert (lead.is_test, lead.waiting_since) == (True, None)
    assert told(Conversation(place=place, lead_id=str(body["leadID"]), ts=place.cards[-1]["ts"])) == []


async def test_settings_that_change_meanwhile_hold(place: Office):
    never, later, sooner = [await Conversation.opened(place) for _ in range(3)]
    await wait(place, minutes=2)
    await of_business(place, remind_after=[30])
    await wait(place, minutes=10)
    assert [told(talk) for talk in (never, later, sooner)] == [[], [], []]
    await wait(place, minutes=20)
    assert [len(told(talk)) for talk in (never, later, sooner)] == [1, 1, 1]
    await of_business(place, remind_after=[])
    await asks(never, "Hello?")
    await wait(place, hours=3)
    assert len(told(never)) == 1


@pytest.mark.knobs(remind_after_minutes="5", slack_leads_channel=None)
async def test_what_stands_nowhere_yet_is_told_once_it_does(place: Office):
    assert (await place.post("/v1/lead", bodies.lead())).status_code == 200
    await place.ingested()
    await wait(place, minutes=6)
    assert place.cards == []
    await place.stop()
    await place.start(slack_leads_channel=CHANNEL)
    await wait(place, minutes=1)
    await wait(place, minutes=1)
    (card,) = place.cards
    below = [place.read(one) for one in place.thread(card)]
    # Among its photos, which know no order with it; in which of the two minutes depends on how soon the card stood.
    assert sum("has been waiting" in one for one in below) == 1, below


async def test_a_reminder_whose_answer_was_lost_stands_once_and_the_next_one_is_still_told(place: Office):
    talk = await Conversation.opened(place)
    place.slack.faults.add("chat.postMessage", lost_answer())
    await wait(place, minutes=5.5)
    await wait(place, minutes=12)  # by now the next one is due too
    await wait(place, seconds=1)
    assert len(told(talk)) == 2
    assert f"<@{BEN}>" in said(reminders(talk)[1])


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_two_replicas_remind_once(place: Office):
    talks = [await Conversation.opened(place) for _ in range(4)]
    async with place.replica() as other:
        for number, minutes in enumerate((5.5, 10, 45), start=1):
            await asyncio.gather(place.advance(minutes=minutes), other.advance())
            await place.seen(lambda least=number: all(len(told(talk)) >= least for talk in talks))
    await wait(place, minutes=10)
    assert [len(told(talk)) for talk in talks] == [3] * 4


@pytest.mark.parametrize("moment", [0, 4, 15])
async def test_an_end_at_any_moment_loses_no_reminder_and_says_none_twice(place: Office, moment: int):
    talk = await Conversation.opened(place)
    await place.advance(minutes=5.5)
    for _ in range(moment * 5):
        await asyncio.sleep(0)
    await place.crash()
    await place.start()
    await wait(
        place, minutes=3
    )  # a claim that was left runs out, and the thread is read back: somebody may have answered
    await wait(place, minutes=1)
    assert len(told(talk)) == 1


async def test_a_lead_that_was_snoozed_before_it_turned_out_to_be_two_is_not_forgotten(place: Office):
    legacy, v4 = one_request(place.clock())
    assert (await place.post("/v1/message", bodies.message(legacy["leadID"], "Hello?"))).status_code == 202
    await wait(place, minutes=1)
    told_of = v4_bodies.event("NegotiationCreatedV4", v4, webhook_id="1", at=place.clock())
    assert (await place.post("/v4/webhooks", told_of)).status_code == 200
    await place.at_rest()
    async with place.database.transaction() as tx:
        found = await leads.find(tx, Environment.PRODUCTION, v4["negotiationID"])
        lead = await leads.to_change(tx, found.id if found else None)
        assert lead is not None
        until = place.clock() + timedelta(minutes=30)
        assert await snoozing.snooze(tx, lead, until=until, user=ANA, now=place.clock())
    assert (await place.post("/v1/lead", legacy)).status_code == 200
    await place.ingested()
    await wait(place, seconds=5)
    (card,) = place.cards
    talk = Conversation(place=place, lead_id=v4["negotiationID"], ts=card["ts"])
    await wait(place, minutes=29)
    assert told(talk) == []
    for _ in range(4):
        await wait(place, minutes=10)
    assert told(talk)
