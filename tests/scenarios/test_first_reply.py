"""The automatic first reply: once per lead, marked as such, and not where anybody was faster."""

import asyncio
from datetime import UTC, timedelta
from typing import Any

import pytest
from support.conversation import ANA, BEN, CHECK, CROSS, HOURGLASS, MEMO, OLGA, WARNING, Conversation, calling
from support.office import CHANNEL, Office
from support.two_ids import one_request

from sandbox.faults import Fault
from sandbox.slack.delivery import interaction_delivery
from sandbox.slack.failures import down
from sandbox.thumbtack import bodies, v4_bodies
from sandbox.thumbtack.bodies import BUSINESS_ID, BUSINESS_NAME
from sandbox.thumbtack.v4_bodies import iso
from storage import businesses, channels, first_replies, forgetting, leads, outbox
from storage.first_replies import When
from storage.models import Audit, Business, Environment, FirstReply, Lead, LeadEvent, Message, ReplyState
from storage.outbox import Kind

WORDS = "Hi {first_name}! We read about your {category} in {city} now and write soon. {business}"
SAID = f"Hi Maya! We read about your Interior Painting in Palo Alto now and write soon. {BUSINESS_NAME}"
GOES_AFTER = 76
"""Seconds."""


async def switched_on(
    place: Office,
    text: str = WORDS,
    when: When = When.ALWAYS,
    *,
    hours: Any = None,
    environment: Environment = Environment.PRODUCTION,
) -> None:
    """The business has a first reply."""
    async with place.database.transaction() as tx:
        business, _ = await businesses.ensure(
            tx, environment=environment, thumbtack_id=BUSINESS_ID, name=BUSINESS_NAME, now=place.clock()
        )
        business.hours = hours
        first_replies.choose(tx, business, text=text, when=when, team_id="T0CORKBOARD", actor=OLGA, now=place.clock())


async def time_goes_by(place: Office, seconds: float = GOES_AFTER) -> None:
    """Until first replies are due, and what they let go has gone."""
    await place.advance(seconds=seconds)
    await place.at_rest()


def line(talk: Conversation) -> dict[str, Any]:
    """The bot's line that shows it."""
    (found,) = [one for one in talk.lines if "Automatic first reply" in one["text"]]
    return found


def shown(talk: Conversation) -> int:
    return sum("Automatic first reply" in one["text"] for one in talk.lines)


async def decisions(place: Office) -> list[str | None]:
    """Why there was none, lead by lead; None where there was one."""
    return [one.reason for one in await place.rows(FirstReply)]


async def test_it_goes_once_marked_as_automatic_and_is_no_answer_of_the_team(place: Office):
    await switched_on(place)
    talk = await Conversation.opened(place)
    await time_goes_by(place, 70)
    assert talk.received == []
    await time_goes_by(place, 6)
    assert talk.received == [SAID]
    await place.seen(lambda: place.mark(line(talk)["ts"]) == [CHECK])
    assert "Nobody wrote this" in place.read(line(talk))
    assert SAID in place.read(line(talk))
    await time_goes_by(place, 600)
    (lead,) = await place.rows(Lead)
    assert (lead.first_answer_at, lead.owner, lead.waiting_since is None) == (None, None, False)
    assert [one.via for one in await place.rows(LeadEvent) if one.kind == "first_reply"] == ["auto"]
    assert (talk.received, shown(talk), await decisions(place)) == ([SAID], 1, [None])
    ts = await talk.say("I can come at 9.")  # it goes on as ever: the first who answers has it
    await talk.marked(ts, CHECK)
    assert [one.owner for one in await place.rows(Lead)] == [ANA]


@pytest.mark.knobs(reply_hold_seconds=300)
async def test_it_stands_down_for_whoever_wrote_or_ended_it(place: Office):
    await switched_on(place)
    held, asked, noted, taken_back, called, won = [await Conversation.opened(place) for _ in range(6)]
    await held.say("I can come at 9.")
    await asked.say(f"<@{BEN}> can you come at 9?")
    await noted.say("note: she is at work until five")
    await taken_back.delete(await taken_back.say("Not this."))
    await called.press("lead_elsewhere")
    await won.press("lead_won")
    await place.submit({}, user=ANA)
    await place.at_rest()
    await time_goes_by(place)
    assert await decisions(place) == ["written", "written", None, None, "answered", "finished"]
    told = [talk.received for talk in (held, asked, noted, taken_back, called, won)]
    assert told == [[], [], [SAID], [SAID], [], []]


async def by_v4(place: Office) -> Conversation:
    """A new lead that v4 told of, whose card stands."""
    before = {card["ts"] for card in place.cards}
    lead_id = place.thumbtack.v4_request(createdAt=iso(place.clock()))
    assert (await place.thumbtack.v4_lead(lead_id)).status_code == 200
    await place.at_rest()
    (ts,) = {card["ts"] for card in place.cards} - before
    return Conversation(place=place, lead_id=lead_id, ts=ts)


async def test_it_stands_down_for_thumbtacks_own_and_for_the_app(place: Office):
    await switched_on(place)
    await place.connect("v4")
    quick, typed, free = [await by_v4(place) for _ in range(3)]
    told = place.thumbtack.v4_message
    at = iso(place.clock())
    await told(quick.lead_id, "Thanks for reaching out! We will reply soon.", sender="Business", sentAt=at)
    await told(typed.lead_id, "Thanks for reaching out!", sender="Business", sentAt=at)
    await told(typed.lead_id, "I can come at 9.", sender="Business", sentAt=at)
    await place.at_rest()
    await time_goes_by(place)
    assert await decisions(place) == ["quick_reply", "answered", None]
    assert [quick.received, typed.received, len(free.received)] == [[], [], 1]
    lines, sent = len(free.lines), place.thumbtack.sent[-1]
    data = {"negotiationID": free.lead_id, "from": "Business", "text": sent.text, "messageID": sent.message_id}
    await place.thumbtack.v4_event("MessageCreatedV4", data | {"sentAt": iso(sent.at)})  # as Thumbtack tells it in turn
    await place.at_rest()
    assert len(free.lines) == lines
    assert [one.first_answer_at is None for one in await place.rows(Lead)] == [True, False, True]


async def test_tests_are_never_answered(place: Office):
    await switched_on(place)
    by_customer = await Conversation.opened(place, customer={"name": "Test Customer"})
    by_business = await Conversation.opened(place, business={"name": "Test Business for Webhooks"})
    for lead in await place.rows(Lead):
        assert lead.is_test
        async with place.database.transaction() as tx:  # as if it had been thought of all the same
            await outbox.enqueue(tx, Kind.FIRST_REPLY, now=place.clock(), lead_id=lead.id)
    await time_goes_by(place)
    assert by_customer.received + by_business.received + await decisions(place) == []


@pytest.mark.knobs(thumbtack_environment="staging")
async def test_in_thumbtacks_staging_environment_there_is_none_though_replies_go(place: Office):
    await switched_on(place, environment=Environment.STAGING)
    talk = await Conversation.opened(place, staging=True)
    await time_goes_by(place)
    assert (talk.received, await decisions(place)) == ([], [])
    await talk.marked(await talk.say("I can come at 9."), CHECK)
    assert talk.received == ["I can come at 9."]


async def test_it_goes_in_the_hours_that_were_set(place: Office):
    """Whatever the day: hours that are open now, and those that are not for days."""
    now = place.clock().astimezone(UTC)
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    today = {day: [["00:00", "24:00"]] for day in (days[(now.weekday() + off) % 7] for off in (-1, 0, 1))}
    elsewhen = {days[(now.weekday() + 3) % 7]: [["09:00", "12:00"]]}
    wanted: list[tuple[When, Any, str | None]] = [
        (When.OPEN, today, None),
        (When.CLOSED, today, "hours"),
        (When.OPEN, elsewhen, "hours"),
        (When.CLOSED, elsewhen, None),
        (When.OPEN, None, None),  # no hours: it is always open
        (When.ALWAYS, elsewhen, None),
    ]
    talks = []
    for when, hours, _ in wanted:
        await switched_on(place, when=when, hours=hours)
        talks.append(await Conversation.opened(place))
        await time_goes_by(place)
    assert await decisions(place) == [reason for *_, reason in wanted]
    assert [len(talk.received) for talk in talks] == [1 if reason is None else 0 for *_, reason in wanted]


async def test_it_does_not_go_where_it_is_off_nor_where_nobody_could_be_asked(place: Office):
    await switched_on(place, when=When.OFF)
    off = await Conversation.opened(place)
    await time_goes_by(place)
    assert (off.received, await decisions(place)) == ([], [])
    await switched_on(place)
    switched_off = await Conversation.opened(place)
    await switched_on(place, when=When.OFF)
    await time_goes_by(place)
    assert (switched_off.received, await decisions(place)) == ([], [])
    for text in ("Call 415-555-0134 now.", "{category}", "note: ask {first_name}", "@channel, hi"):
        await switched_on(place, text)
        talk = await Conversation.opened(place, request={"category": None, "title": None})
        await time_goes_by(place)
        assert talk.received == [], text
    assert await decisions(place) == ["contact_data", "no_prose", "no_prose", "no_prose"]
    async with place.database.transaction() as tx:
        await channels.choose(tx, team_id="T0CORKBOARD", channel=CHANNEL, reply_mode="quiet")
    await switched_on(place)
    quiet = await Conversation.opened(place)
    await time_goes_by(place)
    assert (quiet.received, (await decisions(place))[-1]) == ([], "quiet")


async def test_where_replies_cannot_go_there_is_none_and_no_noise(place: Office):
    await switched_on(place)
    await place.stop()
    await place.start(thumbtack_legacy_password=None)
    talk = await Conversation.opened(place)
    lines = len(talk.lines)
    await time_goes_by(place)
    assert (await decisions(place), len(talk.lines)) == (["not_configured"], lines)


async def test_it_is_not_sent_late(place: Office):
    await switched_on(place)
    old = await Conversation.opened(place, createTimestamp=str(int(place.clock().timestamp()) - 3 * 3600))
    talk = await Conversation.opened(place)
    await place.stop()
    place.clock.ahead += timedelta(minutes=40)
    await place.start()
    await place.at_rest()
    assert (old.received, talk.received, await decisions(place)) == ([], [], ["late", "late"])


async def test_while_thumbtack_is_away_it_waits_and_whoever_writes_then_is_faster(place: Office):
    await switched_on(place)
    talk, alone = await Conversation.opened(place), await Conversation.opened(place)
    place.thumbtack.faults.stand("message", Fault(status=503))
    await time_goes_by(place)
    await place.seen(lambda: place.mark(line(talk)["ts"]) == [HOURGLASS])
    ts = await talk.say("I can come at 9.")
    await time_goes_by(place, 120)
    await talk.marked(line(talk)["ts"], MEMO)
    place.thumbtack.faults.clear()
    await time_goes_by(place, 120)
    await talk.marked(ts, CHECK)
    assert talk.received == ["I can come at 9."]
    assert alone.received == [SAID]


async def test_what_waited_too_long_is_dropped_and_holds_nobody_up(place: Office):
    await switched_on(place)
    talk = await Conversation.opened(place)
    place.thumbtack.faults.stand("message", Fault(status=503))
    await time_goes_by(place)
    await time_goes_by(place, 40 * 60)
    await talk.marked(line(talk)["ts"], MEMO)
    place.thumbtack.faults.clear()
    ts = await talk.say("I can come at 9.")
    await talk.marked(ts, CHECK)
    assert talk.received == ["I can come at 9."]


async def test_what_thumbtack_refuses_is_told_and_a_person_may_send_it(place: Office):
    await switched_on(place)
    talk = await Conversation.opened(place)
    place.thumbtack.faults.add("message", Fault(status=400))
    await time_goes_by(place)
    await place.seen(lambda: place.mark(line(talk)["ts"]) == [CROSS])
    await talk.marked(await talk.say("I can come at 9."), CHECK)
    await talk.press("reply_retry")  # meant, though somebody wrote meanwhile
    await talk.marked(line(talk)["ts"], CHECK)
    assert talk.received == ["I can come at 9.", SAID]


async def test_while_slack_is_away_it_goes_all_the_same_and_is_shown_later(place: Office):
    await switched_on(place)
    talk = await Conversation.opened(place)
    place.slack.faults.stand("chat.postMessage", down())
    await place.advance(seconds=GOES_AFTER)
    await place.thumbtack.wait_until(lambda: talk.received == [SAID])
    assert shown(talk) == 0
    place.slack.faults.clear()
    await time_goes_by(place, 120)
    await talk.marked(line(talk)["ts"], CHECK)
    assert (talk.received, shown(talk)) == ([SAID], 1)


# Once


async def test_an_end_while_it_is_sent_is_said_and_it_is_not_sent_again(place: Office):
    await switched_on(place)
    talk = await Conversation.opened(place)
    asked = calling(place.thumbtack.faults, "message")
    place.thumbtack.faults.add("message", Fault(delay=5))
    await place.advance(seconds=GOES_AFTER)
    async with asyncio.timeout(60):
        await asked.wait()
    await place.crash()
    await place.start()
    await time_goes_by(place, 120)  # on PostgreSQL another replica takes over once the claim has run out
    await talk.marked(line(talk)["ts"], WARNING)
    await time_goes_by(place, 3600)
    assert (talk.received, shown(talk)) == ([SAID], 1)
    await talk.press("reply_arrived")
    await talk.marked(line(talk)["ts"], CHECK)
    assert [one.first_answer_at for one in await place.rows(Lead)] == [None]


@pytest.mark.parametrize("moment", [0, 3, 10, 30])
async def test_an_end_at_any_moment_loses_nothing_and_sends_nothing_twice(place: Office, moment: int):
    await switched_on(place)
    talk = await Conversation.opened(place)
    await place.advance(seconds=GOES_AFTER)
    for _ in range(moment * 5):
        await asyncio.sleep(0)
    await place.crash()
    await place.start()
    await time_goes_by(place, 120)
    await place.seen(lambda: shown(talk) == 1)
    assert len(await place.rows(FirstReply)) == 1
    (message,) = await place.rows(Message)
    assert talk.received == [SAID] or (message.state, talk.received) == (ReplyState.UNKNOWN, [])


async def test_queued_twice_or_decided_by_two_at_once_it_goes_once(place: Office):
    await switched_on(place)
    talk = await Conversation.opened(place)
    (lead,) = await place.rows(Lead)
    async with place.database.transaction() as tx:
        for _ in range(3):
            await outbox.enqueue(tx, Kind.FIRST_REPLY, now=place.clock(), lead_id=lead.id)
    await time_goes_by(place)
    assert (talk.received, await decisions(place)) == ([SAID], [None])

    await Conversation.opened(place)
    other = (await place.rows(Lead))[1].id

    async def decide() -> Message | None:
        async with place.database.transaction() as tx:
            row = await leads.get(tx, leads.known(other))
            assert row is not None
            return await first_replies.write(tx, row, "Hi!", team_id="T0CORKBOARD", now=place.clock())

    assert [one is None for one in await asyncio.gather(decide(), decide(), decide())].count(False) == 1
    await time_goes_by(place)
    assert (len(await place.rows(Message)), await decisions(place)) == (2, [None, None])


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_two_replicas_send_it_once(place: Office):
    async with place.replica() as other:
        await switched_on(place)
        talks = [await Conversation.opened(place) for _ in range(6)]
        await place.advance(seconds=GOES_AFTER)
        await other.advance()
        await place.seen(lambda: all(shown(talk) and place.mark(line(talk)["ts"]) == [CHECK] for talk in talks))
    await time_goes_by(place, 120)
    assert [talk.received for talk in talks] == [[SAID]] * 6
    assert [shown(talk) for talk in talks] == [1] * 6


@pytest.mark.parametrize("seconds", [GOES_AFTER, 10], ids=["after the first went out", "before"])
async def test_one_lead_that_two_apis_tell_of_has_one(place: Office, seconds: int):
    await switched_on(place)
    await place.connect("v4")
    legacy, v4 = one_request(place.clock())
    assert (await place.post("/v1/lead", legacy)).status_code == 200
    await place.at_rest()
    await time_goes_by(place, seconds)
    event = v4_bodies.event("NegotiationCreatedV4", v4, webhook_id="1", at=place.clock())
    assert (await place.post("/v4/webhooks", event)).status_code == 200
    await time_goes_by(place)
    sent = place.thumbtack.received(str(legacy["leadID"])) + place.thumbtack.received(str(v4["negotiationID"]))
    assert len(sent) == 1


@pytest.mark.parametrize("when", ["before they are due", "while Thumbtack is away"])
async def test_two_leads_that_turn_out_to_be_one_have_one(place: Office, when: str):
    await switched_on(place)
    await place.connect("v4")
    v4 = v4_bodies.negotiation(v4_bodies.SCENES[0], at=place.clock(), customer={"customerID": bodies.CUSTOMER_ID})
    legacy = bodies.lead(customer={"customerID": bodies.CUSTOMER_ID}, request={"requestID": bodies.MISSING})
    event = v4_bodies.event("NegotiationCreatedV4", v4, webhook_id="1", at=place.clock())
    assert (await place.post("/v4/webhooks", event)).status_code == 200
    assert (await place.post("/v1/lead", legacy)).status_code == 200
    await place.at_rest()
    decided = 1
    if when == "while Thumbtack is away":
        place.thumbtack.faults.stand("message", Fault(status=503))
        await time_goes_by(place)
        decided = 2
    told = {"request": {"requestID": v4["request"]["requestID"]}}
    assert (await place.post("/v1/lead", bodies.merged(legacy, told))).status_code == 200
    await place.at_rest()
    place.thumbtack.faults.clear()
    for _ in range(2):
        await time_goes_by(place, 120)
    sent = place.thumbtack.received(str(legacy["leadID"])) + place.thumbtack.received(str(v4["negotiationID"]))
    assert (len(sent), await decisions(place)) == (1, [None] * decided)


async def test_what_is_forgotten_takes_it_along(place: Office):
    await switched_on(place)
    await Conversation.opened(place)
    await time_goes_by(place)
    (lead,) = await place.rows(Lead)
    async with place.database.transaction() as tx:
        assert await forgetting.leads(tx, [leads.known(lead.id)], now=place.clock()) is not None
    assert [*await place.rows(FirstReply), *await place.rows(Message)] == []


# In the settings


async def opened_window(place: Office) -> None:
    """An admin opens the window of first replies."""
    await place.command("settings")
    await place.press("settings_saved")
    await place.press("first_open")


async def chosen(place: Office, when: str, text: str | None = None) -> str:
    """They choose in the window that they look at; what is wrong with it."""
    business_id = (place.window() or {})["private_metadata"]
    values: dict[str, Any] = {f"first_when:{business_id}": when}
    errors = await place.submit(values if text is None else values | {f"first_text:{business_id}": text})
    return " ".join(errors.values())


async def test_it_is_switched_on_and_off_in_the_settings(place: Office):
    await opened_window(place)
    assert "No business is known yet" in str(place.window())
    place.slack.workspace.views.clear()
    first = await Conversation.opened(place)
    await opened_window(place)
    assert await chosen(place, "always", WORDS) == ""
    assert f"On for {BUSINESS_NAME}." in str(place.window())  # the list below knows it
    (audit,) = [one for one in await place.rows(Audit) if one.action == "first_reply_set"]
    assert (audit.actor, audit.before, audit.after) == (OLGA, {"when": None}, {"when": "always"})
    second = await Conversation.opened(place)
    await time_goes_by(place)
    assert (first.received, second.received) == ([], [SAID])
    await place.press("first_open")
    assert WORDS in str(place.window())
    assert await chosen(place, "off") == ""
    assert "Off." in str(place.window())
    third = await Conversation.opened(place)
    await time_goes_by(place)
    assert third.received == []
    await place.press("first_open")
    assert WORDS in str(place.window())  # it is kept for when it is switched on again
    assert await chosen(place, "off") == ""
    assert len([one for one in await place.rows(Audit) if one.action == "first_reply_set"]) == 2


async def test_what_would_go_wrong_without_anybody_there_is_not_switched_on(place: Office):
    await Conversation.opened(place)
    await opened_window(place)
    wrong = {
        ("always", ""): "there must be words",
        ("always", "{category}"): "there must be words",
        ("always", "note: for us"): "there must be words",
        ("always", "<@U0ANA> hi"): "there must be words",
        ("always", "Hi {name}"): "Nothing stands for {name}. There are {first_name}, {category}, {city}, {business}.",
        ("always", "I am {my_name}."): "Nobody sends it",
        ("always", "Call 415-555-0134."): "a phone number or an e-mail address",
        ("open", "Hi!"): "hours of this business are not set",
        ("closed", "Hi!"): "hours of this business are not set",
    }
    for (when, text), told in wrong.items():
        assert told in await chosen(place, when, text), (when, text)
    assert [one.first_reply for one in await place.rows(Business)] == [None]
    await switched_on(place, when=When.OFF, hours={"mon": [["09:00", "12:00"]]})
    assert await chosen(place, "closed", "Hi!") == ""
    assert [one.first_reply_when for one in await place.rows(Business)] == ["closed"]


async def test_each_of_many_businesses_has_its_own(place: Office):
    async with place.database.transaction() as tx:
        for number in range(120):
            await businesses.ensure(
                tx,
                environment=Environment.PRODUCTION,
                thumbtack_id=str(number),
                name=f"Business {number:03}",
                now=place.clock(),
            )
    await opened_window(place)
    last = (await place.rows(Business))[119]
    await place.press("first_business", str(last.id))
    assert (place.window() or {})["private_metadata"] == str(last.id)
    assert await chosen(place, "always", "Hi from {business}!") == ""
    assert "On for Business 119." in str(place.window())
    assert [one.id for one in await place.rows(Business) if one.first_reply] == [last.id]


async def test_a_business_that_is_gone_and_odd_values_end_in_a_sentence(place: Office):
    await Conversation.opened(place)
    await opened_window(place)
    view = place.window() or {}
    odd = [{"private_metadata": "999"}, {"private_metadata": "x"}, {"state": None}, {"state": {"values": {}}}]
    for change in odd:
        source = {"user": {"id": OLGA}, "team": {"id": "T0CORKBOARD"}, "trigger_id": "1.1"}
        payload = source | {"type": "view_submission", "view": view | change}
        for person in (OLGA, ANA):  # who may not gets the window no more than who may gets a business that is gone
            payload["user"] = {"id": person}
            answer = await place.slack.courier.once(interaction_delivery(payload))
            assert (answer.status, answer.json()["response_action"]) == (200, "errors"), change
    assert [one.first_reply for one in await place.rows(Business)] == [None]
